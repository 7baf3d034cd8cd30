"""A broker, topics and processor time for `live.py`: one broker, on a core of its own where there are two."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from live_records import Record

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from services.kafka import admin, kafka
from services.shared import GIVEN

_TICKS = os.sysconf("SC_CLK_TCK")
_BATCH = 1 << 16
"""As `outfall produce` and most collectors send."""


class Cores(NamedTuple):
    """Which cores the broker, with all that loads it, and a worker may run on; with one core, the same."""

    broker: int
    worker: int

    @classmethod
    def choose(cls) -> Cores:
        """Take the first core for the broker, and the last for the worker."""
        cores = sorted(os.sched_getaffinity(0))
        return cls(cores[0], cores[-1])


@dataclass(frozen=True)
class Cluster:
    """A running broker; `pids` is empty for one that was given, whose processor time is not ours to read."""

    bootstrap: str
    pids: Sequence[int]
    cores: Cores

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic."""
        with admin(bootstrap_servers=self.bootstrap) as client:
            client.create_topics({topic: {"num_partitions": partitions}}, wait_for_metadata=True)

    def seconds(self) -> float:
        """Give the processor time that the broker has taken."""
        return sum(map(seconds_of, self.pids))


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Start a broker, or take the one of which the environment tells; we move to its core."""
    cores = Cores.choose()
    with contextlib.ExitStack() as ending:
        given = os.environ.get(GIVEN)
        found = None if given else ending.enter_context(kafka())
        pids = [broker.pid for broker in found.brokers] if found else []
        everything = os.sched_getaffinity(0)
        ending.callback(os.sched_setaffinity, 0, everything)
        for pid in (0, *pids):
            pin(pid, cores.broker)
        yield Cluster(found.bootstrap if found else str(given), pids, cores)


def pin(pid: int, core: int) -> None:
    """Let a process, with all its threads, run on one core only."""
    threads = [int(folder.name) for folder in Path(f"/proc/{pid}/task").iterdir()] if pid else [0]
    for thread in threads:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(thread, {core})


def seconds_of(pid: int) -> float:
    """Give the processor time that a process has taken, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def fill(bootstrap: str, topic: str, partitions: Sequence[Iterable[Record]]) -> None:
    """Write records into the partitions of a topic, in batches as collectors send them."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type="lz4", max_batch_size=_BATCH)
    await producer.start()
    try:
        await asyncio.gather(
            *(_fill(producer, topic, number, records) for number, records in enumerate(partitions))
        )
    finally:
        await producer.stop()


async def _fill(producer: Any, topic: str, partition: int, records: Iterable[Record]) -> None:
    batch = producer.create_batch()
    for value, headers in records:
        if batch.append(key=None, value=value, timestamp=None, headers=headers) is None:
            await (await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=None, value=value, timestamp=None, headers=headers)
    await (await producer.send_batch(batch, topic, partition=partition))
