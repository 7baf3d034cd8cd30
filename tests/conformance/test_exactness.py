"""The engine against the reference with SigmaHQ's rules: not one difference, whatever the events.

`EXACTNESS_EVENTS=200000` compares over so many generated events, and a tenth as many adversarial ones (`make
soak`); each takes the reference about 20 ms.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import workload
from test_sigmahq import documents, flat, read

from adversarial import adversarial
from reference import Reference, as_events, engine
from streams.detect.load import RuleBook, load
from streams.detect.ruleset import RuleSet
from streams.event import Event

CHUNK = 250
CHUNKS = range(-(-int(os.environ.get("EXACTNESS_EVENTS", "250")) // CHUNK))


@pytest.fixture(scope="module")
def book(shared: Path) -> RuleBook:
    return load(sorted((shared / "sigmahq").glob("rules*")))


@pytest.fixture(scope="module")
def compiled(book: RuleBook) -> RuleSet:
    """One rule set for all chunks, so that literals chosen from the first events serve the later ones."""
    return RuleSet(book, ignore_logsource=True)


@pytest.fixture(scope="module")
def plain(book: RuleBook) -> Reference:
    return Reference(book)


def compare(plain: Reference, compiled: RuleSet, events: list[Event]) -> int:
    """Hold the engine to the reference; gives how many different rules are true of the events."""
    expected = plain.outcomes(events)
    assert engine(compiled, events) == expected
    return len({rule for _, rule in expected})


@pytest.mark.parametrize("chunk", CHUNKS)
def test_generated_events(plain: Reference, compiled: RuleSet, chunk: int) -> None:
    assert compare(plain, compiled, workload.events(workload.lines(CHUNK, seed=chunk))) > 0


@pytest.mark.parametrize("chunk", CHUNKS[::10])
def test_adversarial_events(book: RuleBook, plain: Reference, compiled: RuleSet, chunk: int) -> None:
    assert compare(plain, compiled, as_events(adversarial(book, CHUNK, seed=chunk))) > 50


@pytest.mark.parametrize("form", ["json", "windows_event"])
def test_regression_events(plain: Reference, compiled: RuleSet, shared: Path, form: str) -> None:
    folder = shared / "sigmahq"
    cases = json.loads((folder / "regression" / "manifest.json").read_text("utf-8"))
    found = [document for case in cases for document in documents(folder / case["log"])]
    events = [read(flat(one) if form == "json" else one, form) for one in found]
    for number, event in enumerate(events):
        event.id = str(number)
    assert compare(plain, compiled, events) > 50
