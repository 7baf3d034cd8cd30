"""`outfall worker`: what it refuses to start with, and how it goes on with other rules."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.kafka import Kafka, admin
from services.live_worker import COUNTING, OUTFALL, LiveFolder
from services.process import wait_for
from streams.cli import exits
from streams.runtime.worker import FAILED

pytestmark = pytest.mark.services

DELETION = """
---
title: A deletion
name: deletion
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f03
level: low
logsource: {category: file, product: outfall}
detection: {event: {event.action: delete}, condition: event}
"""


def event(number: int, action: str = "export", user: str = "alice") -> dict[str, Any]:
    return {
        "@timestamp": f"2026-03-02T10:{number // 60:02d}:{number % 60:02d}Z",
        "event": {"id": f"{action}-{user}-{number}", "action": action},
        "user": {"name": user},
        "outfall": {"channel": "file"},
    }


@pytest.fixture
def live(kafka: Kafka, tmp_path: Path) -> LiveFolder:
    made = LiveFolder(tmp_path, kafka.bootstrap)
    made.rules(COUNTING)
    return made


@pytest.fixture
def ready(live: LiveFolder) -> LiveFolder:
    done = live.outfall("topics", "create")
    assert done.returncode == exits.DONE, done.stderr
    return live


def test_it_does_not_start_without_its_topics(live: LiveFolder) -> None:
    done = live.outfall("worker")
    assert done.returncode == exits.USAGE
    ours = ("content", "matches", "alerts", "dead-letters", "configuration", f"state.{live.prefix}.matches")
    for name in ("raw", *ours):
        assert f"{live.prefix}.{name}" in done.stderr, done.stderr


def test_it_does_not_start_with_other_settings_than_the_rest(ready: LiveFolder) -> None:
    ready.more = 'clock_skew = "10m"'
    done = ready.outfall("worker")
    assert done.returncode == exits.USAGE
    assert "clock_skew: 10m is set here, and 5m was agreed" in done.stderr


def test_it_does_not_read_files(live: LiveFolder) -> None:
    log = live.folder / "a.log"
    log.touch()
    config = live.folder / "files.toml"
    config.write_text(f'rules = ["rules"]\n[[sources]]\nname = "a"\npath = "{log}"\n', encoding="utf-8")
    done = live.outfall("worker", config=config)
    assert done.returncode == exits.USAGE
    assert "kind file is read by `outfall run`, not by `outfall worker`" in done.stderr


def test_windows_stay_when_rules_are_loaded_again(ready: LiveFolder) -> None:
    with ready.worker() as worker:
        worker.wait_ready()
        ready.send(event(number) for number in range(3))
        ready.rules(COUNTING + DELETION)
        worker.process.send_signal(signal.SIGHUP)
        worker.wait_logged('"rules loaded"', 2)
        ready.send([event(3), event(4, "delete")])
        alerts = {alert.rule.name: alert for alert in ready.alerts(2)}
        assert alerts["many_exports"].observed == 4
        assert alerts["many_exports"].rule.version == alerts["deletion"].rule.version
        assert alerts["many_exports"].rule.configuration is not None
        ready.rules("title: no rule at all\n")
        worker.process.send_signal(signal.SIGHUP)
        worker.wait_logged("new rules or enrichment cannot be used")
        ready.send([event(5, "delete", "bob")])
        assert {alert.rule.name for alert in ready.alerts(3)} == {"many_exports", "deletion"}


def test_rules_are_taken_when_they_are_published(ready: LiveFolder) -> None:
    ready.configuration = "topic"
    refused = ready.outfall("worker")
    assert refused.returncode == exits.USAGE
    assert "no rules are published; use `outfall publish`" in refused.stderr
    first = ready.outfall("publish")
    assert first.returncode == exits.DONE, first.stderr
    with ready.worker() as worker:
        worker.wait_ready()
        ready.send(event(number) for number in range(3))
        ready.rules(COUNTING + DELETION)
        second = ready.outfall("publish")
        worker.wait_logged('"rules loaded"', 2)
        ready.send([event(3)])
        (alert,) = ready.alerts(1)
        assert alert.observed == 4
        assert alert.rule.version == orjson.loads(second.stdout)["rule_book"]
        assert alert.rule.version != orjson.loads(first.stdout)["rule_book"]


def test_a_published_bundle_is_taken_if_it_is_signed_and_named_in_alerts(ready: LiveFolder) -> None:
    folder = ready.folder
    for command in (
        ["genpkey", "-algorithm", "ed25519", "-out", "key.pem"],
        ["pkey", "-in", "key.pem", "-pubout"],
    ):
        made = subprocess.run(["openssl", *command], cwd=folder, capture_output=True, check=True)
    (folder / "key.pub").write_bytes(made.stdout)

    def bundle() -> str:
        command = [OUTFALL, "rules", "bundle", "rules", "--out", "rules.tar.gz", "--key", "key.pem"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
        return str(orjson.loads(done.stdout)["bundle"])

    ready.configuration, ready.more = "topic", 'rules_key = "key.pub"'
    first = bundle()
    config = ready.config("rules.tar.gz")
    assert ready.outfall("publish", config=config).returncode == exits.DONE
    with ready.worker("rules.tar.gz") as worker:
        worker.wait_ready()
        ready.send(event(number) for number in range(4))
        (alert,) = ready.alerts(1)
        assert alert.rule.bundle == first
        assert f'bundle="{first}"' in worker.page("/metrics")[1]
        ready.more = ""  # somebody publishes rules that nobody has signed
        assert ready.outfall("publish").returncode == exits.DONE
        worker.wait_logged("new rules or enrichment cannot be used")
        ready.rules(COUNTING + DELETION)
        second = bundle()
        assert ready.outfall("publish", config=config).returncode == exits.DONE
        worker.wait_logged('"rules loaded"', 2)
        ready.send([event(4, "delete")])
        assert {alert.rule.bundle for alert in ready.alerts(2)} == {first, second}


APPROVED = """
---
title: What Alice exports is approved
name: approved
logsource: {category: file, product: outfall}
filter: {rules: [export], alice: {user.name: alice}, condition: not alice}
outfall: {owner: the archive, reason: decision 5, expires: 2999-12-31}
"""


def test_what_an_exception_suppresses_is_counted_and_pages_nobody(ready: LiveFolder) -> None:
    ready.rules(COUNTING + APPROVED)
    with ready.worker() as worker:
        worker.wait_ready()
        ready.send(event(number) for number in range(4))
        (alert,) = ready.alerts(1)
        page = worker.page("/metrics")[1]
    assert (alert.suppressed_by, alert.pages) == (["approved"], 0)
    rule = alert.rule.id
    assert f'outfall_alerts_suppressed_total{{exception="approved",rule="{rule}"}} 1.0' in page
    assert 'outfall_expiry_timestamp_seconds{mandate="approved"} 3.25' in page
    assert "outfall_alerts_total{" not in page, "it is none"
    watched = ready.outfall("alerts", "watch", "--from-beginning", "--idle", "2s")
    assert watched.stdout == ""


def test_events_are_there_for_hunting_under_the_ids_that_alerts_name(live: LiveFolder) -> None:
    live.events = True
    assert live.outfall("topics", "create").returncode == exits.DONE
    with live.worker() as worker:
        worker.wait_ready()
        mail = event(9, "send") | {"outfall": {"channel": "email", "raw": {"subject": ["P-Ann-Other"]}}}
        live.send([*(event(number) for number in range(4)), mail])
        (alert,) = live.alerts(1)
        found = wait_for("all events", lambda: some if len(some := live.records("events")) >= 5 else None)
    events = {record.key.decode(): orjson.loads(record.value) for record in found or ()}
    assert len(events) == 5
    for item in alert.evidence:
        assert events[item.id]["event"]["action"] == "export"
        assert events[item.id]["outfall"]["actor"]["id"] == "alice"
    assert not any(b"Ann-Other" in record.value for record in found or ())


def test_an_event_that_a_later_one_explains_comes_again_behind_itself(live: LiveFolder) -> None:
    live.events = True
    assert live.outfall("topics", "create").returncode == exits.DONE
    digest = "sha256:" + "a" * 64
    mail = event(2, "send") | {"outfall": {"channel": "email", "content": {"carries": [digest]}}}
    people = {"subject": ["P-1", "P-2"]}
    content = {"channel": "case_system", "content": {"produces": [digest]}, "raw": people}
    with live.worker() as worker:
        worker.wait_ready()
        live.send([mail])
        wait_for("the mail", lambda: live.records("events") or None)
        live.send([event(1) | {"outfall": content}])
        found = wait_for("all events", lambda: some if len(some := live.records("events")) >= 3 else None)
    mails = [record for record in found or () if b'"send"' in record.value]
    assert len(mails) == 2
    assert len({(record.partition, record.key) for record in mails}) == 1
    before, after = (orjson.loads(record.value)["outfall"] for record in mails)
    assert "subjects" not in before
    assert after["subjects"]["count"] == 2


def test_what_is_not_right_is_not_published(ready: LiveFolder) -> None:
    ready.rules(COUNTING.replace("gte: 4", "gte: four"))
    done = ready.outfall("publish")
    assert done.returncode == exits.FINDINGS
    assert "nothing is published" in done.stderr
    assert "rules.yml" in done.stderr


def test_two_rule_books_run_side_by_side(ready: LiveFolder) -> None:
    plain = COUNTING.replace("gte: 4", "gte: 1")
    ready.rules(plain)
    ready.rules(plain + DELETION, "newer")
    with ready.worker() as old, ready.worker("newer") as new:
        old.wait_ready()
        new.wait_ready()
        ready.send(event(number, user=f"user{number}") for number in range(50))
        alerts = ready.alerts(50)
    assert {alert.group["user.name"] for alert in alerts} == {f"user{number}" for number in range(50)}
    assert len({alert.rule.version for alert in alerts}) == 2


def test_the_breaker_leaves_what_it_cannot_read_in_the_topic(ready: LiveFolder) -> None:
    records = [orjson.dumps(event(number)) for number in range(1200)]
    ready.format = "squid"
    assert ready.outfall("topics", "create", "--change").returncode == exits.DONE
    ready.send(records)
    for _ in range(2):  # a restart changes nothing
        with ready.worker() as worker:
            worker.wait_logged("breaker open")
            assert worker.page("/readyz")[0] == 503
            assert "breaker open: app" in worker.page("/readyz")[1]
            assert 'outfall_breaker_open{source="app"} 1.0' in worker.page("/metrics")[1]
    before = len(ready.records("dead_letters"))
    assert before < len(records)
    ready.format = "ecs"
    assert ready.outfall("topics", "create", "--change").returncode == exits.DONE
    with ready.worker() as worker:
        worker.wait_ready()
        assert ready.alerts(1)[-1].observed == len(records) - before
    assert len(ready.records("dead_letters")) == before


def test_it_does_not_go_on_without_its_state(kafka: Kafka, ready: LiveFolder) -> None:
    with ready.worker() as worker:
        worker.wait_ready()
        ready.send(event(number) for number in range(4))
        ready.alerts(1)
    with admin(bootstrap_servers=kafka.bootstrap) as client:
        client.delete_topics([f"{ready.prefix}.state.{ready.prefix}.raw"])
    assert ready.outfall("topics", "create").returncode == exits.DONE
    done = ready.outfall("worker")
    assert done.returncode == FAILED, done.stderr
    assert "the state is missing, or older" in done.stderr
