"""Alerts with what people did about them, wherever they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from streams.alert import Alert, Status
from streams.errors import OutfallError

T = TypeVar("T")


class Action(StrEnum):
    """What people do about an alert."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Handling:
    """One thing that somebody did: `text` is a comment, reason or assignee, `revision` what they saw."""

    action: Action
    by: str
    text: str | None
    revision: int
    at: str


@dataclass(frozen=True, slots=True)
class Stored:
    """The newest revision of an alert, with what people did about it, in order."""

    alert: Alert
    handling: tuple[Handling, ...]

    @property
    def assignee(self) -> str | None:
        """Who it was last assigned to."""
        return next((item.text for item in reversed(self.handling) if item.action is Action.ASSIGN), None)

    @property
    def state(self) -> str:
        """Where the work on it stands: new, acknowledged or closed; or suppressed, by an exception."""
        actions = {item.action for item in self.handling}
        if Action.CLOSE in actions:
            return "closed"
        if self.alert.suppressed_by:
            return "suppressed"
        return "acknowledged" if actions & {Action.ACKNOWLEDGE, Action.ASSIGN} else "new"

    @property
    def closed_as_it_is(self) -> bool:
        """Whether somebody closed it, and it has not gone on since."""
        closed = [item.revision for item in self.handling if item.action is Action.CLOSE]
        return bool(closed) and closed[-1] == self.alert.revision

    @property
    def open(self) -> bool:
        """Whether somebody still has to look at it."""
        return self.state not in ("closed", "suppressed") and self.alert.status in (
            Status.OPEN,
            Status.CLOSED,
        )

    def document(self) -> dict[str, Any]:
        """Give all of it as one JSON object."""
        return {
            **self.alert.model_dump(mode="json"),
            "state": self.state,
            "assignee": self.assignee,
            "handling": [
                {
                    "action": item.action,
                    "by": item.by,
                    "text": item.text,
                    "revision": item.revision,
                    "at": item.at,
                }
                for item in self.handling
            ],
        }


class Queue(Protocol):
    """Where alerts are kept, for those who work on them."""

    def newest(self) -> Iterator[Stored]:
        """Give all alerts, the newest first."""
        ...

    def find(self, prefix: str) -> Stored:
        """Give the one alert whose id begins so.

        Raises:
            OutfallError: there is none, or several, or nothing is said.
        """
        ...

    def act(self, stored: Stored, action: Action, *, by: str, text: str | None, at: str) -> None:
        """Keep what somebody did about an alert; `at` is RFC 3339."""
        ...


def check_prefix(prefix: str) -> None:
    """Refuse the empty begin of an id, which is that of all.

    Raises:
        OutfallError: it is empty.
    """
    if not prefix.strip():
        raise OutfallError("the alert's id is empty; `outfall alerts list` shows the ids")


def found_one(prefix: str, found: Sequence[T]) -> T:
    """Give the only thing that was found.

    Raises:
        OutfallError: nothing was, or several things.
    """
    if len(found) != 1:
        raise OutfallError(f"{'several alerts begin' if found else 'no alert begins'} with {prefix!r}")
    return found[0]
