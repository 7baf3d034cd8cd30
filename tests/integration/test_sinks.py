"""All that keep every revision of an alert keep each once: SQLite, JSON lines, and a real Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from elasticsearch.helpers import scan

from services.alert_site import Site
from services.alerts import alert
from streams.alert import Alert
from streams.runtime.store import Store
from streams.sinks.alert_document import alert_of
from streams.sinks.jsonl import JsonLines

pytestmark = pytest.mark.services


@dataclass(frozen=True)
class Sink:
    """How revisions get in, and what is there."""

    write: Callable[[Sequence[Alert]], object]
    kept: Callable[[], list[Alert]]


@contextmanager
def sqlite(folder: Path, _: str) -> Iterator[Sink]:
    with Store(folder) as store:

        def write(alerts: Sequence[Alert]) -> None:
            with store.transaction():
                store.alerts.write(alerts)

        def kept() -> list[Alert]:
            return [Alert.model_validate_json(text) for _, text in store.alerts.revisions_after(0)]

        yield Sink(write, kept)


@contextmanager
def jsonl(folder: Path, _: str) -> Iterator[Sink]:
    path = folder / "alerts.jsonl"
    with Store(folder) as store:

        def write(alerts: Sequence[Alert]) -> None:
            with store.transaction():
                store.alerts.write(alerts)
                JsonLines(path, store.alerts).write()

        def kept() -> list[Alert]:
            return [Alert.model_validate_json(line) for line in path.read_bytes().splitlines()]

        yield Sink(write, kept)


@contextmanager
def elastic(_: Path, address: str) -> Iterator[Sink]:
    site = Site(address)

    def kept() -> list[Alert]:
        hits = scan(site.client, index=f"{site.prefix}-revisions-*")
        return [alert_of(hit["_source"]) for hit in hits]

    yield Sink(site.write, kept)


@pytest.fixture(params=[sqlite, jsonl, elastic], ids=["sqlite", "jsonl", "elasticsearch"])
def sink(request: pytest.FixtureRequest, tmp_path: Path, elasticsearch: str) -> Iterator[Sink]:
    with request.param(tmp_path, elasticsearch) as made:
        yield made


def identity(one: Alert) -> tuple[str, int]:
    return one.id, one.revision


@pytest.mark.parametrize("seed", range(3))
def test_each_revision_is_kept_once_and_whole(sink: Sink, seed: int) -> None:
    """Whatever the order, however they are cut into batches, and however often they come."""
    chance = Random(seed)  # noqa: S311 - repeatable, not secret
    wanted = [alert(number, revision) for number in range(30) for revision in (1, 2, 3)]
    coming = wanted * 2
    chance.shuffle(coming)
    while coming:
        size = chance.randint(1, 40)
        batch, coming = coming[:size], coming[size:]
        sink.write(batch)
    assert sorted(sink.kept(), key=identity) == sorted(wanted, key=identity)


def test_what_looks_odd_is_kept_as_it_is(sink: Sink) -> None:
    odd = [
        alert(1, reason="'; DROP TABLE alerts; -- \u2028 \U0001f600 \x00"),
        alert(2, group={"outfall.actor.id": "ü" * 5000}),
        alert(3, observed=1.5, destinations=["a.example"] * 500),
    ]
    sink.write(odd)
    assert sorted(sink.kept(), key=identity) == odd
