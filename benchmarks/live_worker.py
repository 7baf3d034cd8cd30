"""Runs `outfall worker` for `live.py`: its configuration, its topics, and what it tells of itself."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import proxy_workload
import workload
from live_kafka import Cluster, pin, seconds_of
from live_records import PARTITIONS, council

from services.process import free_port, running
from streams.simulate.config_files import write_config

OUTFALL = Path(sys.executable).with_name("outfall")
RULES, ALERTING, MARKED = 100, 2, 10
"""So many rules. The first two alert by themselves; the others that match are counted, and never fire."""
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("OUTFALL_")}
SESSION = 6
"""Seconds after which the group takes a worker that says nothing for dead."""
_PATIENCE = 120.0

_SETTINGS = """
rules = ["rules.yml"]
enrich = "config"

[worker]
listen = ""
log = "json"

[kafka]
bootstrap = ["{bootstrap}"]
prefix = "{prefix}"
partitions = {partitions}
session_timeout = "{session}s"
events = {events}
"""
_SOURCE = """
[[sources]]
name = "{format}"
kind = "kafka"
format = "{format}"
topic = "{topic}"
partitions = {partitions}
"""
_COUNTING = """
title: Many marked pages
id: counts
correlation:
  type: event_count
  rules: [{rules}]
  group-by: [outfall.actor.id]
  timespan: 1h
  condition: {{gt: 1000000}}
"""


@dataclass(frozen=True)
class Setup:
    """A configuration whose topics are there; those of its own begin with `prefix`."""

    folder: Path
    prefix: str
    settings: Path

    @property
    def alerts(self) -> str:
        """The topic of alerts."""
        return f"{self.prefix}.alerts"


def setup(
    folder: Path, cluster: Cluster, prefix: str, raw: str, rules: str | None = None, *, events: bool = False
) -> Setup:
    """Write a configuration with these rules, or those of the benchmark; make topics that are not there."""
    folder.mkdir(parents=True)
    write_config(folder, council(), folder)
    (folder / "rules.yml").write_text(rules or many_rules(), encoding="utf-8")
    text = _SETTINGS.format(
        bootstrap=cluster.bootstrap,
        prefix=prefix,
        partitions=PARTITIONS,
        session=SESSION,
        events=str(events).lower(),
    )
    for name in proxy_workload.FORMATS:
        text += _SOURCE.format(format=name, topic=f"{raw}.{name}", partitions=PARTITIONS)
    path = folder / "bench.toml"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own command
        [OUTFALL, "topics", "create", "--config", path], capture_output=True, env=ENVIRONMENT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the topics were not made: {done.stderr.decode()}")
    return Setup(folder, prefix, path)


def many_rules() -> str:
    """Give the rule book: the generated rules over proxies' events, and the correlation that counts."""
    alerting = "outfall: {group_by: [url.path], page: false}"
    documents = workload.rules(RULES).replace("category: generated", "category: proxy").split("\n---\n")
    documents = [
        f"{document}\n{alerting}" if number < ALERTING else document
        for number, document in enumerate(documents)
    ]
    counted = ", ".join(f"generated-{number}" for number in range(ALERTING, MARKED))
    return "\n---\n".join([*documents, _COUNTING.format(rules=counted)])


@dataclass(frozen=True)
class Sample:
    """What stood at a moment: processor seconds of the worker and the broker, and the worker's metrics."""

    at: float
    worker: float
    broker: float
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def events(self) -> float:
        """How many raw records have become events."""
        return sum(
            number
            for name, number in self.counts.items()
            if name.startswith("outfall_records_total") and 'outcome="event"' in name
        )

    def batches(self, step: str) -> float:
        """How many batches, each a transaction, a step has made."""
        return self.counts[f'outfall_batch_seconds_count{{stage="{step}"}}']


class Worker:
    """A running worker."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, cluster: Cluster, printed: Path) -> None:
        self.process = process
        self._port = port
        self._cluster = cluster
        self._printed = printed

    def sample(self) -> Sample:
        """Ask the worker how it is doing."""
        address = f"http://127.0.0.1:{self._port}/metrics"
        with urllib.request.urlopen(address, timeout=60) as answer:
            text = answer.read().decode()
        at = time.perf_counter()
        counts: Counter[str] = Counter()
        for name, number in re.findall(r"^(outfall_\w+(?:{[^}]*})?) (\S+)$", text, re.MULTILINE):
            counts[name] = float(number)
        return Sample(at, seconds_of(self.process.pid), self._cluster.seconds(), counts)

    def until_ready(self) -> None:
        """Wait until it works."""
        end = time.monotonic() + _PATIENCE
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the worker did not start: {self._printed.read_text()[-2000:]}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/readyz", timeout=60)
                return
            time.sleep(0.1)


@contextlib.contextmanager
def worker(setup: Setup, cluster: Cluster, core: int, number: int = 0) -> Iterator[Worker]:
    """Run a worker on one core until the block ends."""
    port = free_port()
    printed = setup.folder / f"{setup.prefix}.{number}.printed"
    environment = ENVIRONMENT | {"OUTFALL_WORKER__LISTEN": f"127.0.0.1:{port}"}
    command: Sequence[str | Path] = [OUTFALL, "worker", "--config", setup.settings]
    with running(command, output=printed, environment=environment) as process:
        pin(process.pid, core)
        yield Worker(process, port, cluster, printed)
