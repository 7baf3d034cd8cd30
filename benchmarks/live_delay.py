"""From the append of a raw record until the alert that it raises, at a steady load, for `live.py`.

A record's time is when the broker appended it (`LogAppendTime`), so what a collector waits does not count. An
alert's is when the broker appended its first revision; `seen` adds the commit of its transaction and the way
to a consumer that waits for it, by the clock of the same machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from live_kafka import Cluster
from live_records import Record

_TICK = 0.01
"""Seconds between two batches of each partition."""
_QUIET = 3.0
"""Seconds without an alert after which no more are waited for."""


@dataclass(frozen=True)
class Stream:
    """A partition of a raw topic, and the records that it is to get."""

    topic: str
    partition: int
    records: Iterator[Record]


@dataclass(frozen=True)
class Delays:
    """Seconds until each alert was appended, and until it was seen, sorted; what was sent, and how fast."""

    appended: Sequence[float]
    seen: Sequence[float]
    records: int
    records_s: float

    def milliseconds(self) -> dict[str, int | None]:
        """Give the middle one and the hundredth worst of both."""
        return {
            f"{name}_{label}_ms": round(1000 * values[int(share * len(values))]) if values else None
            for name, values in (("append", self.appended), ("seen", self.seen))
            for label, share in (("p50", 0.5), ("p99", 0.99))
        }


async def measure(
    cluster: Cluster, alerts: str, streams: Sequence[Stream], rate: float, seconds: float, warm: float
) -> Delays:
    """Send records for `warm` seconds and then for `seconds`; of the latter alerts are measured."""
    consumer = AIOKafkaConsumer(
        alerts,
        bootstrap_servers=cluster.bootstrap,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    await consumer.seek_to_end()
    found: list[tuple[float, Any]] = []
    watching = asyncio.create_task(_watch(consumer, found))
    try:
        appended, sent, passed = await produce(cluster, streams, rate, seconds, warm)
        waited, count = time.monotonic(), len(found)
        while time.monotonic() < waited + _QUIET:
            await asyncio.sleep(0.1)
            if len(found) > count:
                waited, count = time.monotonic(), len(found)
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        await consumer.stop()
    times = [times for at, record in found if (times := _delays(at, record, appended)) is not None]
    return Delays(sorted(one for one, _ in times), sorted(two for _, two in times), sent, sent / passed)


async def _watch(consumer: AIOKafkaConsumer, found: list[tuple[float, Any]]) -> None:
    while True:
        fetched = await consumer.getmany(timeout_ms=1000)
        at = time.time()
        found += [(at, record) for records in fetched.values() for record in records]


Appended = dict[TopicPartition, list[tuple[int, int, float]]]
"""Of each partition the offsets of each batch, from and to, and when it was appended, in seconds."""


async def produce(
    cluster: Cluster, streams: Sequence[Stream], rate: float, seconds: float, warm: float
) -> tuple[Appended, int, float]:
    """Send records; give when each batch was appended, how many were sent after `warm`, and in which time."""
    producer = AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap, compression_type="lz4", max_batch_size=1 << 20
    )
    await producer.start()
    appended: Appended = {}
    pending: list[tuple[int, asyncio.Future[Any]]] = []
    sent = counted = 0
    begun = time.perf_counter()
    counting: float | None = None
    try:
        while (passed := time.perf_counter() - begun) < warm + seconds:
            due = int(passed * rate / len(streams)) - sent
            if counting is None and passed >= warm:
                counting = passed
            for stream in streams if due else ():
                batch = producer.create_batch()
                for value, headers in (next(stream.records) for _ in range(due)):
                    batch.append(key=None, value=value, timestamp=None, headers=headers)
                future = await producer.send_batch(batch, stream.topic, partition=stream.partition)
                if counting is not None:
                    pending.append((due, future))
                    counted += due
            sent += due
            await asyncio.sleep(max(0.0, _TICK - (time.perf_counter() - begun - passed)))
        for count, future in pending:
            written = await future
            batches = appended.setdefault(written.topic_partition, [])
            batches.append((written.offset, written.offset + count, written.timestamp / 1000))
    finally:
        await producer.stop()
    return appended, counted, passed - (counting or 0.0)


def _delays(seen: float, record: Any, appended: Appended) -> tuple[float, float] | None:
    """Give what passed until an alert was appended and seen; None if its record is not measured."""
    alert = orjson.loads(record.value)
    if alert["revision"] > 1:
        return None
    at = appended_at(alert["evidence"][0], appended)
    return None if at is None else (record.timestamp / 1000 - at, seen - at)


def appended_at(evidence: dict[str, Any], appended: Appended) -> float | None:
    """Give when the record of an item of evidence was appended, in seconds; None if it is not measured."""
    topic, _, partition = evidence["stream"].rpartition("/")
    for first, end, at in appended.get(TopicPartition(topic, int(partition)), ()):
        if first <= evidence["offset"] < end:
            return at
    return None
