"""What is kept of events for as long as a window or an open episode rests on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from streams.correlate.tally import Fields, evidence_fields
from streams.event import Event
from streams.state import Table


class EvidenceStore:
    """The events behind the entries of all windows, each kept once and counted by how many rest on it."""

    def __init__(self) -> None:
        self.table = Table("evidence")
        self._uses: Counter[str] = Counter()
        self._unused: set[str] = set()

    def remember(self, event: Event) -> bool:
        """Keep what an event says, from where it was first read; tell whether it says anything new."""
        origin = [event.origin.source, event.origin.stream, event.origin.offset, event.origin.line]
        record = {
            "time": event.time,
            "origin": origin,
            "marks": [*event.marks],
            "fields": evidence_fields(event),
        }
        former = self.table.get(event.id) if self._uses[event.id] else None
        if former is not None and former | {"origin": origin} == record:
            return False
        self.table[event.id] = record
        return True

    def use(self, event_ids: Iterable[str]) -> None:
        """Count one more that rests on these events."""
        self._uses.update(event_ids)

    def release(self, event_ids: Iterable[str]) -> None:
        """Count one fewer."""
        for event_id in event_ids:
            self._uses[event_id] -= 1
            self._unused.add(event_id)

    def forget(self) -> None:
        """Let go of the events on which nothing rests."""
        for event_id in sorted(self._unused):
            if not self._uses[event_id]:
                del self._uses[event_id]
                if event_id in self.table:
                    del self.table[event_id]
        self._unused.clear()

    def record(self, event_id: str) -> dict[str, Any]:
        """Give all that is kept of an event: `time`, `origin`, `marks`, `fields`."""
        record: dict[str, Any] = self.table[event_id]
        return record

    def fields(self, event_id: str) -> Fields:
        """Give what is kept of an event's fields."""
        fields: Fields = self.table[event_id]["fields"]
        return fields
