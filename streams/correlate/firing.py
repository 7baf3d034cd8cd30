"""What the correlator gives away: firings, and episodes that changed."""

from __future__ import annotations

from dataclasses import dataclass

from streams.correlate.episode import Episode
from streams.correlate.track import Track
from streams.event import Scalar
from streams.rule import Correlation


@dataclass(frozen=True, slots=True)
class Firing:
    """A correlation's condition was true at an event's time; `events` are the ids of all that made it so."""

    correlation: Correlation
    key: str
    group: dict[str, Scalar]
    time: int
    value: int | float
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """An episode that changed since it was last shown."""

    track: Track
    episode: Episode


def firing_at(track: Track, time: int) -> Firing:
    """Give the firing of a track at a time."""
    value = track.window.value(time)
    return Firing(track.correlation, track.key, track.group, time, value, track.firing_evidence(time))
