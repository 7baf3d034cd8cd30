"""The narrow interface of detection: a batch of events in, matches out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.detect.book import RuleBook
from streams.detect.evaluate import Test, compile_test
from streams.detect.event_view import EventView
from streams.detect.fields import FieldMapping, mapping_for
from streams.event import Event, LogSource
from streams.rule import Match, Rule, RuleFailure

_MAX_ROUTES = 1024
"""Sets of log sources whose rules are remembered; documents may state any."""


class _Compiled(NamedTuple):
    rule: Rule
    test: Test


class RuleSet:
    """The detections of a book, compiled.

    A rule applies to an event when one of the event's log sources has all that the rule's names, or to every
    event with `ignore_logsource`. `mapping` says which fields stand for a rule's; None takes for each rule
    the one of its log source.
    """

    def __init__(
        self, book: RuleBook, *, ignore_logsource: bool = False, mapping: FieldMapping | None = None
    ) -> None:
        self._rules = [
            _Compiled(
                detection.rule,
                compile_test(detection.condition, mapping or mapping_for(detection.rule.logsource)),
            )
            for detection in book.detections
        ]
        self._ignore_logsource = ignore_logsource
        self._routes: dict[tuple[LogSource, ...], list[_Compiled]] = {}

    def match(self, events: Sequence[Event]) -> tuple[list[Match], list[RuleFailure]]:
        """Give the matches by event, then in the order of the book, and the rules that raised on an event."""
        matches: list[Match] = []
        failures: list[RuleFailure] = []
        for index, event in enumerate(events):
            view = EventView(event)
            for rule, test in self._applicable(event.logsources):
                try:
                    if test(view):
                        matches.append(Match(index, rule))
                except Exception as error:  # noqa: BLE001 - a rule that raises is reported, the others still run
                    failures.append(RuleFailure(rule, event.id, type(error).__name__))
        return matches, failures

    def _applicable(self, logsources: tuple[LogSource, ...]) -> list[_Compiled]:
        if self._ignore_logsource:
            return self._rules
        found = self._routes.get(logsources)
        if found is None:
            found = [one for one in self._rules if _applies(one.rule.logsource, logsources)]
            if len(self._routes) >= _MAX_ROUTES:
                self._routes.clear()
            self._routes[logsources] = found
        return found


def _applies(wanted: LogSource | None, logsources: tuple[LogSource, ...]) -> bool:
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
