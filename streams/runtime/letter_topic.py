"""The dead letters of the workers: a topic of Kafka, read from its beginning to its present end.

A letter that was replayed cannot be taken out of the topic. So a record without content is written after it,
which names it (`outfall.replayed`: partition/offset); letters that none names are open.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from streams.errors import RecordError
from streams.event import Origin
from streams.kafka_settings import Kafka
from streams.runtime.dead_letters import Letter
from streams.runtime.headers import find
from streams.runtime.kafka_client import client_arguments
from streams.runtime.letters import Entry, Picker, Wanted
from streams.runtime.sender import PATIENCE

REPLAYED = "outfall.replayed"

_POLL_MS = 1000
_MILLISECOND = 1_000_000


class LetterTopic:
    """The topic as it is when it is opened; what comes later is not looked at.

    `advance` is told how many offsets have been read, `length` says how many there are: all are read twice.
    """

    def __init__(self, kafka: Kafka, topic: str, advance: Callable[[int], object] = lambda _: None) -> None:
        self._kafka = kafka
        self._topic = topic
        self._advance = advance
        self._consumer: Any = None
        self._ends: dict[TopicPartition, int] = {}
        self._begins: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it retries; what matters is raised
        self._consumer = AIOKafkaConsumer(
            self._topic,
            **client_arguments(self._kafka),
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=self._kafka.max_message,
        )
        try:
            await self._consumer.start()
            places = sorted(self._consumer.assignment())
            self._ends = await self._consumer.end_offsets(places)
            self._begins = await self._consumer.beginning_offsets(places)
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()

    @property
    def length(self) -> int:
        """How many offsets `entries` reads."""
        return 2 * sum(end - self._begins[place] for place, end in self._ends.items())

    @property
    def ends(self) -> dict[int, int]:
        """The offset after the last record of each partition."""
        return {place.partition: end for place, end in self._ends.items()}

    async def entries(self, *, replayed: bool = False) -> AsyncGenerator[Entry, None]:
        """Give the open letters, or also the replayed ones, with their content: of each partition in order.

        The topic is read twice, so that what must be held is only which letters were replayed.

        Raises:
            KafkaError: it cannot be read.
        """
        done = {mark async for record in self._records() if (mark := _mark(record)) is not None}
        async for record in self._records():
            if _mark(record) is not None:
                continue
            entry = _entry(record)
            if entry.id not in done:
                yield entry
            elif replayed:
                yield replace(entry, replayed=True)

    async def wanted(self, wanted: Wanted, *, replayed: bool = False) -> AsyncGenerator[Entry, None]:
        """Give those of `entries` that are meant.

        Raises:
            KafkaError: as `entries`.
            OutfallError: after all others, where ids are given that are not there.
        """
        picker = Picker(wanted)
        async with contextlib.aclosing(self.entries(replayed=replayed)) as entries:
            async for entry in entries:
                if picker.full:
                    return
                if picker.takes(entry):
                    yield entry
        picker.finish()

    async def read(self, identity: str) -> Entry | None:
        """Give one letter, or None where there is none of this id."""
        partition, _, offset = identity.partition("/")
        place = TopicPartition(self._topic, int(partition)) if partition.isdecimal() else None
        if place not in self._ends or not offset.isdecimal():
            return None
        if not self._begins[place] <= int(offset) < self._ends[place]:
            return None
        self._consumer.seek(place, int(offset))
        while await self._consumer.position(place) < self._ends[place]:
            for record in await self._next(place, 1):
                is_it = record.offset == int(offset) and _mark(record) is None
                return _entry(record) if is_it else None
        return None

    async def _records(self) -> AsyncGenerator[Any, None]:
        """Give all records, one partition after the other."""
        for place, end in self._ends.items():
            position, moved = self._begins[place], time.monotonic()
            self._consumer.seek(place, position)
            while position < end:
                if time.monotonic() - moved > PATIENCE:
                    raise KafkaTimeoutError(f"nothing came of topic {self._topic} for {PATIENCE:.0f} seconds")
                for record in await self._next(place, None):
                    if record.offset < end:
                        yield record
                before, position = position, await self._consumer.position(place)
                if position != before:
                    moved = time.monotonic()
                    self._advance(min(position, end) - before)

    async def _next(self, place: TopicPartition, most: int | None) -> list[Any]:
        found = await self._consumer.getmany(place, timeout_ms=_POLL_MS, max_records=most)
        return list(found.get(place, ()))


def _mark(record: Any) -> str | None:
    """Give the id of the letter that a record says was replayed, where it is such a record."""
    value = find(record.headers, REPLAYED)
    return None if value is None else value.decode("ascii", "replace")


def _entry(record: Any) -> Entry:
    identity = f"{record.partition}/{record.offset}"
    data = record.value or b""
    try:
        letter, foreign = Letter.read(data, record.headers), ""
    except RecordError as error:
        foreign = f"no dead letter: {error}"
        letter = Letter(data, Origin("", "", 0, 0), "", "", foreign)
    return Entry(identity, record.timestamp * _MILLISECOND, letter, len(data), foreign=foreign)
