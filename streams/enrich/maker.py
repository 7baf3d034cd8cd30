"""Makers: the events by which content came into being; and the kinds of identity that content goes by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streams.enrich.subjects import Known
from streams.event import NANOSECONDS

_MINUTE = 60 * NANOSECONDS
SKEW = 5 * _MINUTE
"""How far the clocks of two sources may differ: so much later, a maker may still have come first."""

HASH = "sha256:"
WEAK = ("file:", "path:")
"""Names, which different content can bear: only the most recent maker counts."""
RECENT = {
    "archived:": (10 * _MINUTE, _MINUTE),
    "zipped:": (10 * NANOSECONDS, _MINUTE),
    "copied:": (10 * _MINUTE, 5 * NANOSECONDS),
    "moved:": (5 * NANOSECONDS, 5 * NANOSECONDS),
    "exported:": (10 * _MINUTE, SKEW),
    "uploaded:": (2 * _MINUTE, _MINUTE),
}
"""What somebody had in hand: every maker from so long before to so long after counts (see `disk.py`)."""

_RECENT = tuple(RECENT)
_EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@dataclass(frozen=True, slots=True)
class Maker:
    """An event by which content came into being. `time` is in nanoseconds since the epoch.

    `told` says what happened and where it is logged, for an alert to show; it names nobody.
    """

    id: str
    time: int
    actor: str | None
    produces: tuple[str, ...]
    made_from: tuple[str, ...]
    known: Known
    told: str = field(default="", compare=False)

    @property
    def is_origin(self) -> bool:
        """Whether it tells by itself whose data it is."""
        return self.known.something

    @property
    def made(self) -> tuple[str, ...]:
        """What was not there before: a mere copy does not make the hash of its original."""
        if self.is_origin:
            return self.produces
        return tuple(identity for identity in self.produces if identity not in self.made_from)

    def row(self) -> dict[str, Any]:
        """Give the maker as JSON values."""
        return {
            "time": self.time,
            "actor": self.actor,
            "produces": self.produces,
            "from": self.made_from,
            "subjects": sorted(self.known.subjects),
            "records": sorted(self.known.records),
            "categories": sorted(self.known.categories),
            "vulnerable": self.known.vulnerable,
            "anonymous": self.known.anonymous,
            "told": self.told,
        }

    @staticmethod
    def from_row(maker_id: str, row: dict[str, Any]) -> Maker:
        """Read what `row` gave."""
        known = Known(
            frozenset(row["subjects"]),
            frozenset(row["records"]),
            frozenset(row["categories"]),
            row["vulnerable"],
            row["anonymous"],
        )
        return Maker(
            maker_id,
            row["time"],
            row["actor"],
            tuple(row["produces"]),
            tuple(row["from"]),
            known,
            row["told"],
        )


def is_recent(identity: str) -> bool:
    """Tell whether an identity is one of `RECENT`."""
    return identity.startswith(_RECENT)


def window(identity: str) -> tuple[int, int]:
    """Give how long before and after a time makers of a `RECENT` identity count."""
    return RECENT[identity[: identity.find(":") + 1]]


def identities(values: Iterable[str]) -> tuple[str, ...]:
    """Give content identities sorted, without that of empty files, which hold nobody's data."""
    return tuple(sorted({value for value in values if value != _EMPTY}))
