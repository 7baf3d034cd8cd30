"""One small live configuration, with a rule or two: its workers, its records, its alerts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from services.process import free_port, running, wait_for
from streams.alert import Alert
from streams.runtime.topics import Topics
from streams.settings import load

OUTFALL = Path(sys.executable).with_name("outfall")
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("OUTFALL_")}
ENVIRONMENT["OUTFALL_PSEUDONYM_KEY"] = f"test:{b64encode(bytes(32)).decode()}"

COUNTING = """
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
  timespan: 1h
  condition: {gte: 4}
"""
"""An alert for whoever exports four times in an hour."""

SETTINGS = """
rules = ["{rules}"]
{more}
[worker]
listen = "127.0.0.1:{port}"
log = "json"
configuration = "{configuration}"
[kafka]
bootstrap = ["{bootstrap}"]
prefix = "{prefix}"
partitions = 4
session_timeout = "3s"
events = {events}
[[sources]]
name = "app"
kind = "kafka"
topic = "{prefix}.raw"
partitions = 2
format = "{format}"
lateness = "1h"
"""


@dataclass
class Worker:
    """A worker that runs."""

    process: subprocess.Popen[bytes]
    port: int
    printed: Path

    def page(self, path: str) -> tuple[int, str]:
        """Give the status and the text of one of its pages."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    def wait_ready(self) -> None:
        """Wait until it works."""
        self.wait("it to be ready", lambda: self.page("/readyz")[0] == 200)

    def wait_logged(self, text: str, times: int = 1) -> None:
        """Wait until its log says something so often."""
        self.wait(f"{text!r} in the log", lambda: self.printed.read_text().count(text) >= times)

    def wait(self, what: str, probe: Callable[[], bool]) -> None:
        """Wait for something, as long as it runs."""

        def alive() -> bool:
            assert self.process.poll() is None, self.printed.read_text()[-3000:]
            return probe()

        wait_for(what, alive, seconds=60)


@dataclass
class LiveFolder:
    """A folder with settings, and the topics that they name."""

    folder: Path
    bootstrap: str
    prefix: str = field(default_factory=lambda: f"live-{uuid4().hex[:8]}")
    format: str = "ecs"
    configuration: str = "files"
    more: str = ""
    events: bool = False

    def config(self, rules: str = "rules", port: int = 0) -> Path:
        """Write the settings, and give their file."""
        file = self.folder / f"{rules}-{port}.toml"
        text = SETTINGS.format(
            rules=rules,
            port=port or free_port(),
            bootstrap=self.bootstrap,
            prefix=self.prefix,
            format=self.format,
            configuration=self.configuration,
            more=self.more,
            events=str(self.events).lower(),
        )
        file.write_text(text, encoding="utf-8")
        return file

    def rules(self, text: str, folder: str = "rules") -> None:
        """Write the rules."""
        (self.folder / folder).mkdir(exist_ok=True)
        (self.folder / folder / "rules.yml").write_text(text, encoding="utf-8")

    def outfall(self, *arguments: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run another command of ours over the settings."""
        command = [OUTFALL, *arguments, "--config", config or self.config()]
        return subprocess.run(
            command, capture_output=True, text=True, env=ENVIRONMENT, timeout=90, check=False
        )

    @contextlib.contextmanager
    def worker(self, rules: str = "rules") -> Iterator[Worker]:
        """Run a worker."""
        port = free_port()
        printed = self.folder / f"worker-{port}.log"
        command = [OUTFALL, "worker", "--config", self.config(rules, port)]
        with running(command, output=printed, environment=ENVIRONMENT) as process:
            yield Worker(process, port, printed)

    def send(self, records: Iterable[dict[str, Any] | bytes], partition: int = 0) -> None:
        """Put records into a partition of the raw topic."""
        values = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in records]

        async def send() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
            await producer.start()
            try:
                for value in values:
                    await producer.send(f"{self.prefix}.raw", value, partition=partition)
            finally:
                await producer.stop()

        asyncio.run(send())

    def records(self, topic: str) -> list[Any]:
        """Give what one of our topics holds."""
        name = getattr(Topics(load(self.config(), places=False)), topic)

        async def read() -> list[Any]:
            consumer = AIOKafkaConsumer(
                name,
                bootstrap_servers=self.bootstrap,
                group_id=None,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
            )
            await consumer.start()
            try:
                found = []
                while fetched := await consumer.getmany(timeout_ms=700):
                    found += [record for some in fetched.values() for record in some]
                return found
            finally:
                await consumer.stop()

        return asyncio.run(read())

    def alerts(self, count: int) -> list[Alert]:
        """Wait for so many revisions of alerts, and give all there are."""
        found = wait_for(
            f"{count} revisions of alerts",
            lambda: some if len(some := self.records("alerts")) >= count else None,
            seconds=60,
        )
        return [Alert.model_validate_json(record.value) for record in found or ()]
