"""Whether the tests of a rule book notice when a rule says something else: by running mutants of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from streams.correlate.severity import SeverityTable
from streams.detect.book import RuleBook
from streams.rulebook import runner
from streams.rulebook.case import SUFFIX
from streams.rulebook.mutants import mutants
from streams.rulebook.runner import Runner


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test noticed: of which rule, where that stands, and what is changed."""

    rule: str
    place: str
    changed: str


@dataclass(frozen=True, slots=True)
class Score:
    """How many mutants of the rules of one file there are, and which no test of theirs noticed."""

    file: str
    mutants: int
    survivors: tuple[Survivor, ...]

    @property
    def noticed(self) -> int:
        """How many were noticed."""
        return self.mutants - len(self.survivors)


def percent(scores: Sequence[Score]) -> float:
    """Give the share of all mutants that were noticed; 100 where there are none."""
    made = sum(score.mutants for score in scores)
    return 100.0 * sum(score.noticed for score in scores) / made if made else 100.0


def mutate(
    opened: Runner, tests: Sequence[Path], done: Callable[[], object], processes: int | None = None
) -> list[Score]:
    """Run the mutants of every rule that one of the tests stands beside; in the order of the tests.

    `done` is told of each file that is finished. `processes` share the work; as many as there are processors
    unless stated.

    Raises:
        ConfigError: a test, or what it needs, cannot be read.
    """
    with ProcessPoolExecutor(processes or os.cpu_count()) as pool:
        futures = [pool.submit(score_of, opened.book, opened.severity, test) for test in tests]
        for finished in as_completed(futures):
            finished.result()
            done()
    return [future.result() for future in futures]


def score_of(book: RuleBook, severity: SeverityTable, test: Path) -> Score:
    """Run the mutants of the rules in the file that a test stands beside.

    Raises:
        ConfigError: as `mutate`.
    """
    cases = runner.read_all([test])
    file = str((test.parent / test.name.replace(SUFFIX, ".yml")).resolve())
    survivors: list[Survivor] = []
    count = 0
    for mutant in mutants(book, file):
        count += 1
        other = Runner(mutant.book, severity)
        if all(other.run(case).passed for case in cases):
            survivors.append(Survivor(mutant.rule.label, str(mutant.rule.place), mutant.changed))
    return Score(str(test), count, tuple(survivors))
