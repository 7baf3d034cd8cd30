"""A rule book, compiled and routed by log source, matched against batches of events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from streams.detect.book import RuleBook
from streams.detect.cache import Cache, NoCache, key_of
from streams.detect.fields import FieldMapping, mapping_for
from streams.detect.matcher import Compiled, Found, Matcher
from streams.event import Event, LogSource
from streams.rule import Match, RuleFailure

_MAX_ROUTES = 1024
"""Sets of log sources whose rules are remembered; documents may state any."""
_BATCH = 512
"""Events that are looked at together: of more, the first have left the processor's cache."""


class RuleSet:
    """The detections of a book, compiled.

    A rule applies to an event when one of the event's log sources has all that the rule's names, or to every
    event with `ignore_logsource`. `mapping` says which fields stand for a rule's; None takes for each rule
    the one of its log source. `cache` keeps what was chosen to find candidates by. `tried` counts how often a
    rule was tried on an event because of a literal: far more often than it matched means slow.
    """

    def __init__(
        self,
        book: RuleBook,
        *,
        ignore_logsource: bool = False,
        mapping: FieldMapping | None = None,
        cache: Cache | None = None,
    ) -> None:
        self._rules = [
            Compiled(number, detection, mapping or mapping_for(detection.rule.logsource))
            for number, detection in enumerate(book.detections)
        ]
        self._ignore_logsource = ignore_logsource
        self._cache = cache or NoCache()
        self._key = key_of("rules", book.hash, repr(mapping), *(rule.rule.id for rule in self._rules))
        self._routes: dict[tuple[LogSource, ...], Matcher] = {}
        self._matchers: dict[tuple[int, ...], Matcher] = {}
        self.tried = 0

    def match(self, events: Sequence[Event]) -> tuple[list[Match], list[RuleFailure]]:
        """Give the matches by event, then in the order of the book, and the rules that raised on an event."""
        found: list[Found] = []
        for start in range(0, len(events), _BATCH):
            batch = events[start : start + _BATCH]
            for matcher, indexes in self._routed(batch):
                before = matcher.tried
                own = matcher.match([batch[index] for index in indexes])
                self.tried += matcher.tried - before
                found += [(start + indexes[event], rule, failure) for event, rule, failure in own]
        found.sort()
        matches = [Match(event, self._rules[rule].rule) for event, rule, failure in found if failure is None]
        failures = [
            RuleFailure(self._rules[rule].rule, events[event].id, failure)
            for event, rule, failure in found
            if failure is not None
        ]
        return matches, failures

    def _routed(self, events: Sequence[Event]) -> list[tuple[Matcher, list[int]]]:
        """Part events by the rules that apply to them."""
        parted: defaultdict[tuple[LogSource, ...], list[int]] = defaultdict(list)
        for index, event in enumerate(events):
            parted[() if self._ignore_logsource else event.logsources].append(index)
        return [(self._matcher(logsources), indexes) for logsources, indexes in parted.items()]

    def _matcher(self, logsources: tuple[LogSource, ...]) -> Matcher:
        found = self._routes.get(logsources)
        if found is None:
            rules = [
                rule
                for rule in self._rules
                if self._ignore_logsource or applies(rule.rule.logsource, logsources)
            ]
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
                self._matchers.clear()
            numbers = tuple(rule.number for rule in rules)
            matcher = Matcher(rules, self._cache, key_of(self._key, repr(numbers)))
            found = self._routes[logsources] = self._matchers.setdefault(numbers, matcher)
        return found


def applies(wanted: LogSource | None, logsources: Sequence[LogSource]) -> bool:
    """Tell whether one of an event's log sources has all the parts that a rule names, whatever their case."""
    if wanted is None:
        return True
    return any(
        all(
            part is None or (own is not None and part.lower() == own.lower())
            for part, own in zip(wanted, source, strict=True)
        )
        for source in logsources
    )
