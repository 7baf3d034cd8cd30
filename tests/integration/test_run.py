"""`outfall run` as a process: batches, restarts, signals, exit statuses, and the queue of alerts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

OUTFALL = Path(sys.executable).with_name("outfall")
KEY = "k1:" + "A" * 43 + "="

RULES = """
title: Upload
id: 5c3a8d04-14b5-4a0e-9d38-6a4f0d6c9b11
name: upload
status: test
logsource: {category: egress, product: outfall}
detection:
    selection: {event.action: upload}
    condition: selection
level: low
---
title: Many uploads
id: 0f6f9d38-06b8-4b53-8f0e-2a9ea2f7e3c2
name: many_uploads
status: test
correlation:
    type: value_count
    rules: [upload]
    group-by: [user.name]
    timespan: 1h
    condition: {field: file.name, gt: 2}
level: high
"""

BAD_RULE = """
title: Broken
id: 8d5a1f58-3f02-47b5-a06f-3d1a9f9a2f01
status: test
logsource: {category: egress, product: outfall}
detection:
    selection: {event.action|nonsense: upload}
    condition: selection
level: low
"""


def upload(minute: int, user: str, name: str) -> str:
    document = {
        "@timestamp": f"2026-03-02T09:{minute:02d}:00Z",
        "event": {"action": "upload"},
        "user": {"name": user},
        "file": {"name": name},
        "url": {"domain": "files.example.org"},
        "outfall": {"channel": "web", "egress": True},
    }
    return json.dumps(document) + "\n"


class Site:
    """A folder with a configuration, rules and a log, and the command on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "events.log"
        (folder / "rules.yml").write_text(RULES)
        self.configure('name = "log"\npath = "events.log"\nformat = "ecs"')
        self.environment = {**os.environ, "OUTFALL_PSEUDONYM_KEY": KEY}

    def configure(self, *sources: str) -> None:
        text = 'rules = ["rules.yml"]\nbatch = 3\n[alerts]\njsonl = "alerts.jsonl"\n'
        (self.folder / "outfall.toml").write_text(
            text + "".join(f"[[sources]]\n{each}\n" for each in sources)
        )

    def append(self, *lines: str) -> None:
        with self.log.open("a") as file:
            file.writelines(lines)

    def outfall(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [OUTFALL, *arguments],
            cwd=self.folder,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [OUTFALL, "run"], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )

    def alerts(self) -> list[dict[str, Any]]:
        done = self.outfall("alerts", "list")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def lines(self) -> list[tuple[str, int]]:
        file = self.folder / "alerts.jsonl"
        text = file.read_text() if file.exists() else ""
        documents = [json.loads(line) for line in text.splitlines()]
        return [(document["id"], document["revision"]) for document in documents]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def wait_for(what: Any, seconds: float = 15) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


THREE = [upload(minute, "kim", f"{minute}.zip") for minute in range(3)]


