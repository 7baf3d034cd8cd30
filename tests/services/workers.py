"""Workers over a council's day: processes under a supervisor, which may be killed and stopped at will."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from uuid import uuid4

from services.council import Council
from services.kafka import Kafka
from services.process import wait_for
from streams.runtime.topics import Topics
from streams.settings import Settings, load
from streams.simulate.sources import SOURCES

OUTFALL = Path(sys.executable).with_name("outfall")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("OUTFALL_")}
FAILED = 4
"""The status of a worker that ended itself, and wants to be started again."""

SETTINGS = """
rules = ["rules"]
enrich = "config"
{more}
[worker]
listen = ""
log = "json"
[kafka]
bootstrap = {bootstrap}
prefix = "{prefix}"
partitions = {partitions}
replication = {replication}
batch = {batch}
session_timeout = "{session}"
"""
SOURCE = """
[[sources]]
name = "{name}"
kind = "kafka"
topic = "{prefix}.raw.{name}"
partitions = {partitions}
format = "{format}"
lateness = "1h"
"""


@dataclass(frozen=True)
class Live:
    """A council's day with settings for workers, and topics of its own."""

    council: Council
    kafka: Kafka
    session: str = "3s"
    batch: int = 200
    partitions: int = 3
    more: str = ""
    prefix: str = field(default_factory=lambda: f"t-{uuid4().hex[:10]}")

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.council.folder / f"{self.prefix}.toml"

    @property
    def settings(self) -> Settings:
        """The settings, read."""
        return load(self.config)

    @property
    def topics(self) -> Topics:
        """The topics that they lead to."""
        return Topics(self.settings)

    @property
    def _copies(self) -> int:
        return max(1, len(self.kafka.brokers))

    def written(self) -> Self:
        """Write the settings."""
        text = SETTINGS.format(
            bootstrap=json.dumps(self.kafka.bootstrap.split(",")),
            prefix=self.prefix,
            partitions=self.partitions,
            replication=self._copies,
            batch=self.batch,
            session=self.session,
            more=self.more,
        )
        for name, source in SOURCES.items():
            text += SOURCE.format(name=name, prefix=self.prefix, partitions=2, format=source.format)
        self.config.write_text(text, encoding="utf-8")
        return self

    def make(self) -> Self:
        """Write the settings and make the topics."""
        self.written()
        command = [OUTFALL, "topics", "create", "--config", self.config]
        done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return self

    @contextlib.contextmanager
    def produced(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """Send the day in the background with `outfall produce`; when the block ends all has been sent."""
        command = [OUTFALL, "produce", *self.council.arguments, *options]
        environment = ENVIRONMENT | {"OUTFALL_CONFIG": str(self.config)}
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.council.folder,
        )
        try:
            yield process
            _, said = process.communicate(timeout=1200)
            assert process.returncode == 0, said.decode()
        finally:
            process.kill()
            process.wait(10)

    def let_pass(self, duration: str) -> None:
        """Let event time go on, once all records have been processed, behind an event that says nothing.

        Not before: a partition that is a day of event time behind another one counts as silent, and what it
        still holds as late (docs/worker.md).
        """
        last = self.council.folder / "last.jsonl"
        last.write_text(
            '{"@timestamp": "2026-03-03T00:00:00Z", "event": {"id": "the end"}}\n', encoding="utf-8"
        )
        command = [OUTFALL, "produce", f"gateway={last}", "--let-pass", duration]
        environment = ENVIRONMENT | {"OUTFALL_CONFIG": str(self.config)}
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)


@dataclass
class _Slot:
    """A place in which one worker after another runs."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    started: int = 0
    wanted: bool = True


class Workers:
    """So many workers; each that ended itself or was killed is started again."""

    def __init__(self, live: Live, count: int) -> None:
        self.live = live
        self.statuses: Counter[int] = Counter()
        self.killed = 0
        self.unexpected: list[str] = []
        self._slots = [_Slot(number) for number in range(count)]
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise)

    def __enter__(self) -> Self:
        self.start()
        self._supervisor.start()
        return self

    def start(self) -> None:
        """Start all, also again after `end`."""
        with self._lock:
            for slot in self._slots:
                slot.wanted = True
                self._start(slot)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._supervisor.join()
        for slot in self._slots:
            if slot.process is not None and slot.process.poll() is None:
                slot.process.send_signal(signal.SIGCONT)
                slot.process.kill()
                slot.process.wait(20)

    @property
    def alive(self) -> list[subprocess.Popen[bytes]]:
        """The processes that run."""
        with self._lock:
            return [slot.process for slot in self._slots if slot.process and slot.process.poll() is None]

    def kill(self, chance: random.Random) -> None:
        """Kill any of them, once one runs."""
        process = chance.choice(wait_for("a worker to kill", lambda: self.alive))
        process.send_signal(signal.SIGKILL)
        self.killed += 1

    def end(self, seconds: float = 60) -> list[tuple[int, float]]:
        """Ask all to stop; give each one's status, and the seconds that it took."""
        with self._lock:
            for slot in self._slots:
                slot.wanted = False
        begin = time.monotonic()
        ended = self.alive
        for process in ended:
            process.send_signal(signal.SIGTERM)
        return [(process.wait(seconds), time.monotonic() - begin) for process in ended]

    def said(self, *words: str) -> list[str]:
        """Give the lines of all logs that hold all of these words."""
        return [line for log in self._logs() for line in _lines(log) if all(word in line for word in words)]

    def tails(self, lines: int = 15) -> str:
        """Give the last lines of each log, to look at after a failure."""
        return "\n".join(
            "\n".join([f"== {log.name} ({len(_lines(log))} lines)", *_lines(log)[-lines:]])
            for log in self._logs()
        )

    def _logs(self) -> Sequence[Path]:
        folder = self.live.council.folder
        return sorted(folder.glob(f"{self.live.prefix}-worker-*.log"), key=lambda path: path.stat().st_mtime)

    def _start(self, slot: _Slot) -> None:
        slot.started += 1
        log = self.live.council.folder / f"{self.live.prefix}-worker-{slot.number}-{slot.started:03}.log"
        with log.open("wb") as output:
            slot.process = subprocess.Popen(
                [OUTFALL, "worker"],
                env=ENVIRONMENT | {"OUTFALL_CONFIG": str(self.live.config)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.live.council.folder,
                start_new_session=True,
            )

    def _supervise(self) -> None:
        while not self._stop.wait(0.05):
            with self._lock:
                for slot in self._slots:
                    self._look_after(slot)

    def _look_after(self, slot: _Slot) -> None:
        if slot.process is None or not slot.wanted:
            return
        status = slot.process.poll()
        if status is None:
            return
        self.statuses[status] += 1
        if status not in (-signal.SIGKILL, FAILED):
            self.unexpected.append(f"worker {slot.number} ended with status {status}")
            slot.wanted = False
        else:
            self._start(slot)


def _lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()
