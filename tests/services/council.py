"""A simulated council's day for tests of the worker: its logs in several streams, and its rules."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from streams.alert import Alert
from streams.runtime.build import build_pipeline
from streams.runtime.replay import replay
from streams.settings import Settings
from streams.simulate.run import Simulation, simulate
from streams.simulate.sources import SOURCES

CHECKOUT = Path(__file__).resolve().parents[2]
SEED = 3
UNREADABLE = b"this is no record\n"

EVERYTHING = """
title: Something happened
id: 5c3a8d04-14b5-4a0e-9d38-6a4f0d6c9b11
name: something
status: test
logsource: {product: outfall}
detection:
    selection: {outfall.channel|re: .}
    condition: selection
level: low
---
title: Several things happened
id: 0f6f9d38-06b8-4b53-8f0e-2a9ea2f7e3c2
name: several
status: test
correlation:
    type: event_count
    rules: [something]
    group-by: [outfall.actor.id]
    timespan: 10m
    condition: {gte: 3}
level: low
outfall: {quiet: 10m}
"""
"""Makes nearly every event the evidence of some alert, so that the loss of any one shows."""


@dataclass(frozen=True)
class Council:
    """A day in files: `logs` has those of each source."""

    folder: Path
    logs: dict[str, list[Path]]

    @property
    def arguments(self) -> list[str]:
        """What to tell `outfall produce`."""
        return [f"{source}={path}" for source, paths in self.logs.items() for path in paths]

    @property
    def records(self) -> int:
        """How many lines there are."""
        return sum(path.read_bytes().count(b"\n") for paths in self.logs.values() for path in paths)

    def replayed(self, settings: Settings) -> list[Alert]:
        """Give the alerts of the same records run through the pipeline in one piece, without a `finish`."""
        pipeline, _ = build_pipeline(settings)
        with ExitStack() as stack:
            files = [
                (source, stack.enter_context(path.open("rb")))
                for source, paths in self.logs.items()
                for path in paths
            ]
            outcomes = [outcome for _, outcome in replay(pipeline, files, time.time_ns())]
        return [alert for outcome in outcomes[:-1] for alert in outcome.alerts]


def council(folder: Path, *, people: int, streams: int = 2, unreadable: int = 3, days: int = 1) -> Council:
    """Write a day of so many people; each log is dealt out to `streams` files, with unreadable lines."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "rules"
    shutil.copytree(CHECKOUT / "rules", rules)  # whoever edits a rule meanwhile changes nothing here
    (rules / "everything.yml").write_text(EVERYTHING)
    simulate(Simulation(SEED, people, days), folder, rules)
    chance = random.Random(SEED)  # noqa: S311 - the same day each time
    logs: dict[str, list[Path]] = {}
    for name, source in SOURCES.items():
        lines = (folder / "logs" / source.file).read_bytes().splitlines(keepends=True)
        logs[name] = [
            _written(folder / "logs" / f"{number}-{source.file}", lines[number::streams], unreadable, chance)
            for number in range(streams)
        ]
    return Council(folder, logs)


def _written(path: Path, lines: Sequence[bytes], unreadable: int, chance: random.Random) -> Path:
    found = list(lines)
    for _ in range(unreadable):
        found.insert(chance.randrange(1, len(found)), UNREADABLE)
    path.write_bytes(b"".join(found))
    return path
