"""The whole pure middle: the same alerts however the log is shuffled, doubled, cut, or interrupted."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alert import Alert
from streams.correlate.severity import SeverityTable
from streams.detect.load import RuleBook, loads
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.pipeline import Pipeline
from streams.stages.reader import Source

HOUR = 3600 * 1_000_000_000
RULES = """
title: Personal data leaves
name: egress_of_data
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f01
logsource: {category: egress, product: outfall}
detection:
  data: {outfall.subjects.id|exists: true}
  condition: data
---
title: More than twenty people in two hours
name: many_people
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f02
correlation:
  type: value_count
  rules: [egress_of_data]
  group-by: [outfall.actor.id]
  timespan: 2h
  condition: {gt: 20, field: outfall.subjects.id}
---
title: A forwarding rule
name: forwarding
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f03
level: high
logsource: {category: mail_rule, product: outfall}
detection:
  rule: {event.action: New-InboxRule}
  condition: rule
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("config")
    (made / "destinations.toml").write_text('internal_domains = ["council.example"]\n', encoding="utf-8")
    (made / "pseudonym.key").write_text("k1:" + "A" * 43 + "=\n", encoding="utf-8")
    return made


def export(number: int, minute: int, actor: str, people: range) -> dict[str, object]:
    return {
        "@timestamp": f"2026-11-23T{9 + minute // 60:02d}:{minute % 60:02d}:{number % 60:02d}Z",
        "event.id": f"export-{number}",
        "event.action": "record.exported",
        "outfall.channel": "case_system",
        "user.name": actor,
        "outfall.raw.subject": [f"P-{person}" for person in people],
        "outfall.data.category": ["care"],
        "outfall.data.vulnerable": True,
        "outfall.content.produces": [f"file:list{number}.xlsx:{1000 + number}"],
    }


def mail(number: int, minute: int, actor: str) -> dict[str, object]:
    return {
        "@timestamp": f"2026-11-23T{9 + minute // 60:02d}:{minute % 60:02d}:{number % 60:02d}Z",
        "event.id": f"mail-{number}",
        "event.action": "sent",
        "outfall.channel": "email",
        "outfall.verdict": "allowed",
        "user.name": actor,
        "email.from.address": [f"{actor}@council.example"],
        "email.to.address": ["someone@gmail.com"],
        "outfall.content.carries": [f"file:list{number}.xlsx:{1000 + number}"],
    }


def rule_change(minute: int, actor: str) -> dict[str, object]:
    return {
        "@timestamp": f"2026-11-23T{9 + minute // 60:02d}:{minute % 60:02d}:00Z",
        "event.id": f"rule-{minute}-{actor}",
        "event.action": "New-InboxRule",
        "outfall.channel": "mail_rule",
        "user.name": actor,
        "email.to.address": ["someone@gmail.com"],
    }


def a_day() -> list[bytes]:
    """Two people export and mail lists, one of them enough of them; somebody makes a forwarding rule."""
    documents = [rule_change(30, "carol")]
    for number, minute in enumerate(range(0, 240, 20)):
        actor = "alice" if number % 3 else "bob"
        documents += [
            export(number, minute, actor, range(number * 6, number * 6 + 9)),
            mail(number, minute + 5, actor),
        ]
    documents.sort(key=lambda document: str(document["@timestamp"]))
    return [orjson.dumps(document) for document in documents]


