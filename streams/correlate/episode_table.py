"""The open episodes as rows, and those that changed since they were last shown."""

from __future__ import annotations

from streams.alert import Status
from streams.correlate.episode import Episode
from streams.correlate.firing import Changed
from streams.correlate.tracks import Tracks
from streams.state import Table


class EpisodeTable:
    """Takes note of changes of episodes, gives them away, and saves what cannot be derived."""

    def __init__(self) -> None:
        self.table = Table("episodes")
        self._changed: dict[str, Changed] = {}

    def note(self, change: Changed) -> None:
        """Take note that an episode changed."""
        self._changed[change.episode.id] = change

    def take(self) -> list[Changed]:
        """Give the episodes of alerting rules that changed since the last call; saves all that did."""
        changed = [change for change in self._changed.values() if change.track.correlation.rule.alerts]
        for change in self._changed.values():
            self.save(change)
        self._changed.clear()
        return changed

    def save(self, change: Changed) -> None:
        """Write an episode to the state, or take it out when it has ended."""
        if change.episode.status is Status.OPEN:
            self.table[change.episode.id] = change.episode.row(change.track.id)
        elif change.episode.id in self.table:
            del self.table[change.episode.id]

    def after_restore(self, tracks: Tracks) -> None:
        """Give the restored episodes back to their tracks, in the order of time."""
        for episode_id, row in self.table.items():
            track = tracks.get(row["track"])
            if track is not None:
                track.episodes.append(Episode.from_row(episode_id, row))
        for track in tracks:
            track.episodes.sort(key=lambda episode: episode.first)
