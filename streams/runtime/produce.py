"""Sends stored records to Kafka in the order of event time, and how far that time has come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from streams.event import RawRecord
from streams.runtime.batches import Ahead, AtOnce, Batches
from streams.runtime.in_order import Timed
from streams.runtime.pace import Pace
from streams.runtime.sender import Sender

MARK_RECORDS = 5000
MARK_SECONDS = 10.0
"""After so many records, or so long after one, it is said how far event time has come."""
_TICK = 0.25


@dataclass(slots=True)
class Sent:
    """What was sent of a source: records and their bytes; how many of them its format cannot read.

    `too_large` counts those that were not sent, since the topic takes none as large.
    """

    records: int = 0
    bytes: int = 0
    unreadable: int = 0
    too_large: int = 0


class Production:
    """One sending of records, in the order in which `in_order` gives them.

    A mark says of all partitions: nothing older comes any more, each source's lateness aside. Its time is
    that of the newest event of *all* sources, since of none an older one is still to come; so a quiet source
    holds nobody back. An event further ahead of the clock than `skew` (nanoseconds) moves no time.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        pace: Pace | None = None,
        skew: int = 0,
        stopped: Callable[[], bool] = lambda: False,
        sent: Callable[[RawRecord], object] = lambda _: None,
        too_large: Callable[[RawRecord], object] = lambda _: None,
    ) -> None:
        self.counts: dict[str, Sent] = {}
        self._sender = sender
        self._pace = pace or Pace()
        self._skew = skew
        self._stopped = stopped
        self._sent = sent
        self._too_large = too_large
        self._reached: int | None = None
        self._unmarked = 0
        self._marked = time.monotonic()

    async def run(
        self, records: Iterator[Timed], *, let_pass: int = 0, wait: bool = False
    ) -> dict[str, Sent]:
        """Send all records, and then say that so many nanoseconds have passed after the last event.

        With `wait` records may have to be waited for, since they come from a pipe.

        Raises:
            KafkaError: not all of them were acknowledged.
            OSError: not all of them could be read.
            ConfigError: as `stored_records`.
        """
        batches: Batches[Timed] = (Ahead if wait else AtOnce)(records, lambda timed: len(timed.record.data))
        try:
            while not self._stopped():
                batch = await batches.take(_TICK)
                if batch is None:
                    break
                for timed in batch:
                    await self._one(timed)
                await self._mark_if_due()
                await asyncio.sleep(0)
        finally:
            batches.close()
        if self._reached is not None:
            await self._sender.mark(self._reached + (0 if self._stopped() else let_pass))
        await self._sender.flush()
        return self.counts

    async def _one(self, timed: Timed) -> None:
        counts = self.counts.setdefault(timed.record.origin.source, Sent())
        counts.unreadable += timed.rejected is not None
        when = timed.time
        if when is not None and when > time.time_ns() + self._skew:
            when = None
        if not await self._due(when):
            return
        if when is not None:
            first = self._reached is None
            self._reached = when if self._reached is None else max(self._reached, when)
            if first:
                await self._mark()
        if self._sender.fits(timed.record):
            await self._sender.send(timed.record)
            counts.records += 1
            counts.bytes += len(timed.record.data)
            self._sent(timed.record)
        else:
            counts.too_large += 1
            self._too_large(timed.record)
        self._unmarked += 1
        if self._unmarked >= MARK_RECORDS:
            await self._mark()

    async def _due(self, when: int | None) -> bool:
        """Wait until a record of this time is due; false when told to stop before."""
        due = time.monotonic() + self._pace.wait(when, time.monotonic())
        while not self._stopped():
            left = due - time.monotonic()
            if left <= 0:
                return True
            await asyncio.sleep(min(left, _TICK))
            await self._mark_if_due()
        return False

    async def _mark_if_due(self) -> None:
        if self._unmarked and time.monotonic() - self._marked >= MARK_SECONDS:
            await self._mark()

    async def _mark(self) -> None:
        if self._reached is None:
            await self._sender.flush()
        else:
            await self._sender.mark(self._reached)
        self._unmarked = 0
        self._marked = time.monotonic()
