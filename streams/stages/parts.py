"""What the stages of one worker share: the rule book, compiled once, and what is known for enrichment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.correlate.describe import Edition
from streams.correlate.severity import SeverityTable
from streams.detect.book import RuleBook
from streams.detect.ruleset import RuleSet
from streams.enrich import EnrichConfig
from streams.event import Event
from streams.rule import Rule
from streams.settings import Limits
from streams.stages.breaker import Bounds
from streams.stages.built_in import LIMIT_REACHED, RULE_FAILED
from streams.stages.matcher import Matched, match
from streams.stages.route import Router
from streams.stages.stage import Sent


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything of a worker that is not state. `partitions` is how many the topic of matches has."""

    book: RuleBook
    rules: RuleSet
    enrichment: EnrichConfig
    severity: SeverityTable
    edition: Edition
    limits: Limits
    clock_skew: int
    partitions: int
    breaker: Bounds

    @property
    def all_rules(self) -> list[Rule]:
        """The rules of detections, those that the program itself alerts by among them."""
        return [*(detection.rule for detection in self.book.all_detections), RULE_FAILED, LIMIT_REACHED]

    def router(self) -> Router:
        """Make the routes of the book's groups."""
        return Router(self.all_rules, self.book.all_correlations, self.partitions)

    def match(self, events: Sequence[Event], sent: Sent) -> Matched:
        """Try the rules on events that are enriched as far as can be now; count, and take note of them."""
        matched = match(self.rules, events)
        sent.counts["rules_tried"] += matched.tried
        sent.counts["matches"] += len(matched.matches)
        sent.matched.update(found.rule.id for found in matched.matches)
        sent.failures += matched.failures
        sent.events += events
        return matched
