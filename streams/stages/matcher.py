"""The step between reading and correlating: which rules are true of which events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streams.detect.ruleset import RuleSet
from streams.event import Event
from streams.rule import Match, Rule, RuleFailure
from streams.stages.built_in import RULE_FAILED, failed


@dataclass(frozen=True, slots=True)
class Matched:
    """What was true of a batch of events: `rules` by event, and the same as `matches`.

    `failures` are the rules that raised on an event, `failed` the events that the alert about it rests on.
    """

    rules: list[list[Rule]]
    matches: list[Match]
    failures: list[RuleFailure]
    failed: list[tuple[Event, list[Rule]]]
    tried: int


def match(rules: RuleSet, events: Sequence[Event]) -> Matched:
    """Try the rules on a batch of events."""
    before = rules.tried
    matches, failures = rules.match(events)
    by_event: list[list[Rule]] = [[] for _ in events]
    for found in matches:
        by_event[found.event].append(found.rule)
    by_id = {event.id: event for event in events} if failures else {}
    about = [(failed(failure, by_id[str(failure.event)]), [RULE_FAILED]) for failure in failures]
    return Matched(by_event, matches, failures, about, rules.tried - before)
