"""How far the workers are behind: what was committed, and what there is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

import aiokafka
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from kafka import KafkaAdminClient, TopicPartition

from streams.errors import ConfigError
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import administration, client_arguments, patiently
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
    try:
        times = asyncio.run(_next_times(settings.kafka, [one for one in lags if one.lag]))
    except KafkaError as error:
        raise ConfigError([f"the times of the next records cannot be read: {error}"]) from None
    return [replace(one, next_time=times.get(TopicPartition(one.topic, one.partition))) for one in lags]


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


async def _next_times(kafka: Kafka, behind: Iterable[PartitionLag]) -> dict[TopicPartition, int]:
    """Read one record of each partition, outside of the group, for its time alone.

    With aiokafka, which has what any producer may compress with; kafka-python would need a package for each.
    """
    wanted: dict[str, dict[aiokafka.TopicPartition, PartitionLag]] = {}
    for one in behind:
        wanted.setdefault(one.topic, {})[aiokafka.TopicPartition(one.topic, one.partition)] = one
    if not wanted:
        return {}
    times: dict[TopicPartition, int] = {}
    consumer = aiokafka.AIOKafkaConsumer(
        **client_arguments(kafka), enable_auto_commit=False, max_partition_fetch_bytes=_FETCH
    )
    await consumer.start()
    try:
        for places in wanted.values():
            try:
                found = await _times(consumer, places)
            except TopicAuthorizationFailedError:  # then how long ago is unknown, and nothing else is
                continue
            times |= {TopicPartition(place.topic, place.partition): time for place, time in found.items()}
    finally:
        await consumer.stop()
    return times


async def _times(
    consumer: aiokafka.AIOKafkaConsumer, places: dict[aiokafka.TopicPartition, PartitionLag]
) -> dict[aiokafka.TopicPartition, int]:
    consumer.assign(list(places))
    for place, one in places.items():
        consumer.seek(place, one.position)
    times: dict[aiokafka.TopicPartition, int] = {}
    end = time.monotonic() + _WAIT
    waiting = set(places)
    while waiting and time.monotonic() < end:
        for place, records in (await consumer.getmany(*waiting, timeout_ms=500)).items():
            times.setdefault(place, records[0].timestamp)
        # Of a partition that holds nothing but marks any more, no record comes.
        waiting -= {
            place
            for place in waiting
            if place in times or await consumer.position(place) >= places[place].end
        }
    return times
