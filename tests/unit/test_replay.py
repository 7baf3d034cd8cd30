"""`outfall replay`: what it promises about files, lines, lateness and exit statuses."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app, exits

RULES = """
title: A download
name: download
logsource: {product: any}
detection:
  event: {action: download}
  condition: event
---
title: Downloads
name: downloads
correlation:
  type: %s
  rules: [download]
  group-by: [user]
  timespan: 10s
  condition: {%s}
"""


def replay(
    folder: Path,
    *files: Iterable[dict[str, Any] | str],
    rules: str = RULES % ("event_count", "gte: 2"),
    **options: str,
) -> tuple[int, list[dict[str, Any]], str]:
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    names = []
    for index, lines in enumerate(files):
        name = folder / f"log{index}.jsonl"
        texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
        name.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        names.append(str(name))
    given = {"format": "json", "time-field": "t", "id-field": "k"} | options
    flags = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)]
    result = CliRunner().invoke(
        app,
        ["replay", "--rules", str(folder / "rules.yml"), "--ignore-logsource", "--firings", *flags, *names],
    )
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()], result.stderr


def download(key: str, time: object, user: object = "ann", **fields: object) -> dict[str, Any]:
    return {"t": time, "k": key, "action": "download", "user": user} | fields


def test_lines_are_numbered_from_0_and_on_from_file_to_file(tmp_path: Path) -> None:
    code, firings, _ = replay(
        tmp_path,
        [download("a", 100), "", {"t": 103, "k": "other", "action": "view"}],
        [download("b", "1970-01-01T00:01:45Z"), download("a", 100)],
    )
    assert code == exits.DONE
    assert firings == [
        {
            "rule": "downloads",
            "title": "Downloads",
            "group": {"user": "ann"},
            "time": "1970-01-01T00:01:45Z",
            "value": 2,
            "events": [0, 3],
        }
    ]


def test_the_order_of_lines_and_files_does_not_matter(tmp_path: Path) -> None:
    events = [download(key, time) for key, time in (("a", 100), ("b", 104), ("c", 111))]
    told = []
    for one, two, three in itertools.permutations(events):
        _, firings, _ = replay(tmp_path, [one], [two, three])
        told.append([(firing["time"], firing["value"]) for firing in firings])
    assert all(firings == told[0] for firings in told)
    assert len(told[0]) == 2


@pytest.mark.parametrize(("time", "late"), [(100, False), (99.999999999, True)])
def test_the_allowed_lateness_is_inclusive(tmp_path: Path, time: float, late: bool) -> None:
    newest = download("new", 110)
    code, firings, said = replay(tmp_path, [newest, download("old", time)], allowed_lateness="10s")
    assert code == exits.DONE
    assert len(firings) == (0 if late else 1)
    assert ("later than the allowed lateness" in said) == late


def test_a_record_that_cannot_be_read_is_told_by_its_line(tmp_path: Path) -> None:
    code, firings, said = replay(tmp_path, [download("a", 100), "{", download("b", 101)])
    assert code == exits.REJECTED
    assert "log0: line 1: not JSON" in said
    assert firings[0]["events"] == [0, 2]


def test_what_a_log_says_of_its_columns_holds_for_the_lines_that_follow(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES % ("event_count", "gte: 2"), encoding="utf-8")
    log = tmp_path / "proxy.log"
    log.write_text("#Fields: date time c-ip cs-host\n2026-03-02 09:00:00 10.0.0.1 a.example\n")
    arguments = ["replay", "--rules", str(tmp_path / "rules.yml"), "--format", "proxysg", str(log)]
    assert CliRunner().invoke(app, arguments).exit_code == exits.DONE


def test_a_refused_rule_is_told_and_the_others_run(tmp_path: Path) -> None:
    broken = "\n---\ntitle: Broken\nname: broken\ncorrelation: {type: event_count, rules: [nothing]}\n"
    code, firings, said = replay(
        tmp_path,
        [download("a", 100), download("b", 101)],
        rules=RULES % ("event_count", "gte: 2") + broken,
    )
    assert code == exits.FINDINGS
    assert "rules.yml" in said
    assert len(firings) == 1


@pytest.mark.parametrize("wrong", [{"format": "nothing"}, {"allowed_lateness": "soon"}, {"zone": "Nowhere"}])
def test_wrong_use(tmp_path: Path, wrong: dict[str, str]) -> None:
    code, firings, said = replay(tmp_path, [download("a", 100)], **wrong)
    assert (code, firings) == (exits.USAGE, [])
    assert str(next(iter(wrong)).replace("_", "-")) in said


@pytest.mark.parametrize("value", [1e308, "9" * 18, "1e308", 2**64 - 1, -1e308])
@pytest.mark.parametrize("kind", ["value_sum", "value_avg", "value_median"])
def test_enormous_values_do_not_end_a_run(tmp_path: Path, kind: str, value: object) -> None:
    rules = RULES % (kind, "neq: 0, field: size")
    events = [download(str(number), 100 + number, size=value) for number in range(3)]
    code, firings, _ = replay(tmp_path, events, rules=rules)
    assert code == exits.DONE
    assert len(firings) == 3


def test_decimals_are_added_as_they_are_written(tmp_path: Path) -> None:
    events = [download("a", 100, size=0.1), download("b", 101, size="0.2"), download("c", 101, size="1_0")]
    code, firings, _ = replay(tmp_path, events, rules=RULES % ("value_sum", "eq: 0.3, field: size"))
    assert code == exits.DONE
    assert [firing["value"] for firing in firings] == [0.3]


def test_many_events_at_once_or_in_any_order_do_not_stall(tmp_path: Path) -> None:
    at_once = [download(str(number), 100) for number in range(1500)]
    backwards = [download(f"b{number}", 5000 - number) for number in range(1500)]
    code, firings, _ = replay(tmp_path, at_once, backwards)
    assert code == exits.DONE
    assert firings[0]["value"] == 1500
    assert len(firings) == 1500
