"""Reads along all topics of a worker as others would, committed records alone, and holds offsets to them."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.workers import Live
from streams.runtime.changelog import POSITION

PAUSE = 0.2
"""Seconds between two looks."""
PATIENCE = 25
"""Looks after which a position beyond the end is a problem: it may be newer than the end that was read."""
AWAY = (KafkaError, OSError, AssertionError, TimeoutError)
"""What clients raise while brokers come and go."""


class Tail:
    """Follows the topics in a thread of its own, from the first record.

    `records` holds those of each partition, of state topics only the rows that tell the position. `problems`
    has what must never be: an offset of the group beyond the position in the state, a position that goes
    back, or one beyond the end of its input.
    """

    def __init__(self, live: Live) -> None:
        self.records: dict[TopicPartition, list[Any]] = {}
        self.problems: list[str] = []
        self.committed: dict[TopicPartition, int] = {}
        self.looks = 0
        self._ahead: Counter[TopicPartition] = Counter()
        self.done_rounds = 0
        self._live = live
        self._topics = live.topics
        self._positions: defaultdict[TopicPartition, int] = defaultdict(int)
        self._states = {self._topics.state(topic): topic for topic in self._topics.inputs}
        self._read: dict[TopicPartition, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_until_done(self, seconds: float = 120) -> None:
        """Wait until each record of each input has been processed, and all that it led to has been read."""
        end = time.monotonic() + seconds
        begun = self.looks
        while self.looks < begun + 2 or self.done_rounds < 2:
            if self._error is not None:
                raise self._error
            assert time.monotonic() < end, f"after {seconds} s not all was processed: {self.behind()}"
            time.sleep(0.05)

    def behind(self) -> dict[str, tuple[int, int]]:
        """Give the position and the end of each partition that has not been read to its end."""
        found = {}
        for where in self._inputs():
            end = self.end(where)
            if self._positions[where] < end:
                found[f"{where.topic}/{where.partition}"] = (self._positions[where], end)
        return found

    def end(self, where: TopicPartition) -> int:
        """Give the offset after the last committed record."""
        records = self.records.get(where)
        return records[-1].offset + 1 if records else 0

    def of(self, topic: str) -> dict[int, list[Any]]:
        """Give the records of a topic by partition."""
        return {where.partition: found for where, found in self.records.items() if where.topic == topic}

    def _inputs(self) -> list[TopicPartition]:
        return [
            TopicPartition(topic, number)
            for topic, count in self._topics.inputs.items()
            for number in range(count)
        ]

    async def _run(self) -> None:
        try:
            while not self._stop.is_set():
                with contextlib.suppress(*AWAY):
                    await self._follow()
                await asyncio.sleep(PAUSE)
        except BaseException as error:
            self._error = error
            raise

    async def _follow(self) -> None:
        """Follow until told to stop, or until brokers are away."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": self._live.kafka.bootstrap,
            "request_timeout_ms": 10_000,
        }
        reading: dict[str, Any] = arguments | {"enable_auto_commit": False, "auto_offset_reset": "earliest"}
        places = [
            TopicPartition(topic.name, number) for topic in self._topics for number in range(topic.partitions)
        ]
        async with contextlib.AsyncExitStack() as stack:
            consumer = AIOKafkaConsumer(**reading, isolation_level="read_committed", fetch_max_wait_ms=50)
            heads = AIOKafkaConsumer(**reading)
            groups = AIOKafkaAdminClient(**arguments)
            for client, stop in ((consumer, consumer.stop), (heads, heads.stop), (groups, groups.close)):
                stack.push_async_callback(_quietly, stop)
                await client.start()
            consumer.assign(places)
            for place in places:
                consumer.seek(place, self._read.get(place, 0))
            while not self._stop.is_set():
                await self._look(consumer, heads, groups, places)
                await asyncio.sleep(PAUSE)

    async def _look(self, consumer: Any, heads: Any, groups: Any, places: list[TopicPartition]) -> None:
        told = await groups.list_consumer_group_offsets(self._topics.group)
        ends = await heads.end_offsets(places)
        if len(ends) < len(places):
            return  # a partition has no leader
        before = {place: self._read.get(place, 0) for place in places}
        while any(self._read.get(place, 0) < ends[place] for place in places) and not self._stop.is_set():
            for place, records in (await consumer.getmany(timeout_ms=100, max_records=5000)).items():
                self._take(place, records)
            for place in places:
                self._read[place] = await consumer.position(place)
        self.committed = {place: meta.offset for place, meta in told.items()}
        for place, offset in self.committed.items():
            if offset > self._positions[place]:
                self.problems.append(
                    f"{place.topic}/{place.partition}: {offset} committed, position {self._positions[place]}"
                )
        for place in self._inputs():
            ahead = self._positions[place] > self.end(place)
            self._ahead[place] = self._ahead[place] + 1 if ahead else 0
            if self._ahead[place] > PATIENCE:
                where = f"{place.topic}/{place.partition}"
                self.problems.append(f"{where}: position {self._positions[place]}, end {self.end(place)}")
        quiet = all(self._read.get(place, 0) == before[place] for place in places)
        done = not self.behind() and all(
            self.committed.get(place) == self.end(place) for place in self._ended()
        )
        self.done_rounds = self.done_rounds + 1 if quiet and done else 0
        self.looks += 1

    def _ended(self) -> list[TopicPartition]:
        """The inputs of which something must have been committed."""
        return [place for place in self._inputs() if self.end(place)]

    def _take(self, place: TopicPartition, records: list[Any]) -> None:
        self._read[place] = records[-1].offset + 1
        topic = self._states.get(place.topic)
        if topic is None:
            self.records.setdefault(place, []).extend(records)
            return
        source = TopicPartition(topic, place.partition)
        for record in records:
            if record.key == POSITION:
                position = int(record.value)
                if position < self._positions[source]:
                    self.problems.append(
                        f"{topic}/{place.partition}: position {self._positions[source]}, then {position}"
                    )
                self._positions[source] = position


async def _quietly(stop: Callable[[], Awaitable[None]]) -> None:
    """Stop a client of brokers that may be away; aiokafka then lets its own cancellations out."""
    with contextlib.suppress(asyncio.CancelledError, *AWAY):
        await stop()
