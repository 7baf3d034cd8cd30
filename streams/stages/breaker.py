"""Stops a stage when most of what it reads is dead: then it is not the records that are wrong."""

from __future__ import annotations

from dataclasses import dataclass

from streams.errors import OutfallError
from streams.state import Saved, Table


class BreakerOpen(OutfallError):  # noqa: N818 - the breaker's state, not a mistake
    """Most records are dead. Nothing of the batch is to be saved, so that it is read again after a change."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The share of dead records that is too much, and among how many it is looked for."""

    share: float
    records: int


class Breaker:
    """Looks at about the last records of one partition; what it has seen is state, and outlives a restart."""

    def __init__(self, source: str, bounds: Bounds) -> None:
        self._source = source
        self._bounds = bounds
        self._seen = Table("breaker")
        self.tables: tuple[Saved, ...] = (self._seen,)

    def note(self, read: int, dead: int) -> None:
        """Take note of a batch: how many records were read, and how many of them are dead.

        Raises:
            BreakerOpen: it has dead ones, and there are too many of them.
        """
        if not read:
            return
        before: list[int] = self._seen.get("records", [0, 0])
        seen, lost = before[0] + read, before[1] + dead
        if dead and seen >= self._bounds.records and lost > self._bounds.share * seen:
            raise BreakerOpen(
                f"source {self._source}: {lost} of the last {seen} records are dead, which is more than"
                f" dead_letters.breaker.share allows; the rest is left in the topic. See their reasons with"
                " `outfall dead-letters list`, mend the source's format or its records, and start again"
            )
        if seen >= 2 * self._bounds.records:
            seen, lost = seen // 2, lost // 2
        self._seen["records"] = [seen, lost]
