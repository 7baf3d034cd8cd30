"""Sends raw records to their topics, and says in each partition how far event time has come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer
from aiokafka.codec import lz4_encode
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner

from streams.event import RawRecord
from streams.kafka_settings import Kafka
from streams.runtime.found_topics import FoundTopic
from streams.runtime.headers import Headers, marked_header, origin_header, progress_header
from streams.runtime.kafka_client import client_arguments

PATIENCE = 120.0
"""Seconds without an acknowledgement after which Kafka counts as gone."""
BATCH = 1 << 16
_LINGER_MS = 20
_ENVELOPE = 256
"""More bytes than a batch adds to one record, its headers' and key's contents aside."""
_LARGEST_REQUEST = 1 << 30


class Sender:
    """A connection for sending; `topics` has that of each source. A record is safe after `flush`.

    The producer is idempotent: what it sends again after an error is neither doubled nor out of order.
    """

    def __init__(self, kafka: Kafka, topics: Mapping[str, FoundTopic]) -> None:
        self._topics = topics
        self._kafka = kafka
        self._producer: Any = None
        self._partitions: dict[tuple[str, bytes], int] = {}
        self._pending: list[asyncio.Future[Any]] = []

    async def __aenter__(self) -> Self:
        self._producer = make_producer(self._kafka, self._topics.values())
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(TimeoutError):  # where Kafka is away it would wait for ever
            await asyncio.wait_for(self._producer.stop(), PATIENCE if error is None else 5)

    def fits(self, record: RawRecord) -> bool:
        """Tell whether the record's topic takes one as large; ask before sending it."""
        return fits(record, self._topics[record.origin.source])

    async def send(self, record: RawRecord) -> None:
        """Send a record, under its stream as the key: a stream's records stay in one partition, in order.

        Raises:
            KafkaError: Kafka does not take it, or has not taken anything for long.
        """
        topic = self._topics[record.origin.source]
        key = record.origin.stream.encode()
        place = topic.name, key
        if place not in self._partitions:
            self._partitions[place] = partition_of(key, topic)
        headers = [origin_header(record.origin)]
        await self._send(topic.name, self._partitions[place], record.data, headers, key)

    async def mark(self, time: int) -> None:
        """Say in all partitions that event time has come so far, once all that was sent is acknowledged.

        Raises:
            KafkaError: as `send`.
        """
        await self.flush()
        headers = [progress_header(time), marked_header(self._topics)]
        for topic in self._topics.values():
            for partition in range(topic.partitions):
                await self._send(topic.name, partition, b"", headers)

    async def flush(self) -> None:
        """Wait until all that was sent is acknowledged.

        Raises:
            KafkaError: something is not, or has not been for long.
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        try:
            await asyncio.wait_for(asyncio.gather(*pending), PATIENCE)
        except TimeoutError:
            raise KafkaTimeoutError(f"nothing was acknowledged for {PATIENCE:.0f} seconds") from None

    async def _send(
        self, topic: str, partition: int, value: bytes, headers: Headers, key: bytes | None = None
    ) -> None:
        sent = await self._producer.send(topic, value, key, partition, headers=headers)
        self._pending.append(sent)


def make_producer(kafka: Kafka, topics: Iterable[FoundTopic], **more: Any) -> Any:
    """Make an idempotent producer for raw records; it is to be started in the event loop.

    Raises:
        ConfigError: a file of the security settings cannot be used.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it retries; what matters is raised
    return AIOKafkaProducer(
        **client_arguments(kafka),
        acks="all",
        enable_idempotence=True,
        compression_type="lz4",
        linger_ms=_LINGER_MS,
        max_batch_size=min([BATCH, *(topic.largest for topic in topics)]),
        max_request_size=_LARGEST_REQUEST,  # the topic's limit counts, after compression: see `fits`
        request_timeout_ms=int(PATIENCE * 1000),
        **more,
    )


def partition_of(key: bytes, topic: FoundTopic) -> int:
    """Give the partition of a key, as every Kafka client does."""
    everything = list(range(topic.partitions))
    return int(DefaultPartitioner()(key, everything, everything))


def fits(record: RawRecord, topic: FoundTopic) -> bool:
    """Tell whether a topic takes a record as large, by itself in a batch and compressed.

    An idempotent producer that is refused a record can send no further one, so this must be asked before.
    """
    plain = _ENVELOPE + len(record.origin.stream)
    if plain + len(record.data) <= topic.largest:
        return True
    return plain + len(lz4_encode(record.data)) <= topic.largest
