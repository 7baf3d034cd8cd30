"""The plain way to match, which the engine must agree with: every rule on every event, closure by closure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from streams.detect.book import RuleBook
from streams.detect.evaluate import compile_test
from streams.detect.event_view import EventView
from streams.detect.fields import mapping_for
from streams.detect.ruleset import RuleSet
from streams.event import Event, Fields, Origin

Outcomes = dict[tuple[int, str], bool | None]
"""By an event's index and a rule's id: true, or None where the rule fails; what is false is left out."""


def as_events(many: Iterable[Fields]) -> list[Event]:
    return [
        Event(f"event-{number}", number, fields, Origin("s", "f", 0, number))
        for number, fields in enumerate(many)
    ]


class Reference:
    """All rules of a book as closures."""

    def __init__(self, book: RuleBook) -> None:
        self._tests = [
            (detection.rule.id, compile_test(detection.condition, mapping_for(detection.rule.logsource)))
            for detection in book.detections
        ]

    def outcomes(self, events: Sequence[Event]) -> Outcomes:
        found: Outcomes = {}
        for index, event in enumerate(events):
            view = EventView(event)
            for rule, test in self._tests:
                try:
                    if test(view):
                        found[index, rule] = True
                except Exception:  # noqa: BLE001 - such as a text too long for an expression
                    found[index, rule] = None
        return found


def reference(book: RuleBook, events: Sequence[Event]) -> Outcomes:
    return Reference(book).outcomes(events)


def engine(rules: RuleSet, events: Sequence[Event]) -> Outcomes:
    matches, failures = rules.match(events)
    places = {event.id: index for index, event in enumerate(events)}
    found: Outcomes = {(match.event, match.rule.id): True for match in matches}
    assert len(found) == len(matches)
    return found | {(places[failure.event], failure.rule.id): None for failure in failures}
