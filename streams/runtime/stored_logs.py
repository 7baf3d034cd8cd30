"""Stored records of a source: a log's file, or a partition of a topic, read once from beginning to end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import ConfigError, RecordError
from streams.event import Origin, RawRecord
from streams.kafka_settings import Kafka
from streams.runtime.inputs import raw_record
from streams.runtime.kafka_client import PATIENCE, client_arguments, said
from streams.runtime.reading import reading, wait_for
from streams.runtime.stored import stored_records
from streams.source_settings import KafkaSource
from streams.stages.reader import Prepared

_PATIENCE = 60
"""Seconds without a record, although there are some, after which a partition cannot be read."""
Read = tuple[int, RawRecord | Prepared]
"""How much of a log has been read with a record, and the record; `Prepared` where it cannot be one."""


class Log(Protocol):
    """What a backtest reads of a source: a file or a partition. Another process may open it."""

    @property
    def source(self) -> str:
        """The source's name, as configured."""
        ...

    @property
    def size(self) -> int:
        """How much there is to read: bytes, or records."""
        ...

    def read(self, received: int, taken: set[str]) -> Iterator[Read]:
        """Give the records. `received` stands for when those of files came; `taken`: see `stored_records`.

        Raises:
            ConfigError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileLog:
    """A file, a record a line."""

    source: str
    path: Path

    @property
    def size(self) -> int:
        """In bytes."""
        return self.path.stat().st_size if self.path.exists() else 0

    def read(self, received: int, taken: set[str]) -> Iterator[Read]:
        """See `Log`."""
        try:
            with self.path.open("rb") as file:
                for record in stored_records(self.source, file, received, taken):
                    yield record.origin.offset + len(record.data) + 1, record
        except OSError as error:
            raise ConfigError([f"source {self.source}: {self.path}: {error.strerror}"]) from None


@dataclass(frozen=True, slots=True)
class TopicLog:
    """The records of a partition from one offset to before another."""

    source: str
    topic: str
    partition: int
    begin: int
    end: int
    kafka: Kafka

    @property
    def size(self) -> int:
        """In records."""
        return self.end - self.begin

    def read(self, received: int, taken: set[str]) -> Iterator[Read]:  # noqa: ARG002 - Kafka knows both
        """See `Log`. Marks of time that `outfall produce` sends are no records."""
        for record in self._records():
            one = record_of(record, self.source)
            if one is not None:
                yield record.offset + 1 - self.begin, one

    def _records(self) -> Iterator[Any]:
        """Read on whenever asked to; in between, nothing runs."""
        where = TopicPartition(self.topic, self.partition)
        loop = asyncio.new_event_loop()
        try:
            consumer = loop.run_until_complete(_consumer(self.kafka, where, self.begin))
            try:
                waited = 0
                while (reached := loop.run_until_complete(consumer.position(where))) < self.end:
                    fetched = loop.run_until_complete(consumer.getmany(where, timeout_ms=1000))
                    yield from (one for one in fetched.get(where, ()) if one.offset < self.end)
                    moved = loop.run_until_complete(consumer.position(where)) > reached
                    waited = 0 if moved else waited + 1
                    if waited > _PATIENCE:  # aiokafka itself waits for ever for a broker that is gone
                        raise ConfigError(
                            [f"{self.topic}/{self.partition}: nothing comes at offset {reached}"]
                        )
            finally:
                loop.run_until_complete(consumer.stop())
        except KafkaError as error:
            raise ConfigError([f"{self.topic}/{self.partition}: cannot be read: {said(error)}"]) from None
        finally:
            loop.close()


def record_of(record: Any, source: str) -> RawRecord | Prepared | None:
    """Make of what lies in a raw topic a record, or one that is rejected; None of a mark of time."""
    stream = f"{record.topic}/{record.partition}"
    try:
        one = raw_record(record, source, stream)
    except RecordError as error:  # of which a worker makes a dead letter
        origin = Origin(source, stream, record.offset, record.offset)
        return Prepared(RawRecord(record.value or b"", origin), rejected=str(error))
    return one if isinstance(one, RawRecord) else None


async def _consumer(kafka: Kafka, where: TopicPartition, begin: int) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(
        **client_arguments(kafka),
        enable_auto_commit=False,
        auto_offset_reset="earliest",  # what retention has deleted meanwhile
        isolation_level="read_committed",
    )
    await consumer.start()
    consumer.assign([where])
    consumer.seek(where, begin)
    return consumer


def topic_logs(
    kafka: Kafka, sources: Sequence[KafkaSource], since: int | None, until: int | None
) -> list[TopicLog]:
    """Give what the topics of sources hold now: records that came at `since` or later, before `until`.

    Both are nanoseconds since the epoch, by the timestamps of the records in Kafka.

    Raises:
        ConfigError: the brokers do not say.
    """
    return wait_for("the topics' offsets", _offsets(kafka, sources, since, until), PATIENCE)


async def _offsets(
    kafka: Kafka, sources: Sequence[KafkaSource], since: int | None, until: int | None
) -> list[TopicLog]:
    owners = {
        TopicPartition(source.topic, number): source.name
        for source in sources
        for number in range(source.partitions)
    }
    async with reading(kafka) as consumer:
        begins = await consumer.beginning_offsets([*owners])
        ends = await consumer.end_offsets([*owners])
        for time, offsets in ((since, begins), (until, ends)):
            if time is None:
                continue
            found = await consumer.offsets_for_times(dict.fromkeys(owners, time // 1_000_000))
            for where, at in found.items():
                offsets[where] = ends[where] if at is None else at.offset
    return [
        TopicLog(name, where.topic, where.partition, begins[where], ends[where], kafka)
        for where, name in owners.items()
        if begins[where] < ends[where]
    ]
