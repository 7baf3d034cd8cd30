"""`outfall match`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

RULES = """
title: Command line
id: cmd
logsource: {product: windows, category: process_creation}
detection:
    sel: {Image|endswith: cmd.exe}
    condition: sel
---
title: Any
name: any_a
logsource: {product: linux}
detection:
    sel: {a: 1}
    condition: sel
---
title: Many
correlation: {type: event_count, rules: any_a, timespan: 1h, condition: {gte: 1}}
"""
CMD, ANY = ("cmd", "Command line"), ("any_a", "Any")


def run(
    folder: Path, *arguments: str, records: list[Any], rules: str = RULES
) -> tuple[int, list[tuple[int, str, str]], str]:
    """Give the exit status, the matches and what was said."""
    (folder / "rules.yml").write_text(rules)
    lines = b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)
    program = "from streams.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "match", "--rules", str(folder / "rules.yml"), *arguments],
        input=lines,
        capture_output=True,
        check=False,
        timeout=60,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [(m["event"], m["rule"], m["title"]) for m in found], done.stderr.decode()


def test_documents_as_they_are(tmp_path: Path) -> None:
    records = [{"Image": "C:\\cmd.exe"}, {"x": 1}, {"a": "1", "Image": "cmd.exe"}]
    code, found, said = run(tmp_path, "--format", "json", "--ignore-logsource", "-", records=records)
    assert (code, said) == (0, "")
    assert found == [(0, *CMD), (2, *CMD), (2, *ANY)]


def test_records_without_any_log_source_are_told_of(tmp_path: Path) -> None:
    records = [{"Image": "C:\\cmd.exe"}]
    assert "no record has a log source" in run(tmp_path, records=records)[2]
    assert run(tmp_path, "--ignore-logsource", records=records)[2] == ""


def test_documents_name_their_log_source(tmp_path: Path) -> None:
    records: list[Any] = [
        {"a": 1, "Image": "cmd.exe"},
        {"a": 1, "Image": "cmd.exe", "src": {"product": "Linux"}},
        {"Image": "cmd.exe", "src.product": "windows", "src.category": "process_creation"},
        {"Image": "cmd.exe", "src": {"product": "windows"}},
    ]
    arguments = ["--format", "json", "--logsource-field", "src"]
    assert run(tmp_path, *arguments, records=records)[:2] == (0, [(1, *ANY), (2, *CMD)])
    assert run(tmp_path, "--format", "json", records=records)[:2] == (0, [])


def test_a_mapping_is_asked_for_with_json_and_by_itself_with_ecs(tmp_path: Path) -> None:
    records = [{"winlog": {"event_data": {"Image": "cmd.exe"}}}]
    every = ["--ignore-logsource"]
    assert run(tmp_path, *every, "--format", "json", records=records)[1] == []
    mapped = run(tmp_path, *every, "--format", "json", "--mapping", "windows", records=records)
    assert mapped[1] == [(0, *CMD)]
    assert run(tmp_path, *every, records=records)[:2] == (0, [(0, *CMD)])
    assert run(tmp_path, *every, "--mapping", "none", records=records)[1] == []


def test_bad_records_are_told_with_their_line_and_the_run_goes_on(tmp_path: Path) -> None:
    records = [
        b'{"a": 1',
        {"a": 1},
        b"\xff\xfe",
        b'{"a": "\0"}',
        b"[" * 10_000,
        b"",
        b"x" * (3 << 20),
        {"a": 1},
    ]
    code, found, said = run(tmp_path, "--format", "json", "--ignore-logsource", records=records)
    assert code == 3
    assert found == [(1, *ANY), (7, *ANY)]
    assert [line.split(":")[0] for line in said.splitlines()] == [f"line {n}" for n in (0, 2, 3, 4, 6)]


def test_refused_rules_are_listed_and_the_others_run(tmp_path: Path) -> None:
    rules = (
        f"{RULES}---\ntitle: Broken\nlogsource: {{product: x}}\ndetection: {{s: {{a|no: 1}}, condition: s}}\n"
    )
    code, found, said = run(
        tmp_path, "--format", "json", "--ignore-logsource", records=[{"a": 1}, b"bad"], rules=rules
    )
    assert code == 1  # before 3
    assert found == [(0, *ANY)]
    assert "rules.yml:21:" in said
    assert "`no`" in said


def test_a_file_of_many_batches(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text("".join(json.dumps({"a": number % 1000}) + "\n" for number in range(2500)))
    found = run(tmp_path, "--format", "json", "--ignore-logsource", str(log), records=[])[1]
    assert found == [(1, *ANY), (1001, *ANY), (2001, *ANY)]


def test_a_format_that_knows_its_log_source(tmp_path: Path) -> None:
    event = {
        "EventID": 1,
        "Channel": "Microsoft-Windows-Sysmon/Operational",
        "Image": "C:\\cmd.exe",
        "UtcTime": "2026-01-01 00:00:00",
    }
    assert run(tmp_path, "--format", "windows_event", records=[event])[:2] == (0, [(0, *CMD)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "nonsense"], "--format"),
        (["--mapping", "nonsense"], "--mapping"),
        (["--format", "squid", "--logsource-field", "x"], "--logsource-field"),
        (["--rules", "/no/such/folder"], "/no/such/folder"),
        (["/no/such/file"], "/no/such/file"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], said: str) -> None:
    code, found, errors = run(tmp_path, *arguments, records=[])
    assert (code, found) == (2, [])
    assert said in errors
    assert "Traceback" not in errors
