"""A worker's memory while groups come and expire and what it writes is slowly taken; `make soak` runs it.

`MINUTES` in the environment says how long; by default as long as we promise.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from services.kafka import kafka as own_kafka
from services.kafka_broker import Broker
from services.live_worker import LiveFolder, Worker

pytestmark = pytest.mark.services

MINUTES = float(os.environ.get("MINUTES", "30"))
GROUPS = 50_000
"""New groups a minute."""
FASTER = 120
"""Event time passes so much faster: a group expires an hour (the source's lateness) and a minute later."""
FROZEN = 0.4
"""Seconds of each second in which the broker does nothing."""
ROOM = 1.1
"""By so much of the second third may memory be larger in the last one."""
MIB = 1 << 20

RULES = """
title: An export
name: export
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f01
logsource: {category: file, product: outfall}
detection: {event: {event.action: export}, condition: event}
---
title: Many exports
name: many_exports
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f02
level: high
correlation:
  type: event_count
  rules: [export]
  group-by: [user.name]
  timespan: 1m
  condition: {gte: 2}
"""


class Load(threading.Thread):
    """Sends an event of a new group as often as promised, whatever becomes of them."""

    def __init__(self, live: LiveFolder) -> None:
        super().__init__()
        self.sent = 0
        self._live = live
        self._stopped = threading.Event()

    def run(self) -> None:
        """Send until told to stop."""
        asyncio.run(self._send())

    def stop(self) -> None:
        """Send no more."""
        self._stopped.set()
        self.join()

    async def _send(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._live.bootstrap, linger_ms=50)
        await producer.start()
        begun, first = time.monotonic(), dt.datetime.now(dt.UTC) - dt.timedelta(days=4)
        try:
            while not self._stopped.is_set():
                passed = time.monotonic() - begun
                while self.sent < passed * GROUPS / 60:
                    when = first + dt.timedelta(seconds=FASTER * self.sent * 60 / GROUPS)
                    topic = f"{self._live.prefix}.raw"
                    await producer.send(topic, event(self.sent, when), partition=self.sent % 2)
                    self.sent += 1
                await asyncio.sleep(0.05)
        finally:
            await producer.stop()


class Slow(threading.Thread):
    """Freezes a broker for a part of each second."""

    def __init__(self, broker: Broker) -> None:
        super().__init__()
        self._broker = broker
        self._stopped = threading.Event()

    def run(self) -> None:
        """Freeze and let go until told to stop."""
        while not self._stopped.wait(1 - FROZEN):
            self._broker.pause()
            time.sleep(FROZEN)
            self._broker.resume()

    def stop(self) -> None:
        """Freeze it no more."""
        self._stopped.set()
        self.join()


def event(number: int, when: dt.datetime) -> bytes:
    return orjson.dumps(
        {
            "@timestamp": when.isoformat(),
            "event": {"id": f"e-{number}", "action": "export"},
            "user": {"name": f"user-{number}"},
            "outfall": {"channel": "file"},
        }
    )


def memory(worker: Worker) -> int:
    """Give the bytes of memory that a worker has."""
    pages = int(Path(f"/proc/{worker.process.pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def total(worker: Worker, metric: str, label: str) -> int:
    """Give the sum of the series of a metric that bear a label."""
    lines = [line.rpartition(" ") for line in worker.page("/metrics")[1].splitlines()]
    return int(sum(float(value) for name, _, value in lines if name.startswith(metric) and label in name))


def samples(worker: Worker) -> Iterator[tuple[int, int]]:
    """Give memory and groups as time goes by."""
    end = time.monotonic() + 60 * MINUTES
    while time.monotonic() < end:
        time.sleep(2)
        assert worker.process.poll() is None, worker.printed.read_text()[-3000:]
        yield memory(worker), total(worker, "outfall_state_rows", 'table="tracks"')
        sys.stdout.write(f"\r{(end - time.monotonic()) / 60:5.1f} minutes left ")
        sys.stdout.flush()


def test_memory_stays_flat(tmp_path: Path) -> None:
    with own_kafka() as cluster:
        live = LiveFolder(tmp_path, cluster.bootstrap)
        live.rules(RULES)
        made = live.outfall("topics", "create")
        assert made.returncode == 0, made.stderr
        load, slow = Load(live), Slow(cluster.brokers[0])
        with live.worker() as worker:
            worker.wait_ready()
            load.start()
            slow.start()
            try:
                found = [*samples(worker)]
            finally:
                slow.stop()
                load.stop()
            read = total(worker, "outfall_records_total", 'outcome="event"')
    third = len(found) // 3
    middle, last = found[third : 2 * third], found[2 * third :]
    figures = {
        "minutes": MINUTES,
        "groups_sent": load.sent,
        "events_read": read,
        "groups_held": [round(median(count for _, count in part)) for part in (middle, last)],
        "mib_median": [round(median(size for size, _ in part) / MIB) for part in (middle, last)],
        "mib_most": [round(max(size for size, _ in part) / MIB) for part in (middle, last)],
    }
    sys.stdout.write("\n" + orjson.dumps(figures).decode() + "\n")
    assert read > 0.9 * load.sent, "it kept up"
    assert max(size for size, _ in last) <= ROOM * max(size for size, _ in middle)
    assert max(count for _, count in last) <= ROOM * max(count for _, count in middle)
