"""One rule's window and episodes for one group."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

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

    __slots__ = (
        "_holds",
        "_quiet",
        "correlation",
        "episodes",
        "group",
        "id",
        "key",
        "left_out",
        "left_out_last",
        "number",
        "window",
    )

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
        self.left_out = 0
        self.left_out_last = -FOREVER
        self.number = 0  # which Placements gives it
        self._quiet = max(quiet, correlation.timespan)
        self._holds = needs_absence(correlation.condition)

    def leave_out(self, time: int) -> None:
        """Take note that the window was full when an event of this time came."""
        self.left_out += 1
        self.left_out_last = max(self.left_out_last, time)
        for episode in self.episodes:
            episode.left_out += 1

    def spell(self, group: dict[str, Scalar]) -> bool:
        """Take note of a spelling of the group's values; tell whether it is now the one shown."""
        if [repr(value) for value in group.values()] < [repr(value) for value in self.group.values()]:
            self.group = group
            return True
        return False

    def visible(self, watermark: int, first: int = -FOREVER, last: int = FOREVER) -> Iterator[int]:
        """Give the times that fire, ascending; what rests on an absence once the watermark passed."""
        return self.window.firings(first, min(last, watermark - 1) if self._holds else last)

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
        return self.window.first_firing(watermark, FOREVER)

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
            reached = self.window.first_firing(changed, changed + self.correlation.timespan)
            if reached is None:
                return []
            gained = self.window.gained
            episode = self._grown(gained or [reached])
            if episode is not None:
                for evidence in added:
                    episode.tally.add(evidence, fields(evidence))
                self._cover_more(episode.tally, gained, fields)
                return [episode]
        return self._regroup(changed, completing, watermark, fields)

    def release(self, time: int, watermark: int, fields: FieldsOf) -> list[Episode]:
        """Bring the episodes in line with the one further firing that the watermark has let out."""
        episode = self._grown([time]) if self.window.fires_at(time) else None
        if episode is None:
            return self._regroup(time, None, watermark, fields)
        self._cover_more(episode.tally, [time], fields)
        return [episode]

    def _grown(self, times: Sequence[int]) -> Episode | None:
        """Let the one episode that these further firings belong to grow by them; None where it is not one."""
        near = self._near(times[0], times[-1])
        if near.stop - near.start != 1:
            return None
        (episode,) = self.episodes[near]
        if episode.first - self._quiet > times[0] or times[-1] > episode.last + self._quiet:
            return None
        episode.first, episode.last = min(episode.first, times[0]), max(episode.last, times[-1])
        return episode

    def _near(self, first: int, last: int) -> slice:
        """Give which episodes are no further than the quiet period from what is between two times."""
        return slice(
            bisect_left(self.episodes, first - self._quiet, key=_last),
            bisect_right(self.episodes, last + self._quiet, key=_first),
        )

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
        begin = -FOREVER
        for episode in self.episodes:
            self.window.retract(begin, min(episode.first, watermark) - 1)
            begin = episode.last + 1
        self.window.retract(begin, watermark - 1)

    def rebuild(self, episodes: Iterable[Episode], fields: FieldsOf) -> None:
        """Work out the tallies of some episodes again, from the window."""
        for episode in episodes:
            episode.tally = self._tally(self.visible(FOREVER, episode.first, episode.last), fields)

    def firing_evidence(self, time: int) -> tuple[str, ...]:
        """Give the ids of the events that the firing at `time` rests on, in the order of time."""
        return tuple(dict.fromkeys(self.window.evidence(time - self.correlation.timespan, time)))

    def summary(self, episode: Episode) -> tuple[int | float | None, int]:
        """Give the metric's greatest value in an episode, and the number of its firings."""
        if episode.summary is not None:
            return episode.summary
        return self.window.summary(episode.first, episode.last)

    def _regroup(
        self, changed: int, completing: str | None, watermark: int, fields: FieldsOf
    ) -> list[Episode]:
        """Part the firings into episodes again, as far as a change at a time can matter."""
        first, last = changed, changed + self.correlation.timespan
        near = self._near(first, last)
        former = self.episodes[near]
        if former:
            first, last = min(first, former[0].first), max(last, former[-1].last)
        taken: set[str] = set()
        affected: list[Episode] = []
        current: list[Episode] = []
        for times in clusters(self.visible(watermark, first, last), self._quiet):
            owners = [e for e in former if e.first <= times[-1] and times[0] <= e.last]
            former = [e for e in former if e not in owners]
            episode = owners[0] if owners else self._new(times, completing, taken)
            for later in owners[1:]:
                later.summary, later.status, later.superseded_by = (
                    self.summary(later),
                    Status.SUPERSEDED,
                    episode.id,
                )
                episode.pages += later.pages
                episode.left_out = max(episode.left_out, later.left_out)
                episode.paged = max(episode.paged, later.paged)
                episode.breach = episode.breach or later.breach
                affected.append(later)
            episode.first, episode.last = times[0], times[-1]
            episode.tally = self._tally(times, fields)
            current.append(episode)
            affected.append(episode)
        self.episodes[near] = current
        for episode in former:
            episode.status = Status.RETRACTED
            affected.append(episode)
        return affected

    def _new(self, times: Sequence[int], completing: str | None, taken: set[str]) -> Episode:
        # What found the window full before its first firing was missing from it as well.
        missing = self.left_out if times[0] - self.correlation.timespan <= self.left_out_last else 0
        return Episode(self._new_id(times[0], completing, taken), times[0], times[-1], left_out=missing)

    def _new_id(self, time: int, completing: str | None, taken: set[str]) -> str:
        if completing is None or self._holds:  # which event lets a held firing out depends on the batch
            *_, newest = self.window.between(time, time)
            completing = newest.id
        new = alert_id(self.correlation.rule.id, self.key, completing)
        if new in taken or any(episode.id == new for episode in self.episodes):
            # One event, when late, can complete firings that lie too far apart to be one episode.
            new = alert_id(self.correlation.rule.id, self.key, f"{completing}@{time}")
        taken.add(new)
        return new

    def _tally(self, times: Iterable[int], fields: FieldsOf) -> Tally:
        tally = Tally()
        self._cover(tally, times, fields)
        return tally

    def _cover(self, tally: Tally, times: Iterable[int], fields: FieldsOf) -> None:
        """Add what the firings at `times`, ascending, rest on."""
        reached = -FOREVER
        for time in times:
            self._cover_between(tally, max(time - self.correlation.timespan, reached), time, fields)
            reached = time + 1

    def _cover_more(self, tally: Tally, times: Sequence[int], fields: FieldsOf) -> None:
        """Add what further firings rest on, ascending, and those beside them do not."""
        span, further = self.correlation.timespan, set(times)
        for time in times:
            first, last = time - span, time
            before = self.window.last_firing(first, time - 1)
            if before is not None:
                first = before + 1
            after = None if self._holds else self.window.first_firing(time + 1, time + span)
            if after is not None and after not in further:
                last = min(last, after - span - 1)
            self._cover_between(tally, first, last, fields)

    def _cover_between(self, tally: Tally, first: int, last: int, fields: FieldsOf) -> None:
        for evidence in self.window.evidence(first, last):
            if evidence not in tally.evidence:
                tally.add(evidence, fields(evidence))


def _first(episode: Episode) -> int:
    return episode.first


def _last(episode: Episode) -> int:
    return episode.last
