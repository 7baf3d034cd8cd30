"""All tracks, by their id and by correlation and group, with the rows by which they are saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from streams.correlate.entry import SEPARATOR
from streams.correlate.subscriptions import Subscriptions, quiet
from streams.correlate.track import Track
from streams.event import Scalar
from streams.rule import Correlation
from streams.state import EncodedTable


class Tracks:
    """The tracks there are."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions
        self._by_id: dict[str, Track] = {}
        self._by_key: dict[str, dict[str, Track]] = {}
        self.table = EncodedTable("tracks")

    def __iter__(self) -> Iterator[Track]:
        return iter(self._by_id.values())

    def __getitem__(self, track_id: str) -> Track:
        return self._by_id[track_id]

    def get(self, track_id: str) -> Track | None:
        """Give the track of an id."""
        return self._by_id.get(track_id)

    def find(self, correlation: Correlation, key: str) -> Track | None:
        """Give the track of a correlation and a group."""
        return self._by_key.get(correlation.rule.id, {}).get(key)

    def count(self, correlation: Correlation) -> int:
        """Tell how many groups a correlation has."""
        return len(self._by_key.get(correlation.rule.id, ()))

    def open(self, correlation: Correlation, key: str, group: dict[str, Scalar]) -> Track:
        """Make a track."""
        content = f"{correlation.rule.id}{SEPARATOR}{key}".encode("utf-8", "surrogatepass")
        track_id = hashlib.sha256(content).hexdigest()[:20]
        track = Track(track_id, correlation, key, group, quiet(correlation.rule))
        self._add(track)
        self.save(track)
        return track

    def save(self, track: Track) -> None:
        """Write what does not follow from a track's entries to the state."""
        row: dict[str, Any] = {
            "correlation": track.correlation.rule.id,
            "key": track.key,
            "group": track.group,
            "left_out": [track.left_out, track.left_out_last],
        }
        self.table[track.id] = row

    def delete(self, track: Track) -> None:
        """Forget a track."""
        del self._by_id[track.id], self._by_key[track.correlation.rule.id][track.key], self.table[track.id]

    def after_restore(self) -> None:
        """Make the tracks of the restored rows whose correlation there still is."""
        for track_id in self.table:
            row = self.table[track_id]
            correlation = self._subscriptions.find(row["correlation"])
            if correlation is not None:
                track = Track(track_id, correlation, row["key"], row["group"], quiet(correlation.rule))
                track.left_out, track.left_out_last = row["left_out"]
                self._add(track)

    def _add(self, track: Track) -> None:
        self._by_id[track.id] = track
        self._by_key.setdefault(track.correlation.rule.id, {})[track.key] = track