def test_an_alert_is_raised_stored_and_printed_once(site: Site) -> None:
    site.append(*THREE, upload(3, "lee", "a.zip"))
    done = site.outfall("run", "--once")
    assert done.returncode == 0, done.stderr
    (alert,) = site.alerts()
    assert alert["group"] == {"user.name": "kim"}
    assert alert["state"] == "new"
    (printed,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert printed == {
        "id": alert["id"],
        "revision": 1,
        "severity": alert["severity"],
        "status": "open",
        "page": alert["page"],
        "tier": alert["tier"],
        "people": 0,
        "actor": alert["actor"]["id"],
        "rule": "many_uploads",
        "reason": alert["reason"],
        "first": alert["first"],
        "last": alert["last"],
    }
    assert "0.zip" not in done.stdout  # the names of files can name data subjects
    again = site.outfall("run", "--once")
    assert (again.returncode, again.stdout) == (0, "")
    assert site.lines() == [(alert["id"], 1)]


def test_state_outlives_the_process(site: Site) -> None:
    for line in THREE:
        site.append(line)
        assert site.outfall("run", "--once").returncode == 0
    (alert,) = site.alerts()
    assert [item["line"] for item in alert["evidence"]] == [0, 1, 2]


def test_it_follows_a_log_across_rotation_until_told_to_stop(site: Site) -> None:
    process = site.start()
    try:
        site.append(*THREE[:2])
        wait_for((site.folder / "state" / "outfall.db").exists)
        time.sleep(0.5)
        site.log.rename(site.folder / "events.log.1")
        site.append(THREE[2])
        wait_for(site.lines)
        second = site.outfall("run", "--once")
        assert second.returncode == 2
        assert f"another run (process {process.pid})" in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert len(output.splitlines()) == 1


def test_sources_are_read_in_the_order_of_time(site: Site) -> None:
    site.configure('name = "b"\npath = "b.log"\nformat = "ecs"', 'name = "a"\npath = "a.log"\nformat = "ecs"')
    (site.folder / "a.log").write_text("broken\n" + THREE[1])
    (site.folder / "b.log").write_text(THREE[0] + THREE[2])
    done = site.outfall("run", "--once")
    assert done.returncode == 3
    assert "a: line 0: " in done.stderr
    (alert,) = site.alerts()
    assert [item["source"] for item in alert["evidence"]] == ["b", "a", "b"]


def test_standard_input(site: Site) -> None:
    site.configure('name = "pipe"\nkind = "stdin"\nformat = "ecs"')
    done = site.outfall("run", text="".join(THREE).removesuffix("\n"))
    assert done.returncode == 0, done.stderr
    assert len(site.alerts()) == 1
    assert list((site.folder / "state" / "spool").iterdir()) == []


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_syslog_survives_kill(site: Site, transport: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site.configure(
        f'name = "net"\nkind = "syslog"\nformat = "ecs"\nlisten = "{transport}://127.0.0.1:{port}"'
    )
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    process = site.start()
    try:
        wait_for(lambda: list((site.folder / "state").glob("spool/net.*.log")))
        time.sleep(0.3)
        with socket.socket(socket.AF_INET, kind) as sender:
            sender.connect(("127.0.0.1", port))
            for line in THREE:
                sender.send(f"<14>Mar  2 09:00:00 host app: {line}".encode())
        # All three must have been spooled: what the kernel still holds of UDP is lost with the process.
        wait_for(
            lambda: (
                sum(path.read_bytes().count(b"\n") for path in site.folder.glob("state/spool/*"))
                == len(THREE)
            )
        )
    finally:
        process.kill()
        process.communicate(timeout=20)
    done = site.outfall("run", "--once")
    assert done.returncode == 0, done.stderr
    assert len(site.alerts()) == 1


def test_a_refused_rule_is_named_and_the_others_run(site: Site) -> None:
    (site.folder / "rules.yml").write_text(RULES + "---" + BAD_RULE)
    site.append(*THREE)
    done = site.outfall("run", "--once")
    assert done.returncode == 1
    assert "rules.yml:" in done.stderr
    assert len(site.alerts()) == 1
    check = site.outfall("config", "check")
    assert check.returncode == 1
    assert "rules.yml:" in check.stderr
    assert "rules: 2 run, 1 refused" in check.stderr


@pytest.mark.parametrize("rules", ["", BAD_RULE])
def test_without_any_rule_it_does_not_start(site: Site, rules: str) -> None:
    (site.folder / "rules").mkdir()
    (site.folder / "rules" / "rules.yml").write_text(rules)
    site.environment["OUTFALL_RULES"] = '["rules"]'
    site.append(*THREE)
    for command in (["run", "--once"], ["config", "check"]):
        done = site.outfall(*command)
        assert done.returncode == 2
        assert "there is no rule that could run" in done.stderr
        assert ("nonsense" in done.stderr) == bool(rules)
    assert not (site.folder / "state").exists()


def test_a_log_that_is_not_there(site: Site) -> None:
    check = site.outfall("config", "check")
    assert check.returncode == 0
    assert "events.log: there is no such file yet" in check.stderr
    done = site.outfall("run", "--once")
    assert done.returncode == 2
    assert "source log: " in done.stderr
    assert "events.log: there is no such file" in done.stderr
    assert not (site.folder / "state").exists()
    site.configure('name = "log"\npath = "*.log"\nformat = "ecs"')
    assert "there is no such file" not in site.outfall("config", "check").stderr
    assert site.outfall("run", "--once").returncode == 0


def test_where_every_record_is_rejected_the_format_is_doubted_once(site: Site) -> None:
    log, other = 'name = "log"\npath = "events.log"', 'name = "b"\npath = "b.log"\nformat = "ecs"'
    site.configure(f'{log}\nformat = "squid"', other)
    site.append(*THREE * 20)
    (site.folder / "b.log").write_text(THREE[0] + "broken\n" * 30)
    done = site.outfall("run", "--once")
    assert done.returncode == 3
    doubts = [line for line in done.stderr.splitlines() if "is its format right?" in line]
    (doubt,) = doubts
    assert doubt.startswith("every record of source log so far was rejected as squid: is its format right?")
    assert site.alerts() == []
    site.configure(f'{log}\nformat = "ecs"', other)
    assert "0 records read" in site.outfall("run", "--once").stderr
    assert "60 records read, 0 rejected" in site.outfall("run", "--once", "--again", "log").stderr
    assert len(site.alerts()) == 1


def test_reading_again_changes_no_alert(site: Site) -> None:
    late = [line.replace("03-02T09", "03-09T09") for line in THREE]
    site.append(*THREE, *late)
    assert site.outfall("run", "--once").returncode == 0
    before = site.alerts()
    assert len(before) == 2
    again = site.outfall("run", "--once", "--again", "log")
    assert (again.returncode, again.stdout) == (0, "")
    assert "6 records read" in again.stderr
    after = site.alerts()
    for alert in (*before, *after):  # an alert that is still going on says that it saw events again, too late
        for name in ("revision", "late", "detected", "page"):
            del alert[name]
    assert after == before
    wrong = site.outfall("run", "--again", "lag")
    assert wrong.returncode == 2
    assert "--again lag: there are no files of such a source; sources with files are log" in wrong.stderr


def test_a_wrong_configuration_is_told_whole(site: Site) -> None:
    site.configure('name = "log"\npath = "events.log"\nformat = "nonsense"\nlateness = "soon"')
    for command in (["run"], ["config", "check"]):
        done = site.outfall(*command)
        assert done.returncode == 2
        assert "sources[0].format" in done.stderr
        assert "sources[0].lateness" in done.stderr
        assert done.stdout == ""
    assert not (site.folder / "state").exists()


def test_without_a_key_for_pseudonyms_it_does_not_start(site: Site) -> None:
    del site.environment["OUTFALL_PSEUDONYM_KEY"]
    done = site.outfall("run", "--once")
    assert done.returncode == 2
    assert "key" in done.stderr


def test_the_version(site: Site) -> None:
    done = site.outfall("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"outfall \d+\.\d+\.\d+\n", done.stdout)


def test_what_cannot_be_read_or_written_is_told_in_plain_words(site: Site) -> None:
    missing = site.outfall("run", "--config", "nope.toml")
    assert missing.returncode == 2
    assert missing.stderr.startswith("nope.toml: there is no such file (docs/configuration.md shows one;")
    file = site.folder / "outfall.toml"
    simulated = site.outfall("simulate", "--people", "40", "--out", str(file / "council"))
    assert simulated.returncode == 2
    assert simulated.stderr == f"{file}/council/config: cannot be written: Not a directory\n"


def test_the_list_needs_no_other_place_than_the_store(site: Site) -> None:
    site.append(*THREE)
    assert site.outfall("run", "--once").returncode == 0
    site.environment["OUTFALL_ALERTS__JSONL"] = "none/alerts.jsonl"
    assert len(site.alerts()) == 1
    check = site.outfall("config", "check")
    assert check.returncode == 2
    assert "alerts.jsonl: the folder " in check.stderr


def test_the_queue_of_alerts(site: Site) -> None:
    assert site.outfall("alerts", "list").returncode == 2
    site.append(*THREE)
    site.outfall("run", "--once")
    identity = site.alerts()[0]["id"]
    for said, (name, *rest) in {
        "acknowledged": ["acknowledge"],
        "assigned to lee": ["assign", "lee"],
        "comment kept": ["comment", "asked kim"],
        "closed": ["close", "--reason", "fine"],
    }.items():
        done = site.outfall("alerts", name, identity[:8], *rest, "--by", "sam")
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == f"{identity[:12]}: {said}\n"
    again = site.outfall("alerts", "close", identity[:8], "--json")
    assert again.returncode == 0
    assert "already closed" in again.stderr
    assert json.loads(again.stdout)["state"] == "closed"
    for name, *rest in (["assign", ""], ["comment", " "], ["close", "--reason", ""]):
        empty = site.outfall("alerts", name, identity[:8], *rest)
        assert (empty.returncode, empty.stderr) == (2, f"{name}: the text is empty; nothing was done\n")
    site.append(upload(4, "kim", "4.zip"))
    site.outfall("run", "--once")
    shown = json.loads(site.outfall("alerts", "show", identity, "--json").stdout)
    assert shown["revision"] == 2
    assert (shown["state"], shown["assignee"]) == ("closed", "lee")
    assert [item["action"] for item in shown["handling"]] == ["acknowledge", "assign", "comment", "close"]
    assert {item["by"] for item in shown["handling"]} == {"sam"}
    assert site.outfall("alerts", "list", "--open").stdout == ""
    missing = site.outfall("alerts", "show", "zzz")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no alert" in missing.stderr