class Shell:
    """The least shell around the pipeline: keeps its saved state, and can be killed and started again."""

    def __init__(self, folder: Path, book: RuleBook) -> None:
        self._folder, self._book = folder, book
        self.saved: dict[tuple[str, str], bytes] = {}
        self.alerts: dict[str, Alert] = {}
        self.pages: list[Alert] = []
        self.start()

    def start(self) -> None:
        source = Source("log", FORMATS["json"], lateness=12 * HOUR, id_field="event.id")
        enricher = Enricher(load_enrichment(self._folder, key=None))
        self._pipeline = Pipeline([source], RuleSet(self._book), self._book, enricher, SeverityTable())
        tables = {table.name: table for table in self._pipeline.tables}
        for (name, key), value in self.saved.items():
            tables[name].restore(key, value)
        self._pipeline.after_restore()

    def process(self, lines: Sequence[tuple[int, bytes]]) -> None:
        records = [RawRecord(line, Origin("log", "stream", number, number), 0) for number, line in lines]
        outcome = self._pipeline.process(records)
        assert not outcome.dead_letters
        self.alerts |= {alert.id: alert for alert in outcome.alerts}
        self.pages += [alert for alert in outcome.alerts if alert.page]
        for table in self._pipeline.tables:
            for change in table.drain():
                if change.value is None:
                    self.saved.pop((change.table, change.key), None)
                else:
                    self.saved[change.table, change.key] = change.value

    def story(self, *, ids: bool) -> list[object]:
        """What people would see in the end; without ids and places where the order was not the same."""
        left_out = set() if ids else {"id", "breach", "pages", "evidence"}
        return sorted(
            (
                {name: value for name, value in alert.canonical().items() if name not in left_out}
                | {"events": [item.id for item in alert.evidence]}
                for alert in self.alerts.values()
                if alert.status in ("open", "closed")
            ),
            key=repr,
        )


@pytest.fixture(scope="module")
def book() -> RuleBook:
    loaded = loads(RULES)
    assert not loaded.refused
    return loaded


@pytest.fixture(scope="module")
def undisturbed(folder: Path, book: RuleBook) -> Shell:
    shell = Shell(folder, book)
    shell.process(list(enumerate(a_day())))
    return shell


def test_the_day_raises_what_it_should(undisturbed: Shell) -> None:
    alerts = list(undisturbed.alerts.values())
    assert sorted((alert.rule.name, alert.actor.id) for alert in alerts) == [
        ("forwarding", "carol"),
        ("many_people", "alice"),
    ]
    breach = next(alert for alert in alerts if alert.rule.name == "many_people")
    assert breach.exposure.people == len({p for n in range(12) if n % 3 for p in range(n * 6, n * 6 + 9)})
    assert breach.destination_classes == ["webmail"]
    assert breach.pages >= 1
    assert all("P-" not in alert.model_dump_json() for alert in alerts)


@pytest.mark.parametrize("size", [1, 5, 100])
def test_a_page_is_a_revision_of_its_own_wherever_batches_are_cut(
    folder: Path, book: RuleBook, size: int
) -> None:
    people = ("ann", range(25)), ("ann", range(25, 110)), ("ann", range(110, 115))
    lines = [
        orjson.dumps(document)
        for number, (actor, exported) in enumerate(people)
        for document in (export(number, 10 * number, actor, exported), mail(number, 10 * number + 5, actor))
    ]
    shell = Shell(folder, book)
    numbered = list(enumerate(lines))
    for start in range(0, len(lines), size):
        shell.process(numbered[start : start + size])
    assert [(page.tier, page.exposure.people, page.pages) for page in shell.pages] == [
        (10, 25, 1),
        (100, 110, 2),
    ]
    (alert,) = shell.alerts.values()
    assert (alert.exposure.people, alert.page) == (115, False)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32))
def test_shuffled_within_the_lateness(folder: Path, book: RuleBook, undisturbed: Shell, seed: int) -> None:
    lines = list(enumerate(a_day()))
    random.Random(seed).shuffle(lines)  # noqa: S311 - not for secrets
    shell = Shell(folder, book)
    shell.process(lines)
    assert shell.story(ids=False) == undisturbed.story(ids=False)


@settings(max_examples=30)
@given(cuts=st.sets(st.integers(1, 24)), again=st.lists(st.integers(0, 24), max_size=4))
def test_cut_doubled_and_restarted_anywhere(
    folder: Path, book: RuleBook, undisturbed: Shell, cuts: set[int], again: list[int]
) -> None:
    lines = list(enumerate(a_day()))
    shell = Shell(folder, book)
    bounds = sorted({0, *cuts, len(lines)})
    for start, end in itertools.pairwise(bounds):
        shell.process(lines[start:end] + [lines[number] for number in again if number < end])
        shell.start()
    assert shell.story(ids=True) == undisturbed.story(ids=True)
