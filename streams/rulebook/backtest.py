"""What a rule book would have done: the alerts of stored records, by the pipeline that production runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from streams.alert import Alert, Status
from streams.pipeline import Outcome, Pipeline
from streams.rulebook.compare import label
from streams.stages.reader import Passed, Prepared

BATCH = 1000


@dataclass(slots=True)
class Backtest:
    """The alerts that there would be now, each as it stands in the end; times in nanoseconds.

    `failures` are rules' places with what they raised on an event; `counts` are the pipeline's.
    """

    alerts: list[Alert] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    begin: int | None = None
    end: int | None = None

    @property
    def pages(self) -> int:
        """How often on-call would have been woken."""
        return sum(alert.pages for alert in self.alerts)

    @property
    def tickets(self) -> int:
        """How many alerts would have woken nobody, but would have been there to look at."""
        return sum(not alert.pages and not alert.suppressed_by for alert in self.alerts)

    @property
    def suppressed(self) -> int:
        """How many alerts exceptions would have suppressed."""
        return sum(bool(alert.suppressed_by) for alert in self.alerts)

    @property
    def days(self) -> float:
        """From the first event to the last."""
        return 0.0 if self.begin is None or self.end is None else (self.end - self.begin) / 86_400e9

    def by_rule(self) -> dict[str, Backtest]:
        """Give the same for each rule that raised an alert, by its name."""
        parts: dict[str, Backtest] = {}
        for alert in self.alerts:
            parts.setdefault(label(alert), Backtest()).alerts.append(alert)
        return parts

    def actors(self) -> list[str]:
        """Give those behind the alerts, whoever paged most first."""
        pages: Counter[str] = Counter()
        for alert in self.alerts:
            for actor in filter(None, (alert.actor.id, *alert.actor.several)):
                pages[actor] += alert.pages
        return sorted(pages, key=lambda actor: (-pages[actor], actor))


def backtest(pipeline: Pipeline, records: Iterable[Prepared | Passed]) -> Backtest:
    """Take all records in, and give what that led to."""
    found = Backtest()
    latest: dict[str, Alert] = {}
    for batch in _batches(records):
        times = [item.time for item in batch if item.time is not None]
        if times:
            found.begin = min(times) if found.begin is None else min(found.begin, *times)
            found.end = max(times) if found.end is None else max(found.end, *times)
        _take(pipeline.process(batch), found, latest)
        for table in pipeline.tables:
            table.drain()  # nobody saves them, and they would be held for ever
    _take(pipeline.finish(), found, latest)
    found.alerts = [alert for alert in latest.values() if alert.status in (Status.OPEN, Status.CLOSED)]
    found.alerts.sort(key=lambda alert: (alert.first, label(alert), alert.id))
    return found


def _take(outcome: Outcome, found: Backtest, latest: dict[str, Alert]) -> None:
    latest.update((alert.id, alert) for alert in outcome.alerts)
    found.counts.update(outcome.counts)
    for failure in outcome.failures:
        found.failures[f"{failure.rule.place}: failed on an event: {failure.reason}"] += 1


def _batches(records: Iterable[Prepared | Passed]) -> Iterator[list[Prepared | Passed]]:
    items = iter(records)
    while batch := [*islice(items, BATCH)]:
        yield batch
