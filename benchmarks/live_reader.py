"""Reads a topic to its end for `live.py`, and tells how fast: by a bare client, or by Faust as we use it.

`python benchmarks/live_reader.py bare|faust BOOTSTRAP TOPIC RECORDS CORE`; prints a JSON line. Both decode
each record with `orjson.loads` and see committed transactions only; what the first fetch brings is not timed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from typing import Any
from uuid import uuid4

import faust
import orjson
from aiokafka import AIOKafkaConsumer

from streams.runtime.transport import SCHEME, PassThrough, RecordBatch

BATCH = 2000
"""Records that are asked for at once, as `kafka.batch` says of the worker."""


class Clock:
    """Counts records, and times all but those that come first; told when all have come."""

    def __init__(self, records: int) -> None:
        self._left = records
        self._timed = 0
        self._begun: tuple[float, float] | None = None
        self.done = asyncio.Event()
        self.figures: dict[str, float] = {}

    def take(self, records: int) -> None:
        """Take note of records that have been decoded."""
        now = time.perf_counter(), time.process_time()
        self._left -= records
        if self._begun is None:
            self._begun = now
            return
        self._timed += records
        if self._left <= 0 and not self.done.is_set():
            wall, cpu = now[0] - self._begun[0], now[1] - self._begun[1]
            self.figures = {"records_s": self._timed / wall, "cpu_us": 1e6 * cpu / self._timed}
            self.done.set()


async def bare(bootstrap: str, topic: str, clock: Clock) -> None:
    """Read with aiokafka alone."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=f"bare-{uuid4()}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    loads = orjson.loads
    while not clock.done.is_set():
        fetched = await consumer.getmany(timeout_ms=1000, max_records=BATCH)
        for records in fetched.values():
            for record in records:
                loads(record.value)
        clock.take(sum(map(len, fetched.values())))
    await consumer.stop()


class App(faust.App):
    """Faust's application, with how clients connect."""

    client_arguments: dict[str, Any]


async def over_transport(bootstrap: str, topic: str, clock: Clock) -> None:
    """Read with an agent of Faust over our transport, which acknowledges and commits."""
    app = App(
        f"faust-{uuid4()}",
        broker=f"{SCHEME}://{bootstrap}",
        store="memory://",
        datadir=tempfile.gettempdir(),
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_buffer_maxsize=4,
        stream_wait_empty=False,
        broker_commit_interval=1.0,
        broker_max_poll_records=BATCH,
    )
    app.client_arguments = {"bootstrap_servers": bootstrap}
    channel = app.topic(topic, schema=PassThrough(), value_serializer="raw", key_serializer="raw")
    loads = orjson.loads

    async def agent(stream: Any) -> None:
        consumer: Any = app.consumer
        async for event in stream.noack().events():
            batch: RecordBatch = event.value
            consumer.delivered(batch)
            for record in batch.records:
                loads(record.value)
            consumer.acknowledge(batch)
            clock.take(len(batch.records))

    app.agent(channel, name="decode")(agent)
    await app.start()
    await clock.done.wait()
    await app.stop()


async def main() -> None:
    """Read, and print what was measured."""
    how, bootstrap, topic, records, core = sys.argv[1:]
    os.sched_setaffinity(0, {int(core)})
    clock = Clock(int(records))
    await {"bare": bare, "faust": over_transport}[how](bootstrap, topic, clock)
    sys.stdout.buffer.write(orjson.dumps(clock.figures) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
