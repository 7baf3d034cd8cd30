"""`outfall dead-letters` on Kafka: the same commands, where what is written stays until it is deleted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.kafka import Kafka
from services.outfall import ENVIRONMENT
from services.topics import make_topics, records, write
from streams.cli import app
from streams.event import Origin
from streams.runtime.dead_letters import Letter
from streams.runtime.headers import ATTEMPTS, ORIGIN, find, read_origin

pytestmark = pytest.mark.services

NAME = "jane-doe"


class Site:
    """A prefix of this test's own, with two raw topics and that of the dead letters."""

    def __init__(self, folder: Path, cluster: Kafka) -> None:
        self.config = folder / "outfall.toml"
        self.cluster = cluster
        self.prefix = f"letters-{uuid4()}"
        self.raw = f"{self.prefix}.raw"
        self.topic = f"{self.prefix}.dead-letters"
        self.alerts = f"{self.prefix}.alerts"
        make_topics(cluster, {self.raw: 3, f"{self.raw}.mail": 1, self.topic: 1, self.alerts: 2})
        self.configure(web=self.raw, mail=f"{self.raw}.mail")

    def configure(self, **topics: str) -> None:
        text = f'rules = ["rules"]\n[kafka]\nprefix = "{self.prefix}"\n'
        text += f'bootstrap = ["{self.cluster.bootstrap}"]\n'
        for name, topic in topics.items():
            text += f'[[sources]]\nname = "{name}"\nkind = "kafka"\nformat = "ecs"\ntopic = "{topic}"\n'
        self.config.write_text(text)

    def letter(self, number: int, source: str = "web", *, partition: int = 2, **more: Any) -> Letter:
        origin = Origin(source, "00ff", number * 10, number)
        place = f"{self.raw}/{partition}/{number}"
        data = f"{NAME} {number}".encode()
        return replace(Letter(data, origin, "normalise", "RecordError", "not JSON", place), **more)

    def bury(self, letters: Iterable[Letter]) -> None:
        write(self.cluster, self.topic, [(letter.data, letter.headers()) for letter in letters])

    def outfall(self, command: str, *arguments: str) -> Result:
        words = ("dead-letters", command, "--config", str(self.config), *arguments)
        result = CliRunner().invoke(app, words, env=ENVIRONMENT)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def letters(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.outfall("list", *arguments)
        assert done.exit_code == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ids(self, *arguments: str) -> list[str]:
        return [each["id"] for each in self.letters(*arguments)]


@pytest.fixture
def site(tmp_path: Path, kafka: Kafka) -> Site:
    return Site(tmp_path, kafka)


def test_what_died_is_listed_by_filters_and_shown(site: Site) -> None:
    assert site.letters() == []
    site.bury([site.letter(0), site.letter(1, "mail", reason="no time", stage="read"), site.letter(2)])
    first = site.letters()[0]
    assert first.pop("at")
    assert first == {
        "id": "0/0",
        "source": "web",
        "stream": "00ff",
        "offset": 0,
        "line": 0,
        "stage": "normalise",
        "error": "RecordError",
        "reason": "not JSON",
        "place": f"{site.raw}/2/0",
        "attempts": 1,
        "bytes": len(NAME) + 2,
        "replayed": False,
    }
    for filters, ids in (
        (("--source", "web"), ["0/0", "0/2"]),
        (("--source", "web", "--limit", "1"), ["0/0"]),
        (("--reason", "JSON"), ["0/0", "0/2"]),
        (("--stage", "read"), ["0/1"]),
        (("--since", "1h"), ["0/0", "0/1", "0/2"]),
        (("--until", "1h"), []),
        (("0/2", "0/1"), ["0/1", "0/2"]),
    ):
        assert site.ids(*filters) == ids, filters
    shown = site.outfall("show", "0/1")
    assert json.loads(shown.stdout)["reason"] == "no time"
    assert NAME not in shown.stdout
    shown = site.outfall("show", "0/1", "--raw")
    assert shown.stdout_bytes == f"{NAME} 1".encode()
    assert NAME not in shown.stderr
    for wrong in ("0/3", "1/0", "7", "x/y"):
        assert site.outfall("show", wrong).exit_code == 2
    assert site.outfall("list", "0/9").exit_code == 2


def test_what_is_replayed_goes_to_where_it_came_from_and_is_no_longer_listed(site: Site) -> None:
    site.bury(site.letter(number, attempts=number + 1) for number in range(3))
    site.bury([site.letter(3, place="old.topic/7/1"), site.letter(4, "mail", place="")])
    done = site.outfall("replay", "--dry-run")
    assert (done.exit_code, site.ids()) == (0, [f"0/{number}" for number in range(5)])
    assert "5 dead letters would be sent" in done.stderr
    done = site.outfall("replay", "--source", "web", "--limit", "2")
    assert done.exit_code == 0, done.stderr
    assert site.ids() == ["0/2", "0/3", "0/4"]
    assert [each["replayed"] for each in site.letters("--all")] == [True, True, False, False, False]
    assert site.outfall("replay").exit_code == 0
    assert site.ids() == []
    sent = records(site.cluster, site.raw)
    assert [each.value.decode() for each in sent if each.partition == 2][:3] == [
        f"{NAME} {number}" for number in range(3)
    ]
    assert sorted(each.value.decode() for each in sent) == [f"{NAME} {number}" for number in range(4)]
    for each in sent:
        number = int(each.value.decode().split()[-1])
        origin = find(each.headers, ORIGIN)
        assert origin
        assert read_origin(origin, "web") == site.letter(number).origin
        assert find(each.headers, ATTEMPTS) == str(number + 2 if number < 3 else 2).encode()
        assert each.key == b"00ff"
    assert [each.value for each in records(site.cluster, f"{site.raw}.mail")] == [f"{NAME} 4".encode()]
    assert site.outfall("replay").exit_code == 0
    assert len(records(site.cluster, site.raw)) == 4, "nothing is sent twice"


def test_what_cannot_be_sent_is_told_and_stays(site: Site) -> None:
    site.bury([site.letter(0), site.letter(1, "gone"), site.letter(2, place=f"{site.prefix}.matches/0/1")])
    write(site.cluster, site.topic, [(b"not ours", [])])
    done = site.outfall("replay")
    assert done.exit_code == 3
    for said in ("0/1: is not sent again: no source gone", "0/2: is not", "0/3: is not", "3 cannot"):
        assert said in done.stderr
    assert NAME not in done.stderr
    assert site.ids() == ["0/1", "0/2", "0/3"]
    assert site.letters("0/3")[0]["reason"].startswith("no dead letter")
    assert len(records(site.cluster, site.raw)) == 1


def test_a_purge_takes_what_no_other_letter_is_before(site: Site) -> None:
    site.bury(site.letter(number, "mail" if number == 3 else "web") for number in range(6))
    site.outfall("replay", "0/1")
    done = site.outfall("purge", "--source", "web", "--dry-run")
    assert (done.exit_code, len(site.ids())) == (1, 5)
    assert "2 dead letters would be deleted" in done.stderr
    assert "and 1 before them that had been replayed" in done.stderr
    assert "2 are left: they follow 0/3" in done.stderr
    assert site.outfall("purge", "--source", "web").exit_code == 1
    assert [each.offset for each in records(site.cluster, site.topic)][:3] == [3, 4, 5]
    assert site.ids() == ["0/3", "0/4", "0/5"]
    assert site.outfall("purge", "--source", "nobody").exit_code == 0
    assert site.outfall("purge").exit_code == 2
    assert site.outfall("show", "0/0").exit_code == 2
    assert site.outfall("purge", "0/3", "0/4").exit_code == 0
    assert site.ids() == ["0/5"]
    site.outfall("replay")
    assert site.outfall("purge", "--all").exit_code == 0
    assert records(site.cluster, site.topic) == []
    site.bury([site.letter(9)])
    assert len(site.ids()) == 1


def test_a_mixed_configuration_and_a_topic_that_is_not_there(site: Site, tmp_path: Path) -> None:
    site.config.write_text(site.config.read_text().replace(site.prefix, f"{site.prefix}x"))
    done = site.outfall("list")
    assert done.exit_code == 2
    assert "outfall topics create" in done.stderr
    with site.config.open("a") as file:
        file.write(f'[[sources]]\nname = "file"\npath = "{tmp_path}/log"\n')
    done = site.outfall("list")
    assert done.exit_code == 2
    assert "source file" in done.stderr


def test_a_refused_alert_goes_back_to_the_alerts(site: Site) -> None:
    origin = Origin("alerts", f"{site.alerts}/1", 7, 7)
    letter = Letter(b"{}", origin, "index", "document_parsing_exception", "refused", f"{site.alerts}/1/7")
    site.bury([letter, site.letter(1)])
    assert site.outfall("replay").exit_code == 0
    (again,) = records(site.cluster, site.alerts)
    assert (again.partition, again.value) == (1, b"{}")
    assert len(records(site.cluster, site.raw)) == 1
    assert site.ids() == []
