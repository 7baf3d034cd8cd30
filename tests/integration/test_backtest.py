"""`outfall rules backtest`: the alerts of production, for any number of processes; two books side by side."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord

from episodes import differing, episodes, paged
from services.council import council
from services.kafka import Kafka
from services.live_worker import COUNTING, LiveFolder
from services.outfall import ENVIRONMENT, OUTFALL
from services.tail import Tail
from services.workers import ENVIRONMENT as OF_WORKERS
from services.workers import Live, Workers
from streams.alert import Alert
from streams.cli import exits
from streams.errors import ConfigError
from streams.event import RawRecord
from streams.runtime import stored_logs
from streams.runtime.headers import ORIGIN, PROGRESS
from streams.runtime.stored_logs import TopicLog, record_of
from streams.settings import load
from streams.simulate.run import Simulation, simulate
from streams.stages.reader import Prepared

RULES = Path(__file__).resolve().parents[2] / "rules"
ASIDE = {"detected", "freshness", "revision"}
"""When it was detected, how far sources had come then, and how many revisions batches led to."""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day with everything planted, its own copy of the rules in git."""
    folder = tmp_path_factory.mktemp("backtest") / "council"
    rules = folder.parent / "book"
    shutil.copytree(RULES, rules)
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "--quiet", "--message=rules"],
    ):
        subprocess.run(["git", *command], cwd=rules, check=True, timeout=60)
    simulate(Simulation(seed=5, people=80, days=1), folder, rules)
    let_time_pass(folder / "logs" / "gateway.jsonl")
    return folder


def let_time_pass(log: Path) -> None:
    """Add an event ten days later: a run waits for as much before it fires what rests on an absence."""
    with log.open("a+", encoding="utf-8") as file:
        file.seek(0)
        last = json.loads(file.readlines()[-1])
        last["@timestamp"] = "2026-03-12T00:00:00Z"
        last["event"]["id"] = "ten days later"
        file.write(json.dumps(last) + "\n")


