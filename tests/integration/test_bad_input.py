"""What attackers and accidents write: each gives an error that names the place, and the run goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import orjson
import pytest

GOOD = b'{"@timestamp": "2026-11-23T10:00:00Z", "user": {"name": "zebedee"}, "event": {"action": "opened"}}'
RULE = """
title: Somebody opens something
id: 1b0a27a5-8f3c-4a53-8f7c-6d0f3f4ad001
logsource: {category: test}
detection:
  opened: {event.action: opened}
  condition: opened
"""


def outfall(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).parent / "outfall"), *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=120, check=False)


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "opened.yml"
    path.write_text(RULE, encoding="utf-8")
    return path


BAD_RECORDS = {
    "truncated": GOOD[:-20],
    "nul": GOOD.replace(b"zebedee", b"zebe\x00dee"),
    "not_utf8": GOOD.replace(b"zebedee", b"zebe\xffdee"),
    "deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep_lists": b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "year_0": GOOD.replace(b"2026", b"0000"),
    "year_9999": GOOD.replace(b"2026", b"9999"),
    "no_time": b'{"user": {"name": "zebedee"}}',
    "not_an_object": b'["a"]',
    "lone_surrogate": GOOD.replace(b"zebedee", rb"\ud800"),
}


@pytest.mark.parametrize("bad", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
def test_replay_names_the_line_of_a_bad_record_and_goes_on(rule: Path, bad: bytes) -> None:
    run = outfall(
        "replay", "--rules", rule, "--ignore-logsource", "-", stdin=GOOD + b"\n" + bad + b"\n" + GOOD + b"\n"
    )
    assert run.returncode == 3, run.stderr
    assert b"line 1: " in run.stderr
    assert b"zebedee" not in run.stderr
    alerts = [orjson.loads(line) for line in run.stdout.splitlines()]
    assert [item["line"] for item in alerts[-1]["evidence"]] == [0, 2]


def test_a_line_of_50_megabytes_is_rejected_in_little_memory(rule: Path, tmp_path: Path) -> None:
    log = tmp_path / "huge.jsonl"
    log.write_bytes(GOOD + b"\n" + b'{"a": "' + b"x" * 50_000_000 + b'"}\n' + GOOD + b"\n")
    replay = [
        str(Path(sys.executable).parent / "outfall"),
        "replay",
        "--rules",
        rule,
        "--ignore-logsource",
        log,
    ]
    limited = ["/bin/bash", "-c", 'ulimit -v 1500000; exec "$@"', "bash", *replay]
    run = subprocess.run(limited, capture_output=True, timeout=120, check=False)
    assert run.returncode == 3, run.stderr
    assert b"line 1: " in run.stderr
    assert run.stdout.count(b"\n") == 1


def test_an_empty_file_and_unknown_fields_are_no_problem(rule: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    assert outfall("replay", "--rules", rule, empty).returncode == 0
    odd = GOOD.replace(b'"event"', b'"never.heard.of": {"this": [1, {"x": null}]}, "event"')
    run = outfall("match", "--rules", rule, "--ignore-logsource", "-", stdin=odd + b"\n")
    assert run.returncode == 0
    assert orjson.loads(run.stdout)["event"] == 0


def correlation(name: str, refers: str, number: int) -> str:
    return f"""
---
title: {name}
name: {name}
id: 1b0a27a5-8f3c-4a53-8f7c-6d0f3f4ad0{number:02d}
correlation:
  type: event_count
  rules: [{refers}]
  group-by: [user.name]
  timespan: 1h
  condition: {{gte: 2}}
"""


BAD_RULES = {
    "two_with_one_id": RULE + "---" + RULE.replace("Somebody", "Another"),
    "missing_reference": RULE + correlation("lost", "nobody", 10),
    "refers_to_itself": RULE + correlation("snake", "snake", 11),
    "in_a_circle": RULE + correlation("hen", "egg", 12) + correlation("egg", "hen", 13),
    "no_condition": RULE + "---" + RULE.replace("4ad001", "4ad014").replace("  condition: opened\n", ""),
    "not_yaml": RULE + "---\n a: [1\n",
}


@pytest.mark.parametrize("text", BAD_RULES.values(), ids=BAD_RULES.keys())
def test_a_bad_rule_is_refused_with_its_place_and_the_others_run(tmp_path: Path, text: str) -> None:
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(RULE.replace("4ad001", "4ad0ff").replace("Somebody", "Whoever"), encoding="utf-8")
    bad.write_text(text, encoding="utf-8")
    run = outfall("match", "--rules", tmp_path, "--ignore-logsource", "-", stdin=GOOD + b"\n")
    assert run.returncode == 1
    assert b"bad.yml:" in run.stderr
    assert b"1b0a27a5-8f3c-4a53-8f7c-6d0f3f4ad0ff" in run.stdout


def test_a_catastrophic_regular_expression_cannot_stop_the_run(tmp_path: Path) -> None:
    for number, pattern in enumerate((r"(a+)+$", r"(a|aa)+$", r"(?=(a+)+$)b", r"(\w+\s?)*$", r"(a*)*\1b")):
        text = RULE.replace("4ad001", f"4ad02{number}").replace(
            "event.action: opened", f"user.name|re: '{pattern}'"
        )
        (tmp_path / f"slow{number}.yml").write_text(text, encoding="utf-8")
    (tmp_path / "good.yml").write_text(RULE, encoding="utf-8")
    record = GOOD.replace(b"zebedee", b"a" * 200_000 + b"!")
    run = outfall("match", "--rules", tmp_path, "--ignore-logsource", "-", stdin=record + b"\n")
    assert run.returncode in (0, 1)
    assert b"4ad001" in run.stdout
    for line in run.stderr.splitlines():
        assert b"slow" in line
        assert b".yml:" in line
