"""Where a partition begins and ends, and how far the workers' group has committed to have read it."""

from __future__ import annotations

from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.errors import OutfallError


class StateError(OutfallError):
    """The state of a task cannot be what its group has committed; to go on would lose what lies between."""


class Offsets(NamedTuple):
    """The first offset there is, the one after the last, and the next one to be read; None if not known."""

    begin: int
    end: int
    committed: int | None


async def read(client: dict[str, Any], group: str, topic: str, partition: int) -> Offsets:
    """Ask for the offsets of a partition.

    Raises:
        KafkaError: the brokers do not say.
    """
    where = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(**client, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([where])
        begin = await consumer.beginning_offsets([where])
        end = await consumer.end_offsets([where])
        return Offsets(begin[where], end[where], await consumer.committed(where))
    finally:
        await consumer.stop()
