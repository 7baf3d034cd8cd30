"""A detection with what it is compiled into."""

from __future__ import annotations

from functools import cached_property

from streams.detect.book import Detection
from streams.detect.evaluate import Test, compile_test
from streams.detect.event_view import EventView
from streams.detect.failure import failure_reason
from streams.detect.fields import FieldMapping
from streams.detect.generate import generate

Found = tuple[int, int, str | None]
"""The index of an event, the number of a rule, and why the rule failed on it, None where it is true of it."""


class Compiled:
    """A detection by its number in the book, compiled when first needed: most rules never see an event."""

    def __init__(self, number: int, detection: Detection, mapping: FieldMapping) -> None:
        self.number = number
        self.rule = detection.rule
        self.condition = detection.condition
        self.mapping = mapping

    @cached_property
    def test(self) -> Test:
        """The rule as generated Python."""
        return generate(self.condition, self.mapping)

    @cached_property
    def reference(self) -> Test:
        """The rule as closures, which decide where a part of the generated test cannot be tried."""
        return compile_test(self.condition, self.mapping)

    def tried_on(self, view: EventView, event: int) -> Found | None:
        """Try the rule on an event."""
        try:
            try:
                matched = self.test(view)
            except ValueError:  # such as a text that is too long for an expression
                matched = self.reference(view)
        except Exception as error:  # noqa: BLE001 - a rule that raises is reported, the others still run
            return event, self.number, failure_reason(error)
        return (event, self.number, None) if matched else None
