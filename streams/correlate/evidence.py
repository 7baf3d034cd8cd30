"""What is kept of events for as long as a window or an open episode rests on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from streams.correlate.tally import Fields, evidence_fields
from streams.event import Event
from streams.state import EncodedTable


class EvidenceStore:
    """The events behind the entries of all windows, each kept once and counted by how many rest on it."""

    def __init__(self) -> None:
        self.table = EncodedTable("evidence")
        # How many rest on an event, where that is not one: most events are in a single window.
        self._uses: dict[str, int] = {}
        self._unused: set[str] = set()
        # What was kept last, decoded: a firing asks for it at once.
        self._last: tuple[str, Fields] = ("", {})

    def remember(self, event: Event) -> bool:
        """Keep what an event says, from where it was first read; tell whether it says anything new."""
        fields = evidence_fields(event)
        origin = [event.origin.source, event.origin.stream, event.origin.offset, event.origin.line]
        record = {"time": event.time, "origin": origin, "marks": event.marks, "fields": fields}
        if event.id in self.table:
            former = self.table[event.id]
            if self._count(event.id) and former | {"origin": origin} == record | {"marks": [*event.marks]}:
                return False
        else:
            self._uses[event.id] = 0
        self.table[event.id] = record
        self._last = event.id, fields
        return True

    def use(self, event_ids: Iterable[str]) -> None:
        """Count one more that rests on these events."""
        for event_id in event_ids:
            self._set(event_id, self._count(event_id) + 1)

    def release(self, event_ids: Iterable[str]) -> None:
        """Count one fewer."""
        for event_id in event_ids:
            self._set(event_id, self._count(event_id) - 1)
            self._unused.add(event_id)

    def after_restore(self) -> None:
        """Start from no uses at all: those who rest on the restored events say so themselves."""
        self._uses = dict.fromkeys(self.table, 0)

    def forget(self) -> None:
        """Let go of the events on which nothing rests."""
        for event_id in sorted(self._unused):
            if not self._count(event_id):
                self._uses.pop(event_id, None)
                if event_id in self.table:
                    del self.table[event_id]
        self._unused.clear()
        self._last = ("", {})

    def record(self, event_id: str) -> dict[str, Any]:
        """Give all that is kept of an event: `time`, `origin`, `marks`, `fields`."""
        record: dict[str, Any] = self.table[event_id]
        return record

    def fields(self, event_id: str) -> Fields:
        """Give what is kept of an event's fields."""
        if self._last[0] == event_id:
            return self._last[1]
        fields: Fields = self.table[event_id]["fields"]
        return fields

    def _count(self, event_id: str) -> int:
        return self._uses.get(event_id, 1)

    def _set(self, event_id: str, count: int) -> None:
        if count == 1:
            self._uses.pop(event_id, None)
        else:
            self._uses[event_id] = count
