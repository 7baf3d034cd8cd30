"""Dead letters of the workers, deleted: Kafka deletes from the beginning of a partition and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from kafka import TopicPartition

from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import administration
from streams.runtime.letter_topic import LetterTopic
from streams.runtime.letters import Picker, Wanted


class Purge(NamedTuple):
    """What can be deleted: before which offset in each partition, and how many letters that are meant.

    `left` counts those that are meant but come after an open letter that is not; the first such one is
    `blocked_by`. `replayed` counts those that go too, since they were replayed and come before.
    """

    offsets: dict[int, int]
    letters: int = 0
    left: int = 0
    replayed: int = 0
    blocked_by: str = ""


async def plan_purge(
    kafka: Kafka,
    topic: str,
    wanted: Wanted,
    *,
    begin: Callable[[int], object],
    advance: Callable[[int], object],
) -> Purge:
    """Find out what can be deleted. Of letters that were replayed only an id means one; none is in the way.

    Raises:
        KafkaError: the topic cannot be read.
        OutfallError: ids are given that are not there.
    """
    stops: dict[int, int] = {}
    count = left = swept = 0
    blocked_by = ""
    picker = Picker(wanted)
    async with LetterTopic(kafka, topic, advance) as letters:
        begin(letters.length)
        async for entry in letters.entries(replayed=True):
            partition, offset = map(int, entry.id.split("/"))
            reached = partition not in stops
            if (not entry.replayed or entry.id in wanted.ids) and picker.takes(entry):
                count += reached
                left += not reached
            elif entry.replayed:
                swept += reached
            elif reached:
                stops[partition] = offset
                blocked_by = blocked_by or entry.id
        picker.finish()
        offsets = letters.ends | stops
    return Purge(offsets, count, left, swept, blocked_by if left else "")


def purge_records(kafka: Kafka, topic: str, purge: Purge) -> None:
    """Delete what the plan says.

    Raises:
        ConfigError: no broker answers, or Kafka refuses.
    """
    with administration(kafka) as client:
        client.delete_records({TopicPartition(topic, each): to for each, to in purge.offsets.items()})
