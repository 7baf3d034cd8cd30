"""The engine against the reference with SigmaHQ's rules: not one difference, whatever the events.

`EXACTNESS_EVENTS=200000` compares over so many generated events (`make soak`); each takes about 20 ms.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import workload
from test_sigmahq import documents, flat, read

from adversarial import adversarial
from reference import as_events, engine, reference
from streams.detect.load import RuleBook, load
from streams.detect.ruleset import RuleSet
from streams.event import Event

CHUNK = 250
GENERATED = int(os.environ.get("EXACTNESS_EVENTS", "500"))
CHUNKS = range(-(-GENERATED // CHUNK))


@pytest.fixture(scope="module")
def book(shared: Path) -> RuleBook:
    return load(sorted((shared / "sigmahq").glob("rules*")))


@pytest.fixture(scope="module")
def compiled(book: RuleBook) -> RuleSet:
    """One rule set for all chunks, so that literals chosen from the first events serve the later ones."""
    return RuleSet(book, ignore_logsource=True)


def compare(book: RuleBook, compiled: RuleSet, events: list[Event]) -> int:
    expected = reference(book, events)
    assert engine(compiled, events) == expected
    return len(expected)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_generated_events(book: RuleBook, compiled: RuleSet, chunk: int) -> None:
    assert compare(book, compiled, workload.events(workload.lines(CHUNK, seed=chunk))) >= CHUNK


@pytest.mark.parametrize("chunk", CHUNKS)
def test_adversarial_events(book: RuleBook, compiled: RuleSet, chunk: int) -> None:
    assert compare(book, compiled, as_events(adversarial(book, CHUNK, seed=chunk))) > CHUNK


@pytest.mark.parametrize("form", ["json", "windows_event"])
def test_regression_events(book: RuleBook, compiled: RuleSet, shared: Path, form: str) -> None:
    folder = shared / "sigmahq"
    cases = json.loads((folder / "regression" / "manifest.json").read_text("utf-8"))
    found = [document for case in cases for document in documents(folder / case["log"])]
    events = [read(flat(one) if form == "json" else one, form) for one in found]
    for number, event in enumerate(events):
        event.id = str(number)
    assert compare(book, compiled, events) > len(cases)
