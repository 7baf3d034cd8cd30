"""What all sinks have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refused(Generic[T]):
    """An alert, or event, that a sink can never take, and why.

    Neither `error` nor `reason` says what it holds.
    """

    item: T
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
