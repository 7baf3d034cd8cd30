"""The limits of what correlation holds: what is left out at one is counted, and never in silence.

Who fills a window may want to blind it. So a full window keeps all that it holds and goes on firing by it,
its alerts say that they count too little, and reaching a limit is told as an alert of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from streams.correlate.entry import Entry
from streams.correlate.track import Track
from streams.event import NANOSECONDS, Event
from streams.rule import Correlation, Rule
from streams.settings import Limits

_HOUR = 3600 * NANOSECONDS


@dataclass(frozen=True, slots=True)
class LimitReached:
    """That a limit has kept out an event; `limit` is the setting's name.

    `id` and `hour`, when it begins, are the same for all that one group, or one correlation, keeps out in it.
    """

    id: str
    hour: int
    limit: str
    rule: Rule
    event: Event


class Limiter:
    """Tells what there is room for, and takes note of what there is not."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._current: Event | None = None
        self._reached: dict[str, LimitReached] = {}
        self.counts: Counter[str] = Counter()

    def begin(self, event: Event) -> None:
        """Say which event is being taken in."""
        self._current = event

    def take(self) -> list[LimitReached]:
        """Give the limits that were reached since the last call."""
        reached = list(self._reached.values())
        self._reached.clear()
        return reached

    def admits_group(self, correlation: Correlation, groups: int) -> bool:
        """Tell whether a correlation with so many groups may get one more.

        The program's own rules have a group for each rule that there is.
        """
        if groups < self._limits.groups or correlation.rule.built_in:
            return True
        self.counts["groups_left_out"] += 1
        self.counts["limits.groups"] += 1
        self._reach(correlation, "groups", "")
        return False

    def admits(self, track: Track, entry: Entry, former: Entry | None) -> bool:
        """Tell whether a window has room for an entry, in place of a former one; take note if not."""
        limit = self.lacks(track, entry, former)
        if limit is None:
            return True
        if not track.correlation.rule.built_in:  # about whose limits there is no more to tell
            self.counts["left_out"] += 1
            self.counts[f"limits.{limit}"] += 1
            self._reach(track.correlation, limit, track.id)
        return False

    def lacks(self, track: Track, entry: Entry, former: Entry | None) -> str | None:
        """Tell which limit keeps an entry out, in place of a former one; None where there is room."""
        window, limits = track.window, self._limits
        name, limit = "values", limits.values
        if window.recomputes:
            name, limit = "values_recomputed", limits.values_recomputed
        if window.held + entry.size - (0 if former is None else former.size) > limit:
            return name
        if entry.chained is not None:
            replaced = 0 if former is None or former.chained is None else len(former.chained)
            if window.chained + len(entry.chained) - replaced > limits.chained_evidence:
                return "chained_evidence"
        return None

    def _reach(self, correlation: Correlation, limit: str, track: str) -> None:
        if self._current is None:
            return
        hour = self._current.time // _HOUR
        key = f"{limit}:{correlation.rule.id}:{track}:{hour}"
        if key not in self._reached:
            self._reached[key] = LimitReached(
                key, hour * _HOUR, f"limits.{limit}", correlation.rule, self._current
            )
