"""`outfall topics acls`: what each role may do, in three forms, without asking a broker."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.live import Live
from streams.cli import app, exits


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path, "127.0.0.1:9092", "council").write()


def rights(live: Live, role: str) -> set[tuple[str, str, str]]:
    said = live.run("topics", "acls", f"--{role}", "User:me")
    assert said.status == 0
    assert {line["principal"] for line in said.lines} == {"User:me"}
    assert {line["permission"] for line in said.lines} == {"ALLOW"}
    assert {line["role"] for line in said.lines} == {role}
    return {
        (line["resource"], line["name"] + ("*" if line["pattern"] == "PREFIXED" else ""), line["operation"])
        for line in said.lines
    }


def test_a_worker_makes_no_topics_and_reads_only_what_it_must(live: Live) -> None:
    given = rights(live, "worker")
    assert {operation for _, _, operation in given} == {"READ", "WRITE", "DESCRIBE_CONFIGS"}
    assert ("TRANSACTIONAL_ID", "council/*", "WRITE") in given
    assert ("GROUP", "council", "READ") in given
    assert {name for kind, name, operation in given if (kind, operation) == ("TOPIC", "READ")} == {
        "council-raw",
        "council.content",
        "council.matches",
        "council.configuration",
        "council.state.council-raw",
        "council.state.council.content",
        "council.state.council.matches",
    }
    assert ("TOPIC", "council-raw", "WRITE") not in given
    assert ("TOPIC", "council.configuration", "WRITE") not in given


def test_others_may_do_no_more_than_their_work(live: Live) -> None:
    assert rights(live, "producer") == {
        ("TOPIC", "council-raw", "WRITE"),
        ("TOPIC", "council-raw", "DESCRIBE_CONFIGS"),
    }
    reading = {("TOPIC", "council.alerts", "READ"), ("GROUP", "council.*", "READ")}
    assert rights(live, "reader") == reading
    assert rights(live, "deliverer") == reading | {("TOPIC", "council.dead-letters", "WRITE")}
    operator = rights(live, "operator")
    assert {name for _, name, operation in operator if operation == "READ"} == {
        "council.dead-letters",
        "council.configuration",
    }
    assert [name for _, name, operation in operator if operation == "DELETE"] == ["council.dead-letters"]
    assert not [right for right in operator if right[2] in {"ALTER", "ALTER_CONFIGS", "ALL"}]


def test_as_commands_for_a_shell(live: Live) -> None:
    name = "User:CN=proxy host,O=Council"
    arguments = ["topics", "acls", "--config", str(live.config), "--producer", name, "--worker", "User:w"]
    result = CliRunner().invoke(app, [*arguments, "--format", "commands"])
    note, *commands = result.stdout.splitlines()
    assert note.startswith("#")
    words = [shlex.split(command) for command in commands]
    assert all(command[:3] == ["kafka-acls.sh", "--bootstrap-server", "127.0.0.1:9092"] for command in words)
    assert [*["--add", "--allow-principal"], name, "--operation", "Write"] in [
        command[3:8] for command in words
    ]
    assert any(" --operation DescribeConfigs " in command for command in commands)
    assert any(
        command.endswith("--transactional-id council/ --resource-pattern-type prefixed")
        for command in commands
    )


def test_as_a_table(live: Live) -> None:
    arguments = ["topics", "acls", "--config", str(live.config), "--operator", "User:ops"]
    shown = CliRunner().invoke(app, [*arguments, "--format", "table"], env={"COLUMNS": "200"}).stdout
    row = " ".join(next(line for line in shown.splitlines() if "cluster" in line).split())
    assert row == "operator User:ops cluster kafka-cluster describe, describe configs"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "at least one role"),
        (["--worker", "outfall"], "--worker outfall: write TYPE:NAME"),
        (["--reader", "User:"], "--reader User:: write TYPE:NAME"),
    ],
)
def test_principals_must_be_named(live: Live, arguments: list[str], problem: str) -> None:
    said = live.run("topics", "acls", *arguments)
    assert (said.status, said.lines) == (2, [])
    assert problem in said.complaints


def test_sources_that_a_worker_does_not_read_are_told(live: Live) -> None:
    live.write(source='[[sources]]\nname = "proxy"\nkind = "stdin"\n')
    said = live.run("topics", "acls", "--worker", "User:w")
    assert said.status == 2
    assert "kind stdin is read by `outfall run`" in said.complaints


def test_hunters_read_events_where_there_are_any(live: Live) -> None:
    refused = live.run("topics", "acls", "--hunter", "User:me")
    assert refused.status == exits.USAGE
    assert "kafka.events is off" in refused.complaints
    live.write("events = true")
    assert rights(live, "hunter") == {("TOPIC", "council.events", "READ"), ("GROUP", "council.*", "READ")}
    assert ("TOPIC", "council.events", "WRITE") in rights(live, "worker")
