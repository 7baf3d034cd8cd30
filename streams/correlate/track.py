"""One rule's window and episodes for one group."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence

from streams.alert import Status
from streams.correlate.episode import Episode, alert_id, clusters
from streams.correlate.metric import needs_absence
from streams.correlate.tally import Fields, Tally
from streams.correlate.window import Window
from streams.event import Scalar
from streams.rule import Correlation

FOREVER = 2**63 - 1

FieldsOf = Callable[[str], Fields]


class Track:
    """Holds what is known of one correlation and one group, and turns firings into episodes.

    `group` shows the group's values as they are in the events; of different spellings of one value the
    smallest is shown, so that the order of arrival does not decide.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the usual name for it
        correlation: Correlation,
        key: str,
        group: dict[str, Scalar],
        quiet: int,
    ) -> None:
        self.id = id
        self.correlation = correlation
        self.key = key
        self.group = group
        self.window = Window(correlation)
        self.episodes: list[Episode] = []
        self._quiet = max(quiet, correlation.timespan)
        self._holds = needs_absence(correlation.condition)

    def spell(self, group: dict[str, Scalar]) -> bool:
        """Take note of a spelling of the group's values; tell whether it is now the one shown."""
        if [repr(value) for value in group.values()] < [repr(value) for value in self.group.values()]:
            self.group = group
            return True
        return False

    def visible(self, watermark: int) -> Sequence[int]:
        """Give the times that fire, ascending; what rests on an absence once the watermark passed."""
        times = self.window.firing_times
        return times[: bisect.bisect_left(times, watermark)] if self._holds else times

    def expires(self) -> int:
        """Give the watermark at which something here can be closed or forgotten.

        Forgetting waits for a quarter of a timespan more, so that it takes many entries at once.
        """
        span, oldest = self.correlation.timespan, self.window.oldest
        if self.episodes and (oldest is None or oldest >= self.episodes[0].first - span):
            return self.episodes[0].last + self._quiet
        if oldest is None:
            return -FOREVER
        forget = oldest + span + span // 4
        return min(forget, self.episodes[0].last + self._quiet) if self.episodes else forget

    def awaits(self, watermark: int) -> int | None:
        """Give the earliest firing that still waits for the watermark to pass."""
        if not self._holds:
            return None
        times = self.window.firing_times
        index = bisect.bisect_left(times, watermark)
        return times[index] if index < len(times) else None

    def settle(
        self,
        changed: int,
        completing: str | None,
        watermark: int,
        fields: FieldsOf,
        added: Sequence[str] | None = None,
    ) -> list[Episode]:
        """Bring the episodes in line with the firings after a change at time `changed`; give those affected.

        `completing` is the event behind the change; without one (an absence came true, a change was undone)
        a new episode's id rests on the newest event of its first firing. `added` is the evidence of an entry
        that the change has added, where that is all the change.
        """
        if self._holds and changed >= watermark:
            return []
        if added is not None and not self.window.lost and not self._holds:
            reached = bisect.bisect_left(self.window.firing_times, changed)
            times = self.window.firing_times[reached : reached + 1]
            if not times or times[0] > changed + self.correlation.timespan:
                return []
            episode = self._grown(self.window.gained or times)
            if episode is not None:
                for evidence in added:
                    episode.tally.add(evidence, fields(evidence))
                self._cover(episode.tally, self.window.gained, fields)
                return [episode]
        return self._regroup(completing, watermark, fields)

    def release(self, time: int, watermark: int, fields: FieldsOf) -> list[Episode]:
        """Bring the episodes in line with the one further firing that the watermark has let out."""
        episode = self._grown([time]) if time in self.window.firings else None
        if episode is None:
            return self._regroup(None, watermark, fields)
        self._cover(episode.tally, [time], fields)
        return [episode]

    def _grown(self, times: Sequence[int]) -> Episode | None:
        """Let the one episode that these further firings belong to grow by them; None where it is not one."""
        for index in range(len(self.episodes) - 1, -1, -1):
            episode = self.episodes[index]
            if episode.first - self._quiet <= times[0] and times[-1] <= episode.last + self._quiet:
                first, last = min(episode.first, times[0]), max(episode.last, times[-1])
                joins = any(
                    other is not episode
                    and other.first - self._quiet <= last
                    and first <= other.last + self._quiet
                    for other in self.episodes[max(0, index - 1) : index + 2]
                )
                if joins:
                    return None
                episode.first, episode.last = first, last
                return episode
        return None

    def close(self, watermark: int) -> list[Episode]:
        """Close the episodes that nothing can join any more, and give them."""
        closed: list[Episode] = []
        while self.episodes and self.episodes[0].last + self._quiet < watermark:
            episode = self.episodes.pop(0)
            episode.summary, episode.status = self.summary(episode), Status.CLOSED
            episode.group = self.group
            closed.append(episode)
        return closed

    def is_over(self, watermark: int) -> bool:
        """Tell whether no episode is open and all that is left here may be forgotten."""
        newest = self.window.newest
        return not self.episodes and (newest is None or newest < self.settled_before(watermark))

    def settled_before(self, watermark: int) -> int:
        """Give the time before which no open episode and no later firing can rest on anything."""
        limit = watermark - self.correlation.timespan
        return min(limit, self.episodes[0].first - self.correlation.timespan) if self.episodes else limit

    def after_restore(self, watermark: int) -> None:
        """Take back the firings that only seem so because part of their window has been forgotten.

        What lies before the watermark is final: a firing there is of an open episode, with whole windows.
        """
        times = self.window.firing_times
        for time in times[: bisect.bisect_left(times, watermark)]:
            if not any(episode.first <= time <= episode.last for episode in self.episodes):
                self.window.retract(time)

    def rebuild(self, fields: FieldsOf) -> None:
        """Work out the tallies of restored episodes from the window."""
        for episode in self.episodes:
            episode.tally = self._tally(self._times(episode.first, episode.last), fields)

    def firing_evidence(self, time: int) -> tuple[str, ...]:
        """Give the ids of the events that the firing at `time` rests on, in the order of time."""
        entries = self.window.between(time - self.correlation.timespan, time)
        return tuple(dict.fromkeys(evidence for entry in entries for evidence in entry.evidence))

    def summary(self, episode: Episode) -> tuple[int | float | None, int]:
        """Give the metric's greatest value in an episode, and the number of its firings."""
        if episode.summary is not None:
            return episode.summary
        times = self._times(episode.first, episode.last)
        return max((self.window.firings[time] for time in times), default=None), len(times)

    def _times(self, first: int, last: int) -> Sequence[int]:
        times = self.window.firing_times
        return times[bisect.bisect_left(times, first) : bisect.bisect_right(times, last)]

    def _regroup(self, completing: str | None, watermark: int, fields: FieldsOf) -> list[Episode]:
        former, self.episodes = self.episodes, []
        taken = {episode.id for episode in former}
        affected: list[Episode] = []
        for times in clusters(self.visible(watermark), self._quiet):
            owners = [e for e in former if e.first <= times[-1] and times[0] <= e.last]
            former = [e for e in former if e not in owners]
            episode = (
                owners[0]
                if owners
                else Episode(self._new_id(times[0], completing, taken), times[0], times[-1])
            )
            taken.add(episode.id)
            for later in owners[1:]:
                later.summary, later.status, later.superseded_by = (
                    self.summary(later),
                    Status.SUPERSEDED,
                    episode.id,
                )
                episode.pages += later.pages
                episode.paged = max(episode.paged, later.paged)
                episode.breach = episode.breach or later.breach
                affected.append(later)
            episode.first, episode.last = times[0], times[-1]
            episode.tally = self._tally(times, fields)
            self.episodes.append(episode)
            affected.append(episode)
        for episode in former:
            episode.status = Status.RETRACTED
            affected.append(episode)
        return affected

    def _new_id(self, time: int, completing: str | None, taken: set[str]) -> str:
        if completing is None or self._holds:  # which event lets a held firing out depends on the batch
            completing = self.window.between(time - self.correlation.timespan, time)[-1].id
        new = alert_id(self.correlation.rule.id, self.key, completing)
        # One event, when late, can complete firings that lie too far apart to be one episode.
        return (
            new if new not in taken else alert_id(self.correlation.rule.id, self.key, f"{completing}@{time}")
        )

    def _tally(self, times: Sequence[int], fields: FieldsOf) -> Tally:
        tally = Tally()
        self._cover(tally, times, fields)
        return tally

    def _cover(self, tally: Tally, times: Sequence[int], fields: FieldsOf) -> None:
        """Add what the firings at `times`, ascending, rest on."""
        span = self.correlation.timespan
        reached: int | None = None
        for time in times:
            start = time - span if reached is None else max(time - span, reached)
            for entry in self.window.between(start, time):
                for evidence in entry.evidence:
                    tally.add(evidence, fields(evidence))
            reached = time
