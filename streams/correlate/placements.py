"""Where each event stands: its entries in the windows of all tracks, and the rows by which they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern
from typing import Any

from streams.correlate.entry import Entry
from streams.correlate.evidence import EvidenceStore
from streams.correlate.track import Track
from streams.state import Journal


class Placements:
    """The entries by the id of their event. Most events stand in one window: such an entry stands bare."""

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence
        self._entries: dict[str, Entry | list[Entry]] = {}
        self.journal: Journal[Entry] = Journal("entries", _row)

    def of(self, entry_id: str) -> list[Entry]:
        """Give the entries of an event, in the order of their tracks."""
        found = self._entries.get(entry_id)
        if found is None:
            return []
        return sorted(found, key=lambda entry: entry.track.id) if isinstance(found, list) else [found]

    def find(self, entry_id: str, track: Track) -> Entry | None:
        """Give the entry of an event in one track."""
        found = self._entries.get(entry_id)
        if isinstance(found, list):
            return next((entry for entry in found if entry.track is track), None)
        return found if found is not None and found.track is track else None

    def put(self, track: Track, entry: Entry, former: Entry | None) -> None:
        """Put an entry into a track's window, in place of a former one."""
        entry.track = track
        track.window.put(entry, former)
        self._evidence.use(entry.evidence)
        if former is not None:
            self._forget(former)
        self._stand(entry)
        self.journal.put(f"{track.id}:{entry.id}", entry)

    def discard(self, entry: Entry) -> None:
        """Take an entry from its window as if it had never been."""
        entry.track.window.discard(entry)
        self._drop(entry)

    def prune(self, track: Track, before: int) -> None:
        """Forget the entries of a track that are older than a time."""
        for entry in track.window.prune(before):
            self._drop(entry)

    def restore(self, entry: Entry, track: Track) -> None:
        """Put a saved entry back."""
        entry.track = track
        track.window.put(entry)
        self._evidence.use(entry.evidence)
        self._stand(entry)

    def restored(self) -> Iterator[tuple[str, Entry]]:
        """Give the saved entries, each with the id of its track."""
        shared: dict[tuple[str, ...], frozenset[str]] = {}
        for key, (time, rules, values, evidence) in self.journal.take_restored():
            track_id, entry_id = key.split(":", 1)
            behind = None if evidence is None else tuple(evidence)
            matched = shared.setdefault(tuple(rules), frozenset(rules))
            same = tuple([intern(value) if isinstance(value, str) else value for value in values])
            yield track_id, Entry(entry_id, time, matched, same, behind)

    def _stand(self, entry: Entry) -> None:
        found = self._entries.get(entry.id)
        if found is None:
            self._entries[entry.id] = entry
        elif isinstance(found, list):
            found.append(entry)
        else:
            self._entries[entry.id] = [found, entry]

    def _drop(self, entry: Entry) -> None:
        self.journal.delete(f"{entry.track.id}:{entry.id}")
        self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        self._evidence.release(entry.evidence)
        found = self._entries[entry.id]
        if isinstance(found, list):
            found.remove(entry)
            if len(found) == 1:
                self._entries[entry.id] = found[0]
        else:
            del self._entries[entry.id]


def _row(entry: Entry) -> list[Any]:
    return [entry.time, sorted(entry.rules), entry.values, entry.chained]
