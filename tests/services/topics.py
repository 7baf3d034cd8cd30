"""Topics of a test's own, and what lies in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka.admin import NewTopic

from services.kafka import Kafka, admin

Headers = Iterable[tuple[str, bytes]]


def make_topics(
    cluster: Kafka, partitions: Mapping[str, int], settings: Mapping[str, str] | None = None
) -> None:
    """Make topics of so many partitions each."""
    wanted = [NewTopic(name, count, 1, topic_configs=settings or {}) for name, count in partitions.items()]
    with admin(bootstrap_servers=cluster.inside) as client:
        client.create_topics(wanted, wait_for_metadata=True)


def records(cluster: Kafka, topic: str) -> list[Any]:
    """Give all committed records of a topic, partition by partition, as aiokafka has them."""

    async def run() -> list[Any]:
        found = []
        async with AIOKafkaConsumer(
            topic,
            bootstrap_servers=cluster.inside,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        ) as consumer:
            places = sorted(consumer.assignment())
            ends = await consumer.end_offsets(places)
            for place in places:
                while await consumer.position(place) < ends[place]:
                    found += (await consumer.getmany(place, timeout_ms=200)).get(place, [])
        return found

    return asyncio.run(asyncio.wait_for(run(), 60))


def write(cluster: Kafka, topic: str, values: Iterable[tuple[bytes, Headers]], partition: int = 0) -> None:
    """Append records with these values and headers to a partition."""

    async def run() -> None:
        async with AIOKafkaProducer(bootstrap_servers=cluster.inside, acks="all") as producer:
            for value, headers in values:
                await producer.send_and_wait(topic, value, partition=partition, headers=list(headers))

    asyncio.run(asyncio.wait_for(run(), 60))
