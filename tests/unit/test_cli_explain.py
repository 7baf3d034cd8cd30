"""`outfall match --explain`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.terminal import plain, shown
from streams.detect.failure import failure_reason
from streams.safe_regex import TextTooLongError

TOO_LONG = failure_reason(TextTooLongError())

RULES = """
title: Command line
id: 5638f7c0-ac70-491d-8465-2a65075e0d86
logsource: {product: windows, category: process_creation}
detection:
    sel: {Image|endswith: cmd.exe}
    quiet: {User: [anna, bert]}
    condition: sel and not quiet
---
title: Slow
name: slow
logsource: {product: linux}
detection:
    sel: {a|re: '(?!y)x+y'}
    condition: sel
---
title: Many
name: many
correlation: {type: event_count, rules: slow, timespan: 1h, condition: {gte: 1}}
"""
ID = "5638f7c0-ac70-491d-8465-2a65075e0d86"
SOURCE = {"src.product": "windows", "src.category": "process_creation"}
RECORDS: list[Any] = [
    {"Image": "C:\\cmd.exe", "User": "Carl", **SOURCE},
    {"Image": "C:\\cmd.exe", "User": "Anna", **SOURCE},
    {"Image": "C:\\cmd.exe"},
    {"a": "x" * 5000},
]
JSON = ["--format", "json", "--logsource-field", "src"]


def command(folder: Path, *arguments: str, records: list[Any] = RECORDS, rules: str = RULES) -> list[str]:
    (folder / "rules.yml").write_text(rules)
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    (folder / "log.json").write_text("".join(f"{line}\n" for line in lines))
    start = [sys.executable, "-c", "from streams.cli import main; main()", "match", *JSON]
    return [*start, "--rules", str(folder / "rules.yml"), str(folder / "log.json"), *arguments]


def run(folder: Path, *arguments: str, **given: Any) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(command(folder, *arguments, **given), capture_output=True, check=False, timeout=60)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_each_record_and_rule(tmp_path: Path) -> None:
    code, found, said = run(tmp_path, "--explain")
    assert (code, said) == (0, "")
    assert [(one["event"], one["title"], one["applies"], one["matched"]) for one in found] == [
        (0, "Command line", True, True),
        (0, "Slow", False, False),
        (1, "Command line", True, False),
        (1, "Slow", False, False),
        (2, "Command line", False, False),
        (2, "Slow", False, False),
        (3, "Command line", False, False),
        (3, "Slow", False, False),
    ]


def test_one_record_and_rule_in_full(tmp_path: Path) -> None:
    code, found, _ = run(tmp_path, "--explain", "--rule", ID.upper(), "--line", "1")
    assert code == 0
    user = {"field": "User", "event_field": "User", "values": ["Anna"]}
    assert found == [
        {
            "event": 1,
            "rule": ID,
            "title": "Command line",
            "place": f"{tmp_path / 'rules.yml'}:2:1",
            "applies": True,
            "matched": False,
            "logsource": {"category": "process_creation", "product": "windows", "service": None},
            "event_logsources": [{"category": "process_creation", "product": "windows", "service": None}],
            "condition": {
                "is": "and",
                "true": False,
                "parts": [
                    {
                        "is": "text",
                        "true": True,
                        "words": 'Image ends with "cmd.exe"',
                        "looked_at": [{"field": "Image", "event_field": "Image", "values": ["C:\\cmd.exe"]}],
                    },
                    {
                        "is": "not",
                        "true": False,
                        "parts": [
                            {
                                "is": "or",
                                "true": True,
                                "parts": [
                                    {
                                        "is": "text",
                                        "true": True,
                                        "words": 'User is "anna"',
                                        "looked_at": [user],
                                    },
                                    {
                                        "is": "text",
                                        "true": False,
                                        "words": 'User is "bert"',
                                        "looked_at": [user],
                                    },
                                ],
                            }
                        ],
                    },
                ],
            },
        }
    ]


def test_what_does_not_apply_is_explained_as_if_it_did(tmp_path: Path) -> None:
    _, (one,), _ = run(tmp_path, "--explain", "--rule", ID, "--line", "2")
    assert (one["applies"], one["matched"], one["condition"]["true"]) == (False, False, True)
    assert one["logsource"]["product"] == "windows"
    _, (other,), _ = run(tmp_path, "--explain", "--rule", ID, "--line", "2", "--ignore-logsource")
    assert (other["applies"], other["matched"]) == (True, True)


def test_a_rule_that_raises(tmp_path: Path) -> None:
    code, (one,), _ = run(tmp_path, "--explain", "--rule", "slow", "--line", "3", "--ignore-logsource")
    assert code == 1
    assert (one["matched"], one["condition"]["true"]) == (None, None)
    assert one["condition"]["failed"] == TOO_LONG
    (value,) = one["condition"]["looked_at"][0]["values"]
    assert value == "x" * 200 + "… and 4800 characters more"


def test_long_lists_are_cut_with_a_word(tmp_path: Path) -> None:
    _, (one,), _ = run(tmp_path, "--explain", "--rule", "slow", records=[{"a": list(range(50)), "b": 10**30}])
    (looked,) = one["condition"]["looked_at"]
    assert (looked["values"], looked["more_values"]) == (list(range(20)), 30)


def test_it_shows_as_a_tree_on_a_terminal(tmp_path: Path) -> None:
    records = [{"Image": "\x1b[31mcmd.exe", "User": "Anna"}]
    status, raw = shown(command(tmp_path, "--explain", "--rule", ID, records=records))
    assert status == 0
    text = plain(raw)
    assert text.startswith("line 0: Command line")
    assert "does not match" in text
    assert "wants category: process_creation, product: windows; the event has none" in text
    assert 'Image ends with "cmd.exe" · Image = "\\u001b[31mcmd.exe"' in text
    assert "\x1b[31mcmd" not in raw
    assert 'User is "anna" · User = "Anna"' in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "--rule", "nowhere"], "no rule with the id or name 'nowhere'"),
        (["--explain", "--rule", "many"], "is a correlation"),
        (["--explain", "--line", "9"], "no record ends in line 9"),
        (["--rule", "slow"], "belong to --explain"),
        (["--line", "0"], "belong to --explain"),
    ],
)
def test_wrong_use(tmp_path: Path, arguments: list[str], said: str) -> None:
    code, found, errors = run(tmp_path, *arguments)
    assert (code, found) == (2, [])
    assert said in " ".join(errors.replace("│", " ").split())


def test_refused_rules_and_rejected_records_are_told(tmp_path: Path) -> None:
    broken = f"{RULES}---\ntitle: Broken\nlogsource: {{product: x}}\ndetection: {{s: word, condition: s}}\n"
    code, found, said = run(tmp_path, "--explain", records=["{", {"a": 1}], rules=broken)
    assert (code, len(found)) == (1, 2)
    assert "rules.yml:23:13" in said
    assert "line 0:" in said
    assert run(tmp_path, "--explain", "--line", "0", records=["{", {"a": 1}])[0] == 3
