"""How far the workers are behind: what was committed, and what there is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as Place
from aiokafka.errors import TopicAuthorizationFailedError
from kafka import KafkaAdminClient, TopicPartition

from streams.errors import ConfigError
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import PATIENCE, administration, patiently
from streams.runtime.reading import reading, wait_for
from streams.runtime.topic_admin import find
from streams.runtime.topic_content import ends
from streams.runtime.topics import Topics
from streams.settings import Settings

_FETCH = 64 * 1024
"""Bytes asked for, of a partition; a larger batch comes whole."""

_WAIT = 5
"""Seconds for the next records of one topic; after that, their times are unknown."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition of a topic that the workers read.

    `committed` is None where no worker has committed yet: they begin at `begin`. `next_time` is when the
    next record that is not committed was written (milliseconds since the epoch), None where there is none
    or this user may not read it. Offsets count the marks that end transactions, which are no records.
    """

    topic: str
    partition: int
    begin: int
    end: int
    committed: int | None
    next_time: int | None = None

    @property
    def position(self) -> int:
        """Where a worker would go on."""
        return max(self.begin, self.begin if self.committed is None else self.committed)

    @property
    def lag(self) -> int:
        """How much a worker has still to read."""
        return max(0, self.end - self.position)

    @property
    def expired(self) -> int:
        """How much was deleted, since it was too old, before a worker had read it."""
        return 0 if self.committed is None else max(0, self.begin - self.committed)


def measure(settings: Settings) -> list[PartitionLag]:
    """Measure every partition of every topic that workers read, in the order of the way.

    Raises:
        ConfigError: a topic is missing, or the brokers cannot be asked.
    """
    topics = Topics(settings)
    with administration(settings.kafka) as admin:
        found = find(admin, topics.inputs)
        missing = [name for name in topics.inputs if name not in found]
        if missing:
            raise ConfigError(
                [f"topic {name}: there is none; `outfall topics create` makes it" for name in missing]
            )
        places = [
            TopicPartition(name, number) for name in topics.inputs for number in range(found[name].partitions)
        ]
        lags = _offsets(admin, topics.group, places)
    reader = _next_times(settings.kafka, [one for one in lags if one.lag])
    times = wait_for("the lag cannot be measured", reader, PATIENCE + _WAIT * len(topics.inputs))
    return [replace(one, next_time=times.get((one.topic, one.partition))) for one in lags]


def _offsets(admin: KafkaAdminClient, group: str, places: list[TopicPartition]) -> list[PartitionLag]:
    """Ask for what is committed first, so that the end is not before it."""
    committed = patiently(lambda: admin.list_group_offsets({group: places}))[group]
    return [
        PartitionLag(
            place.topic,
            place.partition,
            *limits,
            committed[place].offset if committed[place].offset >= 0 else None,
        )
        for place, limits in ends(admin, places).items()
    ]


async def _next_times(kafka: Kafka, behind: Iterable[PartitionLag]) -> dict[tuple[str, int], int]:
    """Read one record of each partition for its time alone."""
    topics: dict[str, dict[Place, PartitionLag]] = {}
    for one in behind:
        topics.setdefault(one.topic, {})[Place(one.topic, one.partition)] = one
    times: dict[tuple[str, int], int] = {}
    if topics:
        async with reading(kafka, max_partition_fetch_bytes=_FETCH) as consumer:
            for places in topics.values():
                with contextlib.suppress(TopicAuthorizationFailedError):  # then the time stays unknown
                    times |= await _times(consumer, places)
    return times


async def _times(consumer: AIOKafkaConsumer, places: dict[Place, PartitionLag]) -> dict[tuple[str, int], int]:
    consumer.assign([*places])
    for place, one in places.items():
        consumer.seek(place, one.position)
    times: dict[tuple[str, int], int] = {}
    waiting = set(places)
    end = time.monotonic() + _WAIT
    while waiting and time.monotonic() < end:
        for place, records in (await consumer.getmany(*waiting, timeout_ms=500)).items():
            times.setdefault(place, records[0].timestamp)
        for place in [*waiting]:
            # Of a partition that holds nothing but marks any more, no record comes.
            if place in times or await consumer.position(place) >= places[place].end:
                waiting.remove(place)
                consumer.pause(place)
    return times
