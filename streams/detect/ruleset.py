"""A rule book, compiled and routed by log source, matched against batches of events."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

from streams.detect.book import RuleBook
from streams.detect.cache import Cache
from streams.detect.canonical import scan_text
from streams.detect.choice import Choice
from streams.detect.compiled import Compiled, Found
from streams.detect.event_view import EventView
from streams.detect.fields import FieldMapping, mapping_for
from streams.detect.generate import Fused, generate_fused
from streams.detect.prefilter import Prefilter
from streams.event import Event, LogSource
from streams.rule import Match, Rule, RuleFailure

_MAX_ROUTES = 4096
"""Sets of log sources that are remembered; documents may state any."""
_BATCH = 512
"""Events that are looked at together: of more, the first have left the processor's cache."""

Route = frozenset[LogSource | None]
"""The log sources of rules that apply to an event."""


class RuleSet:
    """The detections of a book, compiled. Not to be used by two threads at once.

    A rule applies to an event when one of the event's log sources has all that the rule's names, or to every
    event with `ignore_logsource`. `mapping` says which fields stand for a rule's; None takes for each rule
    the one of its log source. `cache` keeps what was chosen to find candidates by. `tried` counts how often a
    rule was tried on an event: far more often than it matched means slow.
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
            for number, detection in enumerate(book.all_detections)
        ]
        self._by_id = {rule.rule.id: rule.rule for rule in self._rules}
        self._wanted = [None if ignore_logsource else _lowered(rule.rule.logsource) for rule in self._rules]
        self._routes: dict[tuple[LogSource, ...], Route] = {}
        self._choice = Choice(self._rules, cache)
        self._always: dict[LogSource | None, list[Compiled]] = {}
        self._fused: dict[LogSource | None, Fused] = {}
        self.tried = 0

    def rule(self, identity: str) -> Rule:
        """Give the rule of an id."""
        return self._by_id[identity]

    def match(self, events: Sequence[Event]) -> tuple[list[Match], list[RuleFailure]]:
        """Give the matches by event, then in the order of the book, and the rules that raised on an event."""
        matches: list[Match] = []
        failures: list[RuleFailure] = []
        for start in range(0, len(events) if self._rules else 0, _BATCH):
            for index, number, failure in sorted(self._found(events[start : start + _BATCH])):
                rule = self._rules[number].rule
                if failure is None:
                    matches.append(Match(start + index, rule))
                else:
                    failures.append(RuleFailure(rule, events[start + index].id, failure))
        return matches, failures

    def _found(self, events: Sequence[Event]) -> set[Found]:
        """Give what is true of which events."""
        text, without = scan_text([event.fields for event in events])
        prefilter, new = self._choice.for_batch(text, len(events))
        if new:
            self._use(prefilter)
        routes = [self._route(event.logsources) for event in events]
        pairs = prefilter.candidates(text)
        pairs.update((index, rule.number) for index in without for rule in self._rules)
        self._choice.note(len(pairs))
        views: dict[int, EventView] = {}
        found = self._of_always(events, routes, views) if self._always else set()
        for index, number in pairs:
            if self._wanted[number] in routes[index]:
                self.tried += 1
                view = views.get(index) or views.setdefault(index, EventView(events[index]))
                one = self._rules[number].tried_on(view, index)
                if one is not None:
                    found.add(one)
        return found

    def _of_always(
        self, events: Sequence[Event], routes: Sequence[Route], views: dict[int, EventView]
    ) -> set[Found]:
        """Try the rules that no literal stands for on all events that they apply to."""
        found: set[Found] = set()
        for wanted, rules in self._always.items():
            chosen = [
                (index, EventView(events[index])) for index, route in enumerate(routes) if wanted in route
            ]
            self.tried += len(chosen) * len(rules)
            views.update(chosen)
            try:
                found.update(self._fused[wanted](chosen))
            except Exception:  # noqa: BLE001 - each by itself, so that only the one that raises fails
                alone = (rule.tried_on(view, index) for index, view in chosen for rule in rules)
                found.update(one for one in alone if one is not None)
        return found

    def _use(self, prefilter: Prefilter) -> None:
        always: defaultdict[LogSource | None, list[Compiled]] = defaultdict(list)
        for number in prefilter.always:
            always[self._wanted[number]].append(self._rules[number])
        self._always = dict(always)
        self._fused = {
            wanted: generate_fused([(rule.number, rule.condition, rule.mapping) for rule in rules])
            for wanted, rules in always.items()
        }

    def _route(self, logsources: tuple[LogSource, ...]) -> Route:
        found = self._routes.get(logsources)
        if found is None:
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            found = self._routes[logsources] = _route_of(logsources)
        return found


def applies(wanted: LogSource | None, logsources: Sequence[LogSource]) -> bool:
    """Tell whether one of an event's log sources has all the parts that a rule names, whatever their case."""
    return _lowered(wanted) in _route_of(logsources)


def _route_of(logsources: Sequence[LogSource]) -> Route:
    return frozenset([None, *(wider for source in logsources for wider in _wider(source))])


def _wider(source: LogSource) -> Iterator[LogSource]:
    """Give what rules may name of a log source: any of its parts."""
    choices = ((None,) if part is None else (part.lower(), None) for part in source)
    return itertools.starmap(LogSource, itertools.product(*choices))


def _lowered(source: LogSource | None) -> LogSource | None:
    return None if source is None else LogSource(*(part and part.lower() for part in source))
