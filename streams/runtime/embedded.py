"""The embedded run: sources, the pure middle and the store, on one machine, batch by batch.

What a batch leads to (state, positions, alerts, dead letters) is saved in one transaction; only then are
spooled messages deleted and alerts shown. So a crash at any point costs no record and doubles no alert.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from streams.pipeline import Outcome, Pipeline
from streams.runtime.feed import Clock, Input
from streams.runtime.merge import Merge
from streams.runtime.store import Store
from streams.sinks.jsonl import JsonLines

POLL = 0.2
"""Seconds between looks at sources that have nothing waiting."""
_HOUR = 3600 * 1_000_000_000


class Embedded:
    """One run; `retention` is how long dead letters are kept, in nanoseconds; `report` sees all outcomes."""

    def __init__(
        self,
        pipeline: Pipeline,
        inputs: Sequence[Input],
        store: Store,
        *,
        batch: int,
        retention: int,
        clock: Clock,
        report: Callable[[Outcome], None],
        lines: JsonLines | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._inputs = inputs
        self._store = store
        self._batch = batch
        self._retention = retention
        self._clock = clock
        self._report = report
        self._lines = lines
        self._merge = Merge(inputs, pipeline.prepare)
        self._forgot = 0
        self.counts: Counter[str] = Counter()

    def run(self, stopped: Callable[[], bool]) -> None:
        """Go on until told to stop, or until all sources have ended; a batch under way is finished."""
        for table in self._pipeline.tables:
            self._store.restore(table)
        self._pipeline.after_restore()
        if self._lines:
            self._lines.write()  # what a crash kept from being written
        while not stopped():
            if self.step():
                continue
            if all(source.ended for source in self._inputs):
                break
            time.sleep(POLL)

    def step(self) -> bool:
        """Process and save one batch; false where nothing was waiting."""
        records = self._merge.collect(self._batch)
        positions = self._merge.positions()
        self._forget()
        if not records and not positions:
            return False
        outcome = self._pipeline.process(records)
        changes = [change for table in self._pipeline.tables for change in table.drain()]
        self._store.commit(changes, positions, outcome.alerts, outcome.dead_letters, self._clock())
        for source in self._inputs:
            source.saved()
        if self._lines and outcome.alerts:
            self._lines.write()
        self.counts.update(outcome.counts)
        self._report(outcome)
        return bool(records)

    def _forget(self) -> None:
        now = self._clock()
        if now - self._forgot >= _HOUR:
            self._forgot = now
            self._store.letters.forget(now - self._retention)
