"""Runs the tests beside the rules through the pipeline that production runs, with the whole rule book.

One source of ECS documents in the order of their times, enrichment with a fixed key; nothing else differs.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from streams.alert import Alert, Status
from streams.correlate.severity import SeverityTable
from streams.correlate.severity import load as load_severity
from streams.detect.load import RuleBook
from streams.detect.load import load as load_rules
from streams.detect.ruleset import RuleSet
from streams.enrich import EnrichConfig, Enricher
from streams.enrich.load import load as load_enrichment
from streams.errors import ConfigError
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.pipeline import Pipeline
from streams.rulebook.case import SUFFIX, Case, read
from streams.rulebook.compare import compare
from streams.stages.reader import Source

SEVERITY_FILE = "severity.yml"
TEST_KEY = f"test:{'A' * 43}="
"""The key of pseudonyms in tests; it protects nobody."""

_SOURCE = "test"


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: `problems` is empty for one that passed; `fired` are the alerts that there were."""

    case: Case
    problems: tuple[str, ...]
    fired: tuple[Alert, ...]

    @property
    def passed(self) -> bool:
        """Whether all was as expected."""
        return not self.problems


@dataclass(slots=True)
class Runner:
    """Runs cases against one rule book."""

    book: RuleBook
    severity: SeverityTable
    _rules: RuleSet = field(init=False)
    _configs: dict[object, EnrichConfig] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rules = RuleSet(self.book)

    def run(self, case: Case) -> Result:
        """Run one case.

        Raises:
            ConfigError: the enrichment that the case asks for cannot be read.
        """
        source = Source(_SOURCE, FORMATS["ecs"])
        enricher = Enricher(self._config(case))
        pipeline = Pipeline([source], self._rules, self.book, enricher, self.severity)
        prepared = [pipeline.prepare(record) for record in _records(case)]
        prepared.sort(key=lambda item: item.time or 0)
        problems = [
            f"event {item.record.origin.line + 1} cannot be read: {item.rejected}"
            for item in prepared
            if item.rejected is not None
        ]
        outcome = pipeline.process(prepared)
        problems += [
            f"{failure.rule.place}: failed on an event: {failure.reason}" for failure in outcome.failures
        ]
        latest = {alert.id: alert for alert in (*outcome.alerts, *pipeline.finish().alerts)}
        fired = [alert for alert in latest.values() if alert.status in (Status.OPEN, Status.CLOSED)]
        matched = Counter(match.rule.label for match in outcome.matches)
        problems += compare(case, fired, self._explained(matched))
        return Result(case, tuple(problems), tuple(fired))

    def _config(self, case: Case) -> EnrichConfig:
        config = self._configs.get(case.enrich)
        if config is None:
            if isinstance(case.enrich, tuple):
                config = _load_inline(case.enrich)
            else:
                config = load_enrichment(case.enrich, key=TEST_KEY)
            self._configs[case.enrich] = config
        return config

    def _explained(self, matched: Counter[str]) -> dict[str, str]:
        """Say for each rule how often what it rests on matched, for whoever wonders why it did not fire."""
        names = {rule.id: rule.label for rule in (d.rule for d in self.book.detections)}
        below = {c.rule.id: c.rules for c in self.book.correlations}
        names |= {c.rule.id: c.rule.label for c in self.book.correlations}
        explained: dict[str, str] = {}
        for rule_id, label in names.items():
            leaves = [names[leaf] for leaf in _leaves(rule_id, below)]
            explained[label] = ", ".join(f"{leaf} matched {matched[leaf]}" for leaf in leaves)
        return explained


def find(path: Path) -> tuple[Path, list[Path]]:
    """Give the folder of the rule book that a path is in, and the test files that the path stands for.

    The book is the nearest folder upwards that holds `severity.yml`, else the folder itself: the exact set of
    alerts is that of the whole book, also for the tests of one rule.

    Raises:
        ConfigError: there is no such path, or no test.
    """
    if path.is_dir():
        tests = sorted(path.rglob(f"*{SUFFIX}"))
    elif path.name.endswith(SUFFIX):
        tests = [path]
    else:
        tests = [path.with_name(path.stem + SUFFIX)]
    if not path.exists():
        raise ConfigError([f"{path}: there is no such file or folder"])
    if not tests or not all(test.is_file() for test in tests):
        raise ConfigError([f"{path}: there is no test (a file *{SUFFIX} beside the rule)"])
    start = (path if path.is_dir() else path.parent).resolve()
    marked = (folder for folder in (start, *start.parents) if (folder / SEVERITY_FILE).is_file())
    root = next(marked, start)
    return root, tests


def open_book(folder: Path) -> Runner:
    """Read a rule book with its severity table.

    Raises:
        ConfigError: the table cannot be used.
    """
    return Runner(load_rules([folder]), load_severity(None, [folder]))


def read_all(tests: Iterable[Path]) -> list[Case]:
    """Read test files.

    Raises:
        ConfigError: with the problems of all files.
    """
    cases: list[Case] = []
    problems: list[str] = []
    for path in tests:
        try:
            cases += read(path)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    return cases


def _leaves(rule_id: str, below: dict[str, tuple[str, ...]]) -> list[str]:
    found: dict[str, None] = {}
    stack = [rule_id]
    while stack:
        current = stack.pop()
        if current in below:
            stack += reversed(below[current])
        else:
            found[current] = None
    return [*found]


def _records(case: Case) -> Iterable[RawRecord]:
    offset = 0
    for line, document in enumerate(case.documents):
        data = orjson.dumps(document)
        yield RawRecord(data, Origin(_SOURCE, case.place.path, offset, line))
        offset += len(data) + 1


def _load_inline(files: tuple[tuple[str, str], ...]) -> EnrichConfig:
    with tempfile.TemporaryDirectory(prefix="outfall-test-") as name:
        folder = Path(name)
        for file, content in files:
            if Path(file).name != file:
                raise ConfigError([f"enrich: {file} is no file's name"])
            (folder / file).write_text(content, encoding="utf-8")
        return load_enrichment(folder, key=TEST_KEY)
