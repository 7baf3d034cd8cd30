"""The way cut into stages gives the alerts of the pipeline in one piece, whatever the partitions do.

Partitions are read at their own pace, in batches of any size, and each task is thrown away and restored from
its tables at any time: what differs is which of several alerts of one breach pages, never an episode.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from episodes import episodes, same
from services.council import EVERYTHING
from streams.alert import Alert
from streams.correlate.describe import Edition
from streams.correlate.severity import load as load_severity
from streams.detect.book import RuleBook
from streams.detect.load import load as load_rules
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.enrich import EnrichConfig, Enricher
from streams.enrich.load import load as load_enrichment
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.pipeline import Pipeline
from streams.runtime.stored import stored_records
from streams.settings import Limits
from streams.simulate.run import Simulation, simulate
from streams.simulate.sources import SOURCES
from streams.stages.breaker import Bounds
from streams.stages.correlate import CorrelateStage
from streams.stages.look import Look
from streams.stages.parts import Parts
from streams.stages.read import ReadStage
from streams.stages.reader import Passed, Prepared, Reader, Source
from streams.stages.stage import Progress, Sent, Stage
from streams.stages.trace import TraceStage
from streams.stages.wire import decode

RULES = Path(__file__).resolve().parents[2] / "rules"
PARTITIONS = 3
RAW_PARTITIONS = 2
HOUR = 3600 * 1_000_000_000
Log = dict[str, list[RawRecord]]
EXCEPTED = """
---
title: What goes over the web is approved
name: approved_web
logsource: {product: outfall}
filter:
    rules: [something, care_records_go_outside]
    web: {outfall.channel: web}
    condition: not web
