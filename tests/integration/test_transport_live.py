"""The transport on a real broker."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.kafka import Kafka, admin
from streams.runtime.transport import seek_to_committed

pytestmark = pytest.mark.services

RECORDS = 5


@pytest.fixture
def topic(kafka: Kafka) -> str:
    name = f"t-{uuid4().hex[:10]}"
    with admin(bootstrap_servers=kafka.bootstrap) as client:
        client.create_topics({name: {"num_partitions": 2}}, wait_for_metadata=True)
    return name


def test_a_seek_goes_back_to_what_is_committed_or_to_the_begin(kafka: Kafka, topic: str) -> None:
    """aiokafka's own leaves a partition of which nothing is committed, or offset 0, where it is."""

    async def read(consumer: AIOKafkaConsumer) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {0: [], 1: []}
        while min([await consumer.position(place) for place in consumer.assignment()]) < RECORDS:
            for place, records in (await consumer.getmany(timeout_ms=500)).items():
                found[place.partition] += [record.offset for record in records]
        return found

    async def run() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=kafka.bootstrap,
            group_id=topic,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await producer.start()
        await consumer.start()
        try:
            for number in range(RECORDS):
                for partition in (0, 1):
                    await producer.send_and_wait(topic, b"%d" % number, partition=partition)
            everything = [*range(RECORDS)]
            assert await read(consumer) == {0: everything, 1: everything}

            assert await seek_to_committed(consumer) == {(topic, 0): None, (topic, 1): None}
            assert await read(consumer) == {0: everything, 1: everything}

            await consumer.commit({TopicPartition(topic, 0): 3, TopicPartition(topic, 1): 0})
            assert await seek_to_committed(consumer) == {(topic, 0): 3, (topic, 1): 0}
            assert await read(consumer) == {0: [3, 4], 1: everything}
        finally:
            await consumer.stop()
            await producer.stop()

    asyncio.run(run())
