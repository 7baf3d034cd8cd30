"""Dead letters of the embedded run, processed again through the same pipeline and the same store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from streams.event import RawRecord
from streams.pipeline import Outcome, Pipeline
from streams.runtime.feed import Clock
from streams.runtime.store import Store
from streams.sinks.jsonl import JsonLines
from streams.stages.reader import Prepared

BATCH_BYTES = 16 << 20


class LetterReplay:
    """One replay, by whoever holds the lock of the state folder; `report` sees all outcomes.

    What a batch leads to is saved in one transaction together with the letters' end: those that go through
    are deleted, those that die again stay with their new reason and one more attempt.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        *,
        clock: Clock,
        report: Callable[[Outcome], None],
        lines: JsonLines | None = None,
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._clock = clock
        self._report = report
        self._lines = lines
        self.counts: Counter[str] = Counter()
        for table in pipeline.tables:
            store.restore(table)
        pipeline.after_restore()

    def step(self, ids: Sequence[str]) -> int:
        """Process a batch of letters, as many of these as fit, the earliest event first; give how many."""
        batch: dict[str, Prepared] = {}
        size = taken = 0
        for each in ids:
            if size >= BATCH_BYTES:
                break
            taken += 1
            found = self._store.letters.read(each)
            if found is None:
                continue  # it was purged meanwhile
            size += found.size
            record = RawRecord(found.letter.data, found.letter.origin, self._clock())
            batch[each] = self._pipeline.prepare(record)
        outcome = self._pipeline.process(_ordered(list(batch.values())))
        died = {letter.record.origin for letter in outcome.dead_letters}
        processed = [each for each, prepared in batch.items() if prepared.record.origin not in died]
        changes = [change for table in self._pipeline.tables for change in table.drain()]
        self._store.commit(changes, (), outcome.alerts, outcome.dead_letters, self._clock(), processed)
        if self._lines and outcome.alerts:
            self._lines.write()
        self.counts.update(outcome.counts)
        self._report(outcome)
        return taken


def _ordered(batch: Sequence[Prepared]) -> list[Prepared]:
    """Order by event time; a letter without one, which is a header's, stays before what follows it."""
    timed: list[tuple[int, Prepared]] = []
    time = -(2**63)
    for prepared in batch:
        time = time if prepared.time is None else prepared.time
        timed.append((time, prepared))
    return [prepared for _, prepared in sorted(timed, key=lambda pair: pair[0])]
