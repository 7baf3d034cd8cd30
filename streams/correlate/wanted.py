"""In which windows an event is wanted, by the rules that match it: one event is one entry in each."""

from __future__ import annotations

from collections.abc import Callable

from streams.correlate.entry import Entry, counted_fields, groups, metric_values
from streams.correlate.subscriptions import Subscriptions
from streams.correlate.tally import Fields
from streams.correlate.track import Track
from streams.event import Scalar, first
from streams.rule import Correlation

Wanted = dict[str, tuple[Track, Entry]]
"""By the id of the track."""
OpenTrack = Callable[[Correlation, str, dict[str, Scalar]], Track | None]
"""Gives the track of a correlation and a group, or None where there is no room for it."""

Owns = Callable[[Correlation, dict[str, Scalar]], bool]
"""Tells whether a group of a correlation is kept here."""


class Collector:
    """Makes the entries of events, and of firings that are events of other correlations."""

    def __init__(self, subscriptions: Subscriptions, open_track: OpenTrack, owns: Owns | None) -> None:
        self._subscriptions = subscriptions
        self._owns = owns
        self._open_track = open_track
        self._rules: dict[frozenset[str], frozenset[str]] = {}

    def collect(
        self,
        wanted: Wanted,
        entry_id: str,
        time: int,
        rule: str,
        fields: Fields,
        evidence: tuple[str, ...] | None,
    ) -> None:
        """Add the windows that an event matched by `rule` belongs to."""
        for serving in self._subscriptions.serving(rule):
            correlation, names, only = serving.correlation, serving.names, serving.rules
            found = groups(fields, names)
            if not found and not correlation.timespan:
                # A detection that alerts by itself must not be silent for want of a group.
                found = [("", tuple(first(fields.get(name)) for name in names))]
            values = metric_values(correlation.type, fields, serving.counted)
            for key, spelled in found:
                group = dict(zip(correlation.group_by, spelled, strict=True))
                if self._owns is not None and not self._owns(correlation, group):
                    continue
                track = self._open_track(correlation, key, group)
                if track is None:
                    continue
                if track.id in wanted:
                    together = wanted[track.id][1].rules | only
                    together = self._rules.setdefault(together, together)  # one for all entries
                    counted = counted_fields(correlation, together)
                    both = metric_values(correlation.type, fields, counted)
                    wanted[track.id] = (track, Entry(entry_id, time, together, both, evidence))
                else:
                    wanted[track.id] = (track, Entry(entry_id, time, only, values, evidence))
