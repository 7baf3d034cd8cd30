"""What can be found out of records one by one, ahead of the pipeline and by another process.

The pipeline does the same with a record that it is given raw. What is left for it is what depends on other
events: lines that are joined, content that is traced, windows.
"""

from __future__ import annotations

from collections.abc import Sequence

from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.content import bears
from streams.event import Event, RawRecord
from streams.normalise.base import PART
from streams.stages.reader import Known, Passed, Prepared, Reader


class Look:
    """Normalises records, describes their events, and tries the rules where nothing more will be said."""

    def __init__(self, reader: Reader, enricher: Enricher, rules: RuleSet) -> None:
        self._reader = reader
        self._enricher = enricher
        self._rules = rules

    def prepare(self, records: Sequence[RawRecord]) -> list[Prepared | Passed]:
        """Give for each record what is left to do with it."""
        prepared = [self._reader.prepare(record) for record in records]
        ready = [item.event for item in prepared if item.event is not None and self._described(item.event)]
        found: dict[int, list[str]] = {id(event): [] for event in ready}
        failed: dict[str, list[tuple[str, str]]] = {}
        matches, failures = self._rules.match(ready)
        for match in matches:
            found[id(ready[match.event])].append(match.rule.id)
        for failure in failures:
            failed.setdefault(str(failure.event), []).append((failure.rule.id, failure.reason))
        return [self._left(item, found, failed) for item in prepared]

    def _described(self, event: Event) -> bool:
        """Enrich an event as far as it goes by itself; tell whether that is all there is."""
        if PART in event.marks:
            return False
        self._enricher.describe(event)
        if bears(event):
            return False
        self._enricher.conclude(event)
        return True

    def _left(
        self,
        item: Prepared,
        found: dict[int, list[str]],
        failed: dict[str, list[tuple[str, str]]],
    ) -> Prepared | Passed:
        event = item.event
        if event is None:
            return item
        # The record's bytes are needed no more, and would have to be handed on.
        record = RawRecord(b"", item.record.origin, item.record.received)
        rules = found.get(id(event))
        if rules is None:
            return Prepared(record, event, known=None if PART in event.marks else Known())
        failures = failed.get(event.id, [])
        if not rules and not failures and not self._reader.would_be_ahead(event, record.received):
            return Passed(record.origin.source, event.time)
        return Prepared(record, event, known=Known(tuple(rules), tuple(failures)))
