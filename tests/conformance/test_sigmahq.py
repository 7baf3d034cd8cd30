"""SigmaHQ's own rules and regression logs, where the folder with them is beside the checkout."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.detect import fields
from streams.detect.load import RuleBook, load
from streams.detect.ruleset import RuleSet
from streams.event import Event, Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "sigmahq"


@pytest.fixture(scope="module")
def book(folder: Path) -> RuleBook:
    return load(sorted(folder.glob("rules*")))


@pytest.fixture(scope="module")
def cases(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "regression" / "manifest.json").read_text("utf-8"))
    return found


def documents(path: Path) -> Iterator[dict[str, Any]]:
    """Give the JSON documents of a log: several after one another, or in a list."""
    text, decoder = path.read_text("utf-8").strip(), json.JSONDecoder()
    while text:
        document, end = decoder.raw_decode(text)
        yield from document if isinstance(document, list) else [document]
        text = text[end:].strip()


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """Name the data as the rules do (Sigma 2.1, "Field Usage"): `Tag_Attribute`, and without spaces."""
    found: dict[str, Any] = {}
    for tag, value in document["Event"]["System"].items():
        if isinstance(value, dict):
            found |= {f"{tag}_{name}": inner for name, inner in value.get("#attributes", {}).items()}
        else:
            found[tag] = value
    for section in (document["Event"].get("EventData") or {}, document["Event"].get("UserData") or {}):
        for name, value in section.items():
            if isinstance(value, dict):
                found |= {inner: v for inner, v in value.items() if inner != "#attributes"}
            else:
                found[name.replace(" ", "")] = value
    return found


def read(line: dict[str, Any], form: str) -> Event:
    record = RawRecord(json.dumps(line).encode(), Origin("test", "log", 0, 0))
    return normalise(record, FORMATS[form], Context(received=0), require_time=False)


def wrong(rules: RuleSet, book: RuleBook, cases: list[dict[str, Any]], folder: Path, form: str) -> list[str]:
    """Give the cases whose rule does not match as many events as it should."""
    ids = {detection.rule.place.path: detection.rule.id for detection in book.detections}
    found = []
    for case in cases:
        read_as = [
            read(flat(document) if form == "json" else document, form)
            for document in documents(folder / case["log"])
        ]
        matches, failures = rules.match(read_as)
        assert not failures
        count = Counter(match.rule.id for match in matches)[ids[str(folder / case["rule"])]]
        if count != case.get("expected_exact", count) or count < case["expected_at_least"]:
            found.append(f"{case['rule']}: {count} instead of {case['expected_at_least']}")
    return found


def test_every_rule_compiles_exactly_or_is_refused_with_its_place(book: RuleBook, folder: Path) -> None:
    files = [path for part in folder.glob("rules*") for path in part.rglob("*.yml")]
    expected = sum(len(list(yaml.compose_all(path.read_bytes(), yaml.CSafeLoader))) for path in files)
    assert expected > 3000
    assert len(book.rules) + len(book.refused) == expected
    assert all(refusal.place.line and refusal.reason for refusal in book.refused)
    assert [str(refusal) for refusal in book.refused] == []  # none needs to be, so far


def test_regression_logs_by_the_names_of_the_rules(
    book: RuleBook, cases: list[dict[str, Any]], folder: Path
) -> None:
    assert len(cases) > 100
    rules = RuleSet(book, ignore_logsource=True, mapping=fields.NONE)
    assert wrong(rules, book, cases, folder, "json") == []


def test_regression_logs_as_windows_events(book: RuleBook, cases: list[dict[str, Any]], folder: Path) -> None:
    """The events' log sources decide which rules apply, the mapping of Windows says what fields mean."""
    assert wrong(RuleSet(book), book, cases, folder, "windows_event") == []
