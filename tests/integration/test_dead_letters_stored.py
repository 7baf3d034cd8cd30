"""`outfall dead-letters` on the store: what dies is listed, shown, processed again and deleted."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from services.outfall import ENVIRONMENT, OUTFALL
from services.process import running, wait_for
from services.terminal import plain, shown
from streams.cli import app
from streams.runtime.letter_table import SCHEMA
from streams.runtime.store import FILE, Store

RULE = """
title: Upload
id: 5c3a8d04-14b5-4a0e-9d38-6a4f0d6c9b11
name: upload
status: test
logsource: {category: egress, product: outfall}
detection:
    selection: {event.action: upload}
    condition: selection
level: high
---
title: Uploads
id: 0f6f9d38-06b8-4b53-8f0e-2a9ea2f7e3c2
name: uploads
status: test
correlation:
    type: event_count
    rules: [upload]
    group-by: [user.name]
    timespan: 1h
    condition: {gte: 2}
level: high
"""
NAME = "jane-doe"
UPLOAD = {
    "@timestamp": "2026-03-02T09:00:00Z",
    "event": {"action": "upload"},
    "user": {"name": "kim"},
    "url": {"domain": "files.example.org"},
    "outfall": {"channel": "web", "egress": True},
}


class Site:
    """A folder whose logs are taken for the wrong format at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "rules.yml").write_text(RULE)
        (folder / "web.log").write_text("".join(f"{json.dumps(UPLOAD | {'n': n})}\n" for n in range(2)))
        (folder / "mail.log").write_text(f"{NAME} is no record\n")
        self.configure(web="squid", mail="postfix")
        assert self.run().returncode == 3

    def configure(self, **formats: str) -> None:
        text = 'rules = ["rules.yml"]\n[alerts]\njsonl = "alerts.jsonl"\n'
        for name, format_ in formats.items():
            text += f'[[sources]]\nname = "{name}"\npath = "{name}.log"\nformat = "{format_}"\n'
        (self.folder / "outfall.toml").write_text(text)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [OUTFALL, "run", "--once", *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def outfall(self, group: str, command: str, *arguments: str) -> Result:
        config = str(self.folder / "outfall.toml")
        arguments = (group, command, "--config", config, *arguments)
        result = CliRunner().invoke(app, arguments, env=ENVIRONMENT)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def letters(self, *arguments: str) -> list[dict[str, Any]]:
        done = self.outfall("dead-letters", "list", *arguments)
        assert done.exit_code == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.outfall("alerts", "list").stdout.splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_died_is_listed_by_filters_without_its_content(site: Site) -> None:
    letters = site.letters()
    assert [(each["id"], each["source"], each["line"]) for each in letters] == [
        ("1", "mail", 0),
        ("2", "web", 0),
        ("3", "web", 1),
    ]
    assert {(each["stage"], each["error"], each["attempts"]) for each in letters} == {
        ("normalise", "RecordError", 1)
    }
    assert letters[0]["bytes"] == len((site.folder / "mail.log").read_bytes()) - 1
    assert NAME not in json.dumps(letters)
    reason = letters[1]["reason"]
    for filters, ids in (
        (("--source", "web"), ["2", "3"]),
        (("--source", "web", "--limit", "1"), ["2"]),
        (("--reason", reason.upper()), ["2", "3"]),
        (("--stage", "enrich"), []),
        (("--since", "1h"), ["1", "2", "3"]),
        (("--until", "1h"), []),
        (("1", "3"), ["1", "3"]),
    ):
        assert [each["id"] for each in site.letters(*filters)] == ids, filters


def test_one_is_shown_and_its_record_only_when_asked_for(site: Site) -> None:
    done = site.outfall("dead-letters", "show", "1")
    assert (done.exit_code, json.loads(done.stdout)["line"]) == (0, 0)
    assert NAME not in done.stdout
    done = site.outfall("dead-letters", "show", "1", "--raw")
    assert done.stdout == f"{NAME} is no record"
    assert "normalise" in done.stderr
    done = site.outfall("dead-letters", "show", "9")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no dead letter 9" in done.stderr


def test_on_a_terminal_there_are_a_table_and_harmless_bytes(site: Site) -> None:
    (site.folder / "mail.log").write_text("\x1b[2Jgone\n" * 2)
    site.run("--again", "mail")
    command = [OUTFALL, "dead-letters"]
    config = ["--config", site.folder / "outfall.toml"]
    code, text = shown([*command, "list", *config])
    assert code == 0
    assert plain(text).split()[0] == "id"
    code, text = shown([*command, "show", "4", "--raw", *config])
    assert code == 0
    assert "\x1b[2J" not in text
    assert "gone" in text


def test_what_is_mended_goes_through_and_the_rest_stays(site: Site) -> None:
    site.configure(web="ecs", mail="postfix")
    done = site.outfall("dead-letters", "replay", "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 dead letters would be" in done.stderr
    done = site.outfall("dead-letters", "replay")
    assert done.exit_code == 3, done.stderr
    assert "2 dead letters went through, 1 died again" in done.stderr
    (printed,) = done.stdout.splitlines()
    (alert,) = site.alerts()
    assert json.loads(printed)["id"] == alert["id"]
    lines = [json.loads(line) for line in (site.folder / "alerts.jsonl").read_text().splitlines()]
    assert [(each["id"], each["revision"]) for each in lines] == [(alert["id"], 1)]
    (left,) = site.letters()
    assert (left["id"], left["source"], left["attempts"]) == ("1", "mail", 2)
    (site.folder / "state").rename(site.folder / "old")
    assert site.run().returncode == 3
    assert [each["id"] for each in site.alerts()] == [alert["id"]], "as if it had been right at once"


def test_a_chosen_one_is_replayed_and_the_others_are_not(site: Site) -> None:
    site.configure(web="ecs", mail="postfix")
    assert site.outfall("dead-letters", "replay", "3").exit_code == 0
    assert [each["id"] for each in site.letters()] == ["1", "2"]
    assert site.outfall("dead-letters", "replay", "3").exit_code == 2
    assert site.alerts() == []


def test_nothing_is_replayed_beside_a_run(site: Site) -> None:
    command = [OUTFALL, "run", "--config", site.folder / "outfall.toml"]
    with running(command, output=site.folder / "printed", environment=ENVIRONMENT) as run:
        wait_for("the run", lambda: (site.folder / "state" / "lock").read_text().strip() == str(run.pid))
        done = site.outfall("dead-letters", "replay")
        assert done.exit_code == 2
        assert "another run" in done.stderr
        assert len(site.letters()) == 3, "looking is allowed"


def test_letters_of_a_source_that_is_not_configured_stay(site: Site) -> None:
    site.configure(web="ecs")
    done = site.outfall("dead-letters", "replay")
    assert done.exit_code == 3
    assert "no source mail is configured" in done.stderr
    assert [each["id"] for each in site.letters()] == ["1"]


def test_what_is_purged_is_gone_from_the_file_too(site: Site) -> None:
    done = site.outfall("dead-letters", "purge", "--source", "mail", "--dry-run")
    assert "1 dead letters would be deleted" in done.stderr
    assert NAME.encode() in store_bytes(site)
    assert site.outfall("dead-letters", "purge", "--source", "mail").exit_code == 0
    assert [each["id"] for each in site.letters()] == ["2", "3"]
    assert NAME.encode() not in store_bytes(site)
    for wrong in ((), ("--all", "--source", "web"), ("2", "9")):
        assert site.outfall("dead-letters", "purge", *wrong).exit_code == 2
    assert site.outfall("dead-letters", "purge", "--all").exit_code == 0
    assert site.letters() == []


def test_wrong_use_is_told_at_once(site: Site) -> None:
    done = site.outfall("dead-letters", "list", "--since", "soon", "--until", "later")
    assert done.exit_code == 2
    assert "--since" in done.stderr
    assert "--until" in done.stderr
    (site.folder / "state").rename(site.folder / "old")
    done = site.outfall("dead-letters", "list")
    assert done.exit_code == 2
    assert "no store yet" in done.stderr


def test_a_store_of_the_first_version_is_brought_up_to_date(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / FILE)
    connection.executescript(SCHEMA)
    connection.execute(
        "INSERT INTO dead_letters (source, stream, offset, line, stage, reason, data, at)"
        " VALUES ('web', 's', 0, 0, 'normalise', 'not JSON', x'7b', 7)"
    )
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    with Store(tmp_path) as store:
        (entry,) = store.letters.entries()
        assert (entry.id, entry.at, entry.letter.attempts, entry.size) == ("1", 7, 1, 1)


def store_bytes(site: Site) -> bytes:
    return b"".join(path.read_bytes() for path in (site.folder / "state").glob(f"{FILE}*"))
