"""`outfall run` as a process: batches, restarts, signals, exit statuses, and the queue of alerts."""

from __future__ import annotations

import json
import os
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
    assert printed["id"] == alert["id"]
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
        wait_for(lambda: sum(path.stat().st_size for path in site.folder.glob("state/spool/*")) > 400)
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


def test_the_queue_of_alerts(site: Site) -> None:
    assert site.outfall("alerts", "list").returncode == 2
    site.append(*THREE)
    site.outfall("run", "--once")
    identity = site.alerts()[0]["id"]
    for command in (
        ["acknowledge"],
        ["assign", "lee"],
        ["comment", "asked kim"],
        ["close", "--reason", "fine"],
    ):
        name, *rest = command
        done = site.outfall("alerts", name, identity[:8], *rest, "--by", "sam")
        assert done.returncode == 0, done.stderr
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