outfall: {owner: nobody, reason: to be seen in all stages, expires: 2999-01-01}
"""


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a council's day, and rules among which one makes nearly every event some alert's evidence."""
    folder = tmp_path_factory.mktemp("council")
    simulate(Simulation(3, 60, 1), folder, RULES)
    (folder / "everything.yml").write_text(EVERYTHING + EXCEPTED, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def book(council: Path) -> RuleBook:
    return load_rules([RULES, council / "everything.yml"])


@pytest.fixture(scope="module")
def enrichment(council: Path) -> EnrichConfig:
    return load_enrichment(council / "config", key="k1:" + "A" * 43 + "=")


@pytest.fixture(scope="module")
def log(council: Path) -> Log:
    found: Log = {}
    for name, source in SOURCES.items():
        with (council / "logs" / source.file).open("rb") as stream:
            found[name] = list(stored_records(name, stream, None))
    return found


def sources() -> list[Source]:
    return [Source(name, FORMATS[source.format], lateness=HOUR) for name, source in SOURCES.items()]


class Task:
    """A stage with what a broker would keep of it: its rows, and how far it has read."""

    def __init__(self, make: Callable[[], Stage[Any]]) -> None:
        self._make = make
        self._rows: dict[tuple[str, str], bytes] = {}
        self.input: list[Any] = []
        self.position = 0
        self.restart()

    def restart(self) -> None:
        self.stage = self._make()
        for (name, key), value in self._rows.items():
            next(table for table in self.stage.tables if table.name == name).restore(key, value)
        self.stage.after_restore()

    def step(self, count: int) -> Sent:
        sent = self.stage.process(self.input[self.position : self.position + count])
        self.position = min(self.position + count, len(self.input))
        for table in self.stage.tables:
            for change in table.drain():
                if change.value is None:
                    self._rows.pop((change.table, change.key), None)
                else:
                    self._rows[change.table, change.key] = change.value
        return sent

    @property
    def waiting(self) -> int:
        return len(self.input) - self.position


class Cluster:
    """All tasks of a rule book, with queues in the place of topics."""

    def __init__(self, book: RuleBook, enrichment: EnrichConfig, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        rules = RuleSet(book)
        severity = load_severity(None, [RULES])
        parts = Parts(
            book,
            rules,
            enrichment,
            severity,
            Edition(book.hash),
            Limits(),
            300 * 10**9,
            PARTITIONS,
            Bounds(0.5, 1000),
        )
        router = parts.router()
        upstreams = {f"{s.name}/{number}": s.name for s in sources() for number in range(RAW_PARTITIONS)}
        lateness = {source.name: source.lateness for source in sources()}
        shared = Enricher(enrichment)
        self.raw = {
            f"{source.name}/{number}": Task(
                lambda source=source, number=number: ReadStage(  # type: ignore[misc]  # binds the loop's
                    source, f"{source.name}/{number}", parts, shared, router
                )
            )
            for source in sources()
            for number in range(RAW_PARTITIONS)
        }
        self.content = Task(
            lambda: TraceStage(upstreams, lateness, "content/0", parts, Enricher(enrichment), router)
        )
        self.matches = [
            Task(lambda number=number: CorrelateStage(number, parts, router))  # type: ignore[misc]  # see above
            for number in range(PARTITIONS)
        ]
        self.alerts: list[Alert] = []
        self.rejected = 0

    def run(self, *, restarts: bool) -> list[Alert]:
        tasks = [*self.raw.values(), self.content, *self.matches]
        while waiting := [task for task in tasks if task.waiting]:
            task = self._random.choice(waiting)
            if restarts and self._random.random() < 0.05:
                task.restart()
            self._deliver(task.step(self._random.choice([1, 7, 100, 1000])))
        return self.alerts

    def run_alone(self, task: Task) -> None:
        """Let a task go as far ahead of the others as it can, and time be told of it."""
        self._deliver(task.step(task.waiting - 1))
        self._deliver(self.content.step(self.content.waiting))

    def begin(self) -> None:
        """Let each task of a raw partition say that there is nothing yet."""
        for task in self.raw.values():
            self._deliver(task.step(0))

    def _deliver(self, sent: Sent) -> None:
        for pieces in sent.content.values():
            self.content.input += map(decode, pieces)
        for partition, pieces in sent.matches.items():
            self.matches[partition].input += map(decode, pieces)
        self.alerts += sent.alerts
        self.rejected += len(sent.dead_letters)


@pytest.fixture(scope="module")
def expected(log: Log, book: RuleBook, enrichment: EnrichConfig) -> list[Alert]:
    """What the pipeline in one piece gives."""
    pipeline = Pipeline(
        sources(), RuleSet(book), book, Enricher(enrichment), load_severity(None, [RULES]), clock_skew=None
    )
    prepared = [pipeline.prepare(record) for records in log.values() for record in records]
    known = sorted((one for one in prepared if one.time is not None), key=lambda one: one.time or 0)
    alerts: list[Alert] = []
    for start in range(0, len(known), 500):
        alerts += pipeline.process(known[start : start + 500]).alerts
    return alerts


def spread(cluster: Cluster, log: Log) -> None:
    """Put each record into a partition of its source, and say before and after how far time has come."""
    reader = Reader(sources(), None)
    prepared = [reader.prepare(record) for records in log.values() for record in records]
    times = [one.time for one in prepared if one.time is not None]
    for task in cluster.raw.values():
        task.input.append(Progress(min(times), [*log]))
    for name, records in log.items():
        for record in records:
            number = zlib.crc32(record.data) % RAW_PARTITIONS
            cluster.raw[f"{name}/{number}"].input.append(record)
    for task in cluster.raw.values():
        task.input.append(Progress(max(times), [*log]))


@pytest.mark.parametrize("seed", range(3))
def test_stages_give_the_alerts_of_the_pipeline(
    log: Log, book: RuleBook, enrichment: EnrichConfig, expected: list[Alert], seed: int
) -> None:
    cluster = Cluster(book, enrichment, seed)
    spread(cluster, log)
    alerts = cluster.run(restarts=seed > 0)
    assert episodes(expected)
    same(alerts, expected)


def test_a_partition_that_was_empty_and_lags_makes_nothing_late(
    log: Log, book: RuleBook, enrichment: EnrichConfig, expected: list[Alert]
) -> None:
    cluster = Cluster(book, enrichment, 0)
    cluster.begin()
    spread(cluster, log)
    ahead = cluster.raw[next(iter(cluster.raw))]
    cluster.run_alone(ahead)
    same(cluster.run(restarts=False), expected)


def test_a_look_ahead_changes_nothing(
    log: Log, book: RuleBook, enrichment: EnrichConfig, expected: list[Alert]
) -> None:
    reader = Reader(sources(), None)
    look = Look(reader, Enricher(enrichment), RuleSet(book))
    left = [item for records in log.values() for item in look.prepare(records)]
    known = sorted((one for one in left if one.time is not None), key=lambda one: one.time or 0)
    pipeline = Pipeline(sources(), RuleSet(book), book, Enricher(enrichment), load_severity(None, [RULES]))
    alerts: list[Alert] = []
    passed = 0
    for start in range(0, len(known), 500):
        outcome = pipeline.process(known[start : start + 500])
        alerts += outcome.alerts
        passed += outcome.counts["records"] - len(outcome.events)
    assert passed > 0, "something of no interest was left out"
    assert [one.model_dump(exclude={"detected"}) for one in alerts] == [
        one.model_dump(exclude={"detected"}) for one in expected
    ]


def test_an_event_ahead_of_its_receipt_is_not_passed_by(enrichment: EnrichConfig) -> None:
    book = loads("title: Never\nlogsource: {product: x}\ndetection: {a: {b: 1}, condition: a}\n")
    data = b'{"@timestamp": "2026-03-02T10:00:00Z"}'
    received = 1_772_445_600_000_000_000  # the event's own time
    items = []
    for before in (0, 2 * HOUR):
        look = Look(Reader([Source("s", FORMATS["ecs"])], HOUR), Enricher(enrichment), RuleSet(book))
        items += look.prepare([RawRecord(data, Origin("s", "f", 0, 0), received - before)])
    assert isinstance(items[0], Passed)
    assert isinstance(items[1], Prepared), "it would move time on"
