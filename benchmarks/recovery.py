"""How long after `kill -9` of the only worker the next one goes on, by how many values it has to bring back.

One broker and one worker, as in `live.py`. A rule that counts different pages of each person is fed until the
state holds so many values; then, while records keep coming, the worker is killed and another started at once.
Times are from the kill until the first record is processed and committed: of any step, of the step that had
the values to bring back, and of each of its partitions. The yardstick is the same with next to no state: the
group waits for the session of the dead one to end, and nobody can be faster than that.
Usage: `python benchmarks/recovery.py [--json] [--quick] [--values N ...]`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import live_records
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from live import Row, show
from live_kafka import Cluster, cluster, fill
from live_records import PARTITIONS, Record
from live_worker import SESSION, Sample, Setup, Worker, setup, worker
from rich.console import Console
from rich.progress import Progress

from streams.runtime.topics import Topics
from streams.settings import load

SIZES = (1_000, 100_000, 1_000_000)
"""Values that the state holds; the first is the yardstick."""
TRICKLE = 100
"""Records a second that keep coming."""
PART = 50_000
"""Records that are made at a time."""
_PATIENCE = 900.0

RULES = """
title: A page
id: page
logsource: {category: proxy}
detection: {event: {url.path: '*'}, condition: event}
---
title: Many different pages
id: pages
correlation:
  type: value_count
  rules: [page]
  group-by: [outfall.actor.id]
  timespan: 1d
  condition: {field: url.path, gt: 1000000}
"""


class Recovery:
    """A worker with so many values, and what it takes to have another in its place."""

    def __init__(self, cluster: Cluster, folder: Path, values: int, say: Progress) -> None:
        self._cluster = cluster
        self._values = values
        self._say = say
        self._prefix = f"recovery-{uuid4().hex[:8]}"
        self._folder = folder / self._prefix

    def run(self) -> Row:
        """Fill the state, kill, and measure."""
        made = setup(self._folder, self._cluster, self._prefix, f"{self._prefix}.raw", rules=RULES)
        topic = f"{made.prefix}.raw.{live_records.JSON}"
        more = 60 * TRICKLE
        parts = max(1, self._values // PART)
        size = self._values // parts
        for part in range(parts):
            asyncio.run(fill(self._cluster.bootstrap, topic, _logs(size, part)))
        with worker(made, self._cluster, self._cluster.cores.worker) as running:
            running.until_ready()
            self._until_read(running, size * parts)
            rows = rows_of(running.sample())
            times = asyncio.run(self._replaced(made, topic, running, _logs(more, self._values // more + 1)))
        said = [json.loads(line) for line in self._restored(made)]
        return {
            "values": rows,
            "session_s": SESSION,
            **times,
            "restored_rows": sum(line["rows"] for line in said),
            "restored_s": round(sum(line["seconds"] for line in said), 2),
        }

    def _until_read(self, running: Worker, records: int) -> None:
        task = self._say.add_task(f"{records:,} values", total=records)
        end = time.monotonic() + _PATIENCE
        before = -1
        while (done := running.sample()).events < records or rows_of(done) > before:
            before = rows_of(done)
            self._say.update(task, completed=done.events)
            if time.monotonic() > end:
                raise RuntimeError(f"only {done.events:.0f} of {records} records were read")
            time.sleep(2)
        self._say.remove_task(task)

    async def _replaced(
        self, made: Setup, topic: str, running: Worker, logs: Sequence[Sequence[Record]]
    ) -> dict[str, float]:
        """Kill the worker while records come, start another, and time what it does first."""
        async with trickle(self._cluster, topic, logs), watched(self._cluster, made) as states:
            await asyncio.sleep(3)  # the first one takes what has begun to come
            running.process.kill()
            running.process.wait()
            await states.skip()
            begun = time.monotonic()
            with worker(made, self._cluster, self._cluster.cores.worker, 1):
                seen = await states.first(begun + _PATIENCE)
            counting = [at - begun for place, at in seen.items() if place.topic.endswith(".matches")]
            return {
                "first_s": round(min(seen.values()) - begun, 2),
                "first_counted_s": round(min(counting), 2),
                "all_counted_s": round(max(counting), 2),
            }

    def _restored(self, made: Setup) -> Iterator[str]:
        printed = made.folder / f"{made.prefix}.1.printed"
        for line in printed.read_text(encoding="utf-8").splitlines():
            if '"state restored"' in line and ".matches" in line:
                yield line


def _logs(size: int, part: int) -> list[list[Record]]:
    return live_records.partitions(live_records.JSON, size, origins=True, part=part)


def rows_of(sample: Sample) -> int:
    """Give how many values the counting step holds: each comes from an event of its own."""
    return int(
        sum(
            number
            for name, number in sample.counts.items()
            if name.startswith("outfall_state_rows") and 'table="evidence"' in name
        )
    )


@contextlib.asynccontextmanager
async def trickle(cluster: Cluster, topic: str, logs: Sequence[Sequence[Record]]) -> AsyncIterator[None]:
    """Send records, so many a second, until the block ends."""

    async def send() -> None:
        for pieces in zip(*logs, strict=False):
            for number, (value, headers) in enumerate(pieces):
                await producer.send(topic, value, partition=number, headers=headers)
            await asyncio.sleep(PARTITIONS / TRICKLE)

    async with contextlib.AsyncExitStack() as stack:
        producer = AIOKafkaProducer(bootstrap_servers=cluster.bootstrap)
        await producer.start()
        stack.push_async_callback(producer.stop)
        sending = asyncio.create_task(send())
        try:
            yield
        finally:
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending


class States:
    """Watches the state topics: a committed row says that a batch has been processed."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer

    async def skip(self) -> None:
        """Leave aside what has been committed until now."""
        while await self._consumer.getmany(timeout_ms=500):
            pass

    async def first(self, end: float) -> dict[TopicPartition, float]:
        """Wait for a row in each partition that counts; give when each partition got its first one."""
        seen: dict[TopicPartition, float] = {}
        while sum(place.topic.endswith(".matches") for place in seen) < PARTITIONS:
            if time.monotonic() > end:
                raise RuntimeError(f"only {sorted(seen)} have gone on")
            for place in await self._consumer.getmany(timeout_ms=100):
                seen.setdefault(place, time.monotonic())
        return seen


@contextlib.asynccontextmanager
async def watched(cluster: Cluster, made: Setup) -> AsyncIterator[States]:
    """Watch all state topics from their ends on."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=cluster.bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        topics = Topics(load(made.settings))
        consumer.assign(
            [
                TopicPartition(topics.state(topic), number)
                for topic, count in topics.inputs.items()
                for number in range(count)
            ]
        )
        await consumer.seek_to_end()
        yield States(consumer)
    finally:
        await consumer.stop()


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each row")
    parser.add_argument("--quick", action="store_true", help="as little as can be: whether it runs")
    parser.add_argument("--values", type=int, nargs="+", default=SIZES, help="the first is the yardstick")
    said = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tries again; what matters is raised
    rows: list[Row] = []
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, cluster() as found, Progress(console=console) as progress:
        for values in (400, 2_000) if said.quick else said.values:
            row = Recovery(found, Path(folder), values, progress).run()
            rows.append(
                row | {"ratio": round(row["first_counted_s"] / (rows or [row])[0]["first_counted_s"], 2)}
            )
            if said.json:
                sys.stdout.buffer.write(orjson.dumps(rows[-1]) + b"\n")
                sys.stdout.buffer.flush()
    if not said.json:
        show(rows)


if __name__ == "__main__":
    main()
