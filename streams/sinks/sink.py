"""What all sinks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from streams.alert import Alert


@dataclass(frozen=True, slots=True)
class Refused:
    """An alert that a sink can never take, and why; neither `error` nor `reason` says what it holds."""

    alert: Alert
    error: str
    reason: str


class Told(Protocol):
    """Who is told how writing goes."""

    def done(self, outcome: str, items: int) -> None:
        """Take note of items that are `created`, were there already (`duplicate`), or are `refused`."""
        ...

    def again(self, reason: str, items: int) -> None:
        """Take note of items that must be sent again, and why: a status, or what kind of error."""
        ...

    def goes_on(self) -> None:
        """Take note that the sink takes what it is sent."""
        ...
