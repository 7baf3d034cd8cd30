"""The places where alerts are kept, and worked on, behave the same: SQLite and a real Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.alert_site import Site
from services.alerts import alert
from streams.alert import Alert, Status
from streams.cli import app
from streams.errors import OutfallError
from streams.runtime.store import Store
from streams.sinks.elasticsearch_queue import ElasticsearchQueue
from streams.sinks.handling import Action, Queue

pytestmark = pytest.mark.services

AT = "2026-03-02T12:00:{:02d}Z"


@dataclass(frozen=True)
class Place:
    """A place of a kind: how alerts get in, the queue, and the settings that name it."""

    write: Callable[[Sequence[Alert]], object]
    queue: Queue
    config: Path

    def outfall(self, *arguments: str, status: int = 0) -> Result:
        done = CliRunner().invoke(app, ["alerts", *arguments, "--config", str(self.config)])
        assert done.exit_code == status, done.output
        return done


SOURCE = '[[sources]]\nname = "proxy"\nkind = "file"\npath = "x"\nformat = "squid"\n'


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    (folder / "outfall.toml").write_text(f'state = "state"\n{SOURCE}')
    with Store(folder / "state") as store:

        def write(alerts: Sequence[Alert]) -> None:
            with store.transaction():
                store.alerts.write(alerts)

        yield Place(write, store.alerts, folder / "outfall.toml")


@contextmanager
def elastic(folder: Path, address: str) -> Iterator[Place]:
    site = Site(address)
    text = f'[alerts]\nplace = "elasticsearch"\n[elasticsearch]\nhosts = ["{address}"]\n'
    (folder / "outfall.toml").write_text(f'{text}prefix = "{site.prefix}"\n{SOURCE}')
    yield Place(site.write, ElasticsearchQueue(site.client, site.prefix), folder / "outfall.toml")


@pytest.fixture(params=["sqlite", "elasticsearch"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        with sqlite(tmp_path) as made:
            yield made
    else:
        with elastic(tmp_path, request.getfixturevalue("elasticsearch")) as made:
            yield made


def test_the_newest_revision_of_each_is_there_however_often_and_in_which_order(place: Place) -> None:
    alerts = [alert(number, revision) for revision in (3, 1, 2) for number in range(5)]
    for _ in range(2):
        place.write(alerts)
    found = [stored.alert for stored in place.queue.newest()]
    assert found == [alert(number, 3) for number in range(5)], "whole, the newest first, else by their ids"


def test_more_than_a_page_of_them(place: Place) -> None:
    place.write([alert(number, number % 60) for number in range(1, 1201)])
    times = [stored.alert.last for stored in place.queue.newest()]
    assert len(times) == 1200
    assert times == sorted(times, reverse=True)


def test_what_people_do_outlives_what_comes_later(place: Place) -> None:
    place.write([alert(1), alert(2)])
    found = place.queue.find(alert(1).id[:-1] + "1")
    for number, (action, text) in enumerate(zip(Action, (None, "lee", "asked", "agreed"), strict=True)):
        place.queue.act(found, action, by="kim", text=text, at=AT.format(number // 2))
    place.write([alert(1, 2)])
    stored = place.queue.find(alert(1).id)
    assert stored.alert.revision == 2
    assert [item.action for item in stored.handling] == [*Action], "in their order, also within a second"
    assert (stored.state, stored.assignee, stored.handling[2].text) == ("closed", "lee", "asked")
    assert stored.handling[0].revision == 1
    assert [one.state for one in place.queue.newest()] == ["closed", "new"]


@pytest.mark.parametrize(("prefix", "said"), [("", "empty"), ("ffff", "no alert"), ("0000", "several")])
def test_an_id_must_be_that_of_one(place: Place, prefix: str, said: str) -> None:
    place.write([alert(1), alert(2)])
    with pytest.raises(OutfallError, match=said):
        place.queue.find(prefix)


def test_the_commands(place: Place) -> None:
    place.write([alert(1), alert(2, status=Status.CLOSED, reason="=cmd()")])
    identity = alert(1).id
    place.outfall("acknowledge", identity, "--by", "kim")
    place.outfall("assign", identity, "lee", "--by", "kim")
    place.outfall("comment", identity, "asked the manager", "--by", "lee")
    shown: dict[str, Any] = json.loads(place.outfall("show", identity).stdout)
    assert (shown["state"], shown["assignee"]) == ("acknowledged", "lee")
    place.outfall("close", identity, "--reason", "agreed")
    lines = place.outfall("list", "--open").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [alert(2).id]
    assert "no alert begins" in place.outfall("show", "ffff", status=2).output


def test_export(place: Place) -> None:
    place.write([alert(1), alert(2, 5, reason="=cmd()")])
    place.queue.act(place.queue.find(alert(1).id), Action.CLOSE, by="kim", text="agreed", at=AT.format(0))
    rows = place.outfall("export", "--format", "csv").stdout.splitlines()
    assert len(rows) == 3
    assert "'=cmd()" in rows[1], "no spreadsheet runs it"
    assert AT.format(0) in rows[2]
    later = place.outfall("export", "--since", "2026-03-02T10:03:00Z").stdout.splitlines()
    assert [json.loads(line)["id"] for line in later] == [alert(2).id]
    assert "is no time" in place.outfall("export", "--since", "soon", status=2).output


def test_what_an_exception_suppresses_is_in_no_queue_and_can_be_listed(place: Place) -> None:
    place.write([alert(1), alert(2, suppressed_by=["approved_job"])])
    lines = [json.loads(line) for line in place.outfall("list", "--suppressed").stdout.splitlines()]
    assert [(each["id"], each["state"]) for each in lines] == [(alert(2).id, "suppressed")]
    for options in ((), ("--open",)):
        lines = [json.loads(line) for line in place.outfall("list", *options).stdout.splitlines()]
        assert [each["id"] for each in lines] == [alert(1).id]
    assert "approved_job" in place.outfall("show", alert(2).id).stdout
