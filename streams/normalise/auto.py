"""`auto`: each line is read by the first format that recognises it.

A line that none recognises is read by the columns that a `#Fields:` line before it announced, if one did.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streams.errors import RecordError
from streams.normalise.base import Context, Format, Parsed
from streams.normalise.proxysg import ANNOUNCED


class Auto:
    """Any of the formats that are given, which go from strict to loose; `announced` is the W3C one."""

    name = "auto"
    summary = "recognises the format of each line by its content"

    def __init__(self, formats: Sequence[Format], announced: Format) -> None:
        self._formats = tuple(formats)
        self._announced = announced

    def recognises(self, line: str) -> bool:
        """See the interface."""
        return self._of(line) is not None

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        found = self._of(line)
        if found is None and ANNOUNCED in context.memory:
            found = self._announced
        if found is None:
            raise RecordError("no format recognises this line; name one with --format")
        return replace(found.parse(line, context), dataset=found.name)

    def _of(self, line: str) -> Format | None:
        return next((candidate for candidate in self._formats if candidate.recognises(line)), None)
