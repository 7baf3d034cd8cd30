"""Where each event stands: its entries in the windows of all tracks, and the rows by which they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern
from typing import Any

from streams.correlate.entry import Entry
from streams.correlate.evidence import EvidenceStore
from streams.correlate.track import Track
from streams.state import Journal

_BEGINNING, _BITS = 2**63, 64


class Placements:
    """Where each event stands, by its id: in one window most do, in several some.

    There is one for each event and window, and a window has the entry. So it is kept small: as one number,
    the track's and the time.
    """

    def __init__(self, evidence: EvidenceStore) -> None:
        self._evidence = evidence
        self._places: dict[str, int | list[int]] = {}
        self._tracks: dict[int, Track] = {}
        self._last = 0
        self.journal: Journal[Entry] = Journal("entries", _row)

    def of(self, entry_id: str) -> list[tuple[Track, Entry]]:
        """Give the tracks in whose windows an event stands, by their ids, each with its entry."""
        places = self._places.get(entry_id)
        if places is None:
            return []
        if isinstance(places, int):
            return [self._at(places, entry_id)]
        return sorted([self._at(place, entry_id) for place in places], key=_track_id)

    def find(self, entry_id: str, track: Track) -> Entry | None:
        """Give the entry of an event in one track."""
        places = self._places.get(entry_id)
        if places is None:
            return None
        for place in (places,) if isinstance(places, int) else places:
            if self._tracks[place >> _BITS] is track:
                return self._at(place, entry_id)[1]
        return None

    def put(self, track: Track, entry: Entry, former: Entry | None) -> None:
        """Put an entry into a track's window, in place of a former one."""
        track.window.put(entry, former)
        self._evidence.use(entry.evidence)
        if former is not None:
            self._forget(track, former)
        self._stand(track, entry)
        self.journal.put(f"{track.id}:{entry.id}", entry)

    def discard(self, track: Track, entry: Entry) -> None:
        """Take an entry from its window as if it had never been."""
        track.window.discard(entry)
        self._drop(track, entry)

    def prune(self, track: Track, before: int) -> None:
        """Forget the entries of a track that are older than a time."""
        for entry in track.window.prune(before):
            self._drop(track, entry)

    def end(self, track: Track) -> None:
        """Forget a track in which nothing stands any more."""
        self._tracks.pop(track.number, None)

    def restore(self, entry: Entry, track: Track) -> None:
        """Put a saved entry back."""
        track.window.put(entry)
        self._evidence.use(entry.evidence)
        self._stand(track, entry)

    def restored(self) -> Iterator[tuple[str, Entry]]:
        """Give the saved entries, each with the id of its track."""
        shared: dict[tuple[str, ...], frozenset[str]] = {}
        for key, (time, rules, values, evidence) in self.journal.take_restored():
            track_id, entry_id = key.split(":", 1)
            behind = None if evidence is None else tuple(evidence)
            matched = shared.setdefault(tuple(rules), frozenset(rules))
            same = tuple([intern(value) if isinstance(value, str) else value for value in values])
            yield track_id, Entry(entry_id, time, matched, same, behind)

    def _at(self, place: int, entry_id: str) -> tuple[Track, Entry]:
        track = self._tracks[place >> _BITS]
        return track, track.window.get((place & (1 << _BITS) - 1) - _BEGINNING, entry_id)

    def _place(self, track: Track, entry: Entry) -> int:
        if not track.number:
            track.number = self._last = self._last + 1
            self._tracks[track.number] = track
        return track.number << _BITS | entry.time + _BEGINNING

    def _stand(self, track: Track, entry: Entry) -> None:
        place, found = self._place(track, entry), self._places.get(entry.id)
        if found is None:
            self._places[entry.id] = place
        elif isinstance(found, list):
            found.append(place)
        else:
            self._places[entry.id] = [found, place]

    def _drop(self, track: Track, entry: Entry) -> None:
        self.journal.delete(f"{track.id}:{entry.id}")
        self._forget(track, entry)

    def _forget(self, track: Track, entry: Entry) -> None:
        self._evidence.release(entry.evidence)
        found = self._places[entry.id]
        if isinstance(found, list):
            found.remove(self._place(track, entry))
            if len(found) == 1:
                self._places[entry.id] = found[0]
        else:
            del self._places[entry.id]


def _track_id(standing: tuple[Track, Entry]) -> str:
    return standing[0].id


def _row(entry: Entry) -> list[Any]:
    return [entry.time, sorted(entry.rules), entry.values, entry.chained]
