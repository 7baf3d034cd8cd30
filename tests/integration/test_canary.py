"""`outfall rules canary`: new rules beside the old ones on live traffic, and what differs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from services.alerts import alert
from services.kafka import Kafka
from services.live_worker import COUNTING, ENVIRONMENT, OUTFALL, LiveFolder
from services.process import running, wait_for
from streams.alert import Alert, Exposure
from streams.cli import exits
from streams.rulebook.differences import Canary, differences

pytestmark = pytest.mark.services

FEWER = COUNTING.replace("gte: 4", "gte: 2")


def event(number: int, user: str) -> dict[str, Any]:
    return {
        "@timestamp": f"2026-03-02T10:00:{number:02d}Z",
        "event": {"id": f"{user}-{number}", "action": "export"},
        "user": {"name": user},
        "outfall": {"channel": "file"},
    }


EVENTS = [*(event(number, "ann") for number in range(5)), *(event(number, "bob") for number in range(2))]


def lines(text: str) -> tuple[list[Any], list[Any], Any]:
    """Give what was told as it came, the differences in the end, and the sum."""
    *told, total = map(json.loads, text.splitlines())
    return [one["so_far"] for one in told if "so_far" in one], [one for one in told if "change" in one], total


def changes(found: list[Any]) -> list[tuple[str, str, str]]:
    return [(one["change"], one["rule"], one["actor"]) for one in found]


def test_on_logs_it_looks_on_until_it_is_stopped(tmp_path: Path) -> None:
    for name, text in (("rules", COUNTING), ("new", FEWER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.yml").write_text(text, encoding="utf-8")
    source = '[[sources]]\nname = "app"\nkind = "file"\npath = "app.log"\nformat = "ecs"\n'
    (tmp_path / "outfall.toml").write_text(source, encoding="utf-8")
    log = tmp_path / "app.log"
    log.write_text("".join(f"{json.dumps(one)}\n" for one in EVENTS[:2]), encoding="utf-8")
    output = tmp_path / "said"
    command = [OUTFALL, "rules", "canary", "new", "--config", "outfall.toml"]
    with running(command, output=output, environment=ENVIRONMENT, folder=tmp_path) as process:
        wait_for("ann, with the new rules", lambda: '"ann"' in output.read_text())
        with log.open("a", encoding="utf-8") as more:
            more.writelines(f"{json.dumps(one)}\n" for one in EVENTS[2:])
        wait_for("bob, with the new rules", lambda: '"bob"' in output.read_text())
        process.terminate()
        assert process.wait(30) == exits.FINDINGS
    said = "".join(f"{line}\n" for line in output.read_text().splitlines() if line.startswith("{"))
    told, found, total = lines(said)
    assert changes(told) == [("added", "many_exports", "ann"), ("added", "many_exports", "bob")]
    assert changes(found) == [("added", "many_exports", "bob")], "both have ann's by now"
    assert total["records"] == len(EVENTS)
    assert not (tmp_path / "state").exists(), "nothing is kept"


def test_on_topics_it_commits_nothing_and_reads_beside_the_workers(kafka: Kafka, tmp_path: Path) -> None:
    live = LiveFolder(tmp_path, kafka.bootstrap)
    live.rules(COUNTING)
    live.rules(FEWER, "new")
    assert live.outfall("topics", "create").returncode == exits.DONE
    live.send(EVENTS)
    done = live.outfall("rules", "canary", str(tmp_path / "new"), "--since", "1h", "--for", "6s")
    assert done.returncode == exits.FINDINGS, done.stderr
    _, found, total = lines(done.stdout)
    assert changes(found) == [("added", "many_exports", "bob")]
    assert total["records"] == len(EVENTS)
    alike = live.outfall("rules", "canary", str(tmp_path / "rules"), "--since", "1h", "--for", "6s")
    assert alike.returncode == exits.DONE, alike.stderr
    later = live.outfall("rules", "canary", str(tmp_path / "new"), "--for", "3s")
    assert lines(later.stdout)[2]["records"] == 0, "from now on"


def test_a_rule_that_fails_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    slow = COUNTING.replace("{event.action: export}", "{message|re: '(?!y)x+y'}")
    for name, text in (("rules", COUNTING), ("new", slow)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rules.yml").write_text(text, encoding="utf-8")
    source = '[[sources]]\nname = "app"\nkind = "file"\npath = "app.log"\nformat = "ecs"\n'
    (tmp_path / "outfall.toml").write_text(source, encoding="utf-8")
    odd = event(1, "ann") | {"message": "x" * 100_000}
    (tmp_path / "app.log").write_text(f"{json.dumps(odd)}\nno record\n", encoding="utf-8")
    command = [OUTFALL, "rules", "canary", "new", "--idle", "2s"]
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == exits.FINDINGS
    assert "rules.yml:2:1: failed on an event: " in done.stderr
    assert "unreadable records: 1" in done.stderr


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ('kind = "stdin"', "kind stdin gives a record to one reader only"),
        ('kind = "syslog"\nlisten = "udp://127.0.0.1:5514"', "kind syslog gives a record to one reader only"),
    ],
)
def test_what_only_one_can_read_is_left_to_it(kind: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yml").write_text(COUNTING, encoding="utf-8")
    (tmp_path / "outfall.toml").write_text(f'[[sources]]\nname = "a"\n{kind}\nformat = "ecs"\n')
    command = [OUTFALL, "rules", "canary", "rules", "--for", "1s"]
    done = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, reason in done.stderr) == (exits.USAGE, True), done.stderr


def at(number: int, begin: str, end: str, **told: Any) -> Alert:
    times = {"first": f"2026-03-02T{begin}Z", "last": f"2026-03-02T{end}Z"}
    return alert(number, group={"who": told.pop("who", "ann")}, **times, **told)


def people(count: int) -> Exposure:
    return Exposure(people=count, subjects=[], records=0, categories=[], vulnerable=False, bytes=0)


def test_alerts_are_pairs_by_rule_group_and_time() -> None:
    old = [
        at(1, "09:00:00", "10:00:00"),
        at(2, "12:00:00", "13:00:00", pages=1),
        at(3, "09:00:00", "10:00:00", who="Bob"),
    ]
    new = [
        at(11, "09:30:00.5", "09:40:00"),
        at(12, "11:00:00", "12:30:00", pages=0),
        at(13, "10:00:00", "10:00:00", who="bob", exposure=people(7)),
        at(14, "15:00:00", "16:00:00"),
    ]
    found = [(one.change, one.alert.id) for one in differences(old, new)]
    assert found == [("changed", new[2].id), ("changed", new[1].id), ("added", new[3].id)]
    assert differences(old, old) == []
    assert [one.change for one in differences(old, [])] == ["gone"] * 3


def test_what_both_raise_in_one_batch_is_not_told_and_nothing_is_told_twice() -> None:
    canary = Canary()
    one, other = at(1, "09:00:00", "10:00:00"), at(2, "09:00:00", "10:00:00", who="bob")
    assert [*canary.take([one], [one])] == []
    assert [each.change for each in canary.take([], [other])] == ["added"]
    assert [*canary.take([], [other])] == []
    assert [each.change for each in canary.differences()] == ["added"]
    assert [*canary.take([other], [])] == []
    assert canary.differences() == []
