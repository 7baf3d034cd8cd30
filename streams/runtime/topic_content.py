"""How much there is in topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec

from streams.runtime.kafka_client import patiently


@dataclass(frozen=True, slots=True)
class Content:
    """Begin and end of each partition, and the bytes of all copies; None where this user may not see that."""

    offsets: tuple[tuple[int, int], ...]
    size: int | None

    @property
    def records(self) -> int:
        """The most records that there can be: marks of transactions and what compaction removed count too."""
        return sum(end - begin for begin, end in self.offsets)


def contents(admin: KafkaAdminClient, partitions: Mapping[str, int]) -> dict[str, Content]:
    """Give what is in topics, of which the partitions are counted."""
    places = [TopicPartition(name, number) for name, count in partitions.items() for number in range(count)]
    offsets = ends(admin, places)
    sizes: Counter[str] = Counter()
    for broker in patiently(lambda: admin.describe_log_dirs(list(partitions))) if partitions else ():
        for folder in broker["log_dirs"]:
            for topic in folder["topics"]:
                sizes[topic["name"]] += sum(partition["partition_size"] for partition in topic["partitions"])
    return {
        name: Content(
            tuple(offsets[TopicPartition(name, number)] for number in range(count)),
            sizes.get(name),
        )
        for name, count in partitions.items()
    }


def ends(admin: KafkaAdminClient, places: list[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Give where each partition begins and ends."""
    if not places:
        return {}
    begin = patiently(lambda: admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST)))
    end = patiently(lambda: admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST)))
    return {place: (begin[place].offset, end[place].offset) for place in places}