def outfall(
    folder: Path, *arguments: str, environment: dict[str, str] = ENVIRONMENT
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [OUTFALL, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def alerts(path: Path) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {alert["id"]: {k: v for k, v in alert.items() if k not in ASIDE} for alert in found}


def test_a_preview_equals_production(day: Path, tmp_path: Path) -> None:
    ran = outfall(day, "run", "--once")
    assert ran.returncode == exits.DONE, ran.stderr
    listed = outfall(day, "alerts", "export")
    produced = tmp_path / "produced.jsonl"
    produced.write_text(listed.stdout, encoding="utf-8")
    previews = []
    for processes in ("1", "2", "5"):
        preview = tmp_path / f"{processes}.jsonl"
        done = outfall(day, "rules", "backtest", "--processes", processes, "--alerts", str(preview))
        assert done.returncode == exits.DONE, done.stderr
        previews.append((done.stdout, alerts(preview)))
    assert previews[0] == previews[1] == previews[2], "whatever the number of processes"
    expected = {identity: alert.get("alert", alert) for identity, alert in alerts(produced).items()}
    found = previews[0][1]
    assert len(found) > 5
    assert found.keys() == expected.keys()
    for identity, alert in found.items():
        assert alert == {name: expected[identity][name] for name in alert}, alert["rule"]["name"]


def test_each_rule_and_all_together_are_summed_up(day: Path, tmp_path: Path) -> None:
    done = outfall(day, "rules", "backtest", "--alerts", str(tmp_path / "alerts.jsonl"))
    *rules, total = [json.loads(line) for line in done.stdout.splitlines()]
    there = [*alerts(tmp_path / "alerts.jsonl").values()]
    assert {line["rule"] for line in rules} == {alert["rule"]["name"] for alert in there}
    for line in (*rules, total):
        mine = [one for one in there if line["rule"] in (None, one["rule"]["name"])]
        assert line["alerts"] == len(mine)
        assert line["pages"] == sum(alert["pages"] for alert in mine)
        assert line["tickets"] == sum(not alert["pages"] for alert in mine)
        assert line["people"] == max(alert["exposure"]["people"] for alert in mine)
        assert set(line["actors"]) >= {alert["actor"]["id"] for alert in mine if alert["actor"]["id"]}
    assert 9 < total["days"] < 11
    assert total["records"] == sum(path.read_bytes().count(b"\n") for path in (day / "logs").iterdir()), (
        "every line was read"
    )


def test_a_change_is_held_against_the_book_as_it_was(day: Path) -> None:
    rule = day.parent / "book" / "egress" / "many_care_records_sent_outside.yml"
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.replace("gt: 100", "gt: 100000"), encoding="utf-8")
    try:
        done = outfall(day, "rules", "backtest", "--against", "main")
        unknown = outfall(day, "rules", "backtest", "--against", "--output=x")
    finally:
        rule.write_text(text, encoding="utf-8")
    *rules, total = [json.loads(line) for line in done.stdout.splitlines()]
    (changed,) = [line for line in rules if line["rule"] == rule.stem]
    assert changed["alerts"] == 0
    assert changed["before"]["pages"] > 0
    assert total["before"]["alerts"] > total["alerts"], "pages go over to other rules of the same breach"
    same = [line for line in rules if line["rule"] == "external_forwarding_rule"]
    assert all(line["alerts"] == line["before"]["alerts"] for line in same)
    assert unknown.returncode == exits.USAGE
    assert "git" in unknown.stderr


def test_logs_are_named_by_their_source(day: Path) -> None:
    done = outfall(day, "rules", "backtest", "case_system=logs/case_system.jsonl")
    total = json.loads(done.stdout.splitlines()[-1])
    assert total["records"] == (day / "logs" / "case_system.jsonl").read_bytes().count(b"\n")
    wrong = outfall(day, "rules", "backtest", "x", "nobody=logs/proxy.log", "proxy=logs/none")
    assert wrong.returncode == exits.USAGE
    assert wrong.stdout == ""
    said = [line.partition(":")[0] for line in wrong.stderr.splitlines()]
    assert said == ["x", "nobody=logs/proxy.log", "proxy=logs/none"]


def test_what_cannot_be_read_or_run_is_told(day: Path, tmp_path: Path) -> None:
    log = tmp_path / "odd.jsonl"
    log.write_text("this is no record\n", encoding="utf-8")
    broken = tmp_path / "broken.yml"
    broken.write_text("title: a\nlogsource: {product: x}\ndetection: {condition: no}\n", encoding="utf-8")
    good = RULES / "egress" / "many_care_records_sent_outside.yml"
    done = outfall(
        day, "rules", "backtest", f"case_system={log}", "--rules", str(good), "--rules", str(broken)
    )
    assert done.returncode == exits.FINDINGS
    assert str(broken) in done.stderr
    assert "unreadable records: 1" in done.stderr


def test_a_preview_of_topics_equals_what_workers_raised(kafka: Kafka, tmp_path: Path) -> None:
    live = Live(council(tmp_path / "council", people=40), kafka).make()
    with Tail(live) as tail, Workers(live, 2):
        with live.produced():
            pass
        tail.wait_until_done()
        live.let_pass("4d")
        tail.wait_until_done()
    raised = [
        Alert.model_validate_json(record.value)
        for records in tail.of(live.topics.alerts).values()
        for record in records
    ]

    def backtest(*options: str) -> subprocess.CompletedProcess[str]:
        arguments = ("rules", "backtest", "--config", str(live.config), *options)
        return outfall(live.council.folder, *arguments, environment=OF_WORKERS)

    previews = []
    for processes in ("1", "3"):
        written = tmp_path / f"{processes}.jsonl"
        done = backtest("--processes", processes, "--alerts", str(written))
        assert done.returncode == exits.DONE, done.stderr
        previews.append((done.stdout, alerts(written)))
    assert previews[0] == previews[1], "whatever the number of processes"
    lines = (tmp_path / "1.jsonl").read_text(encoding="utf-8").splitlines()
    preview = [Alert.model_validate_json(line) for line in lines]
    assert [*differing("", episodes(preview), episodes(raised))] == []
    assert {alert.actor.id for alert in preview if alert.pages} == paged(raised)
    total = json.loads(previews[0][0].splitlines()[-1])
    assert total["records"] + total["rejected"] >= live.council.records
    later = backtest("--until", "1d")
    assert (later.returncode, "the topics hold nothing" in later.stderr) == (exits.USAGE, True)
    for options in (("--since", "1d", "mail=x"), ("--events", "--processes", "2")):
        refused = backtest(*options)
        assert (refused.returncode, "not go with" in refused.stderr) == (exits.USAGE, True), refused.stderr
    wrong = backtest("--since", "soon")
    assert (wrong.returncode, "is no time" in wrong.stderr) == (exits.USAGE, True)


def test_a_partition_of_which_nothing_more_comes_is_told(
    kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = LiveFolder(tmp_path, kafka.bootstrap)
    live.rules(COUNTING)
    assert live.outfall("topics", "create").returncode == exits.DONE
    live.send([{"@timestamp": "2026-03-02T10:00:00Z"}])
    monkeypatch.setattr(stored_logs, "_PATIENCE", 1)
    there = TopicLog("app", f"{live.prefix}.raw", 0, 0, 1, load(live.config(), places=False).kafka)
    assert len([*there.read(0, set())]) == 1
    with pytest.raises(ConfigError, match=r"raw/0: nothing comes at offset 1"):
        [*replace(there, end=2).read(0, set())]


def test_a_record_with_headers_that_are_not_ours_is_rejected_and_a_mark_is_none() -> None:
    def record(*headers: tuple[str, bytes]) -> ConsumerRecord[None, bytes]:
        return ConsumerRecord("raw", 1, 7, 1000, 0, None, b"x", 0, 0, 1, headers)

    plain = record_of(record(), "app")
    assert isinstance(plain, RawRecord)
    assert (plain.origin.stream, plain.origin.offset, plain.received) == ("raw/1", 7, 1_000_000_000)
    wrong = record_of(record((ORIGIN, b"nonsense")), "app")
    assert isinstance(wrong, Prepared)
    assert wrong.rejected
    assert record_of(record((PROGRESS, b"5")), "app") is None
