"""Applies matched events to every window that they belong to, and says which alerts changed.

State is a set of events for each correlation and group, so that applying an event again changes nothing and
applying a changed version of it replaces the former. A detection that alerts by itself is treated as a
correlation of at least one event with a timespan of zero: there is one way for everything.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence

from streams.alert import Status
from streams.correlate.agenda import Agenda
from streams.correlate.entry import Entry
from streams.correlate.episode import Episode
from streams.correlate.episode_table import EpisodeTable
from streams.correlate.evidence import EvidenceStore
from streams.correlate.firing import Changed, Firing, firing_at
from streams.correlate.limiter import Limiter, LimitReached
from streams.correlate.paging import Pager
from streams.correlate.placements import Placements
from streams.correlate.severity import SeverityTable
from streams.correlate.subscriptions import Subscriptions
from streams.correlate.track import FOREVER, Track
from streams.correlate.tracks import Tracks
from streams.correlate.wanted import Collector, Owns, Wanted
from streams.event import Event, Scalar
from streams.rule import Correlation, Rule
from streams.settings import Limits
from streams.state import Saved


class Correlator:
    """All windows and episodes of a rule book.

    With `keep_firings`, firings are remembered when their windows are forgotten, for `firings` to give.
    `owns` says which groups are kept here, where several share the groups of a book; None keeps all.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        correlations: Sequence[Correlation],
        severity: SeverityTable,
        *,
        limits: Limits | None = None,
        keep_firings: bool = False,
        owns: Owns | None = None,
    ) -> None:
        self._subscriptions = Subscriptions(rules, correlations)
        self._limiter = Limiter(limits or Limits())
        self._pager = Pager(severity)
        self.evidence = EvidenceStore()
        self._tracks = Tracks(self._subscriptions)
        self._placed = Placements(self.evidence)
        self._collector = Collector(self._subscriptions, self._track, owns)
        self._fed: dict[str, list[int]] = {}
        self._expiries = Agenda()
        self._awaiting = Agenda()
        self._expired: set[str] = set()
        self._due: list[Changed] = []
        self._watermark = -FOREVER
        self._releasing: int | None = None
        self._keep_firings = keep_firings
        self._final: list[Firing] = []
        self._episodes = EpisodeTable()
        self.tables: tuple[Saved, ...] = (
            self._tracks.table,
            self._placed.journal,
            self._episodes.table,
            self.evidence.table,
            *self._pager.tables,
        )
        self._counts: Counter[str] = Counter()

    def apply(self, event: Event, rules: Iterable[Rule], watermark: int) -> None:
        """Take in an event and the rules that match it, in place of any former version of the same event.

        An event older than the watermark is left out of windows, counted, and marked on the open alerts of
        its group; detections that alert by themselves still do.
        """
        self._reach(watermark)
        self._limiter.begin(event)
        wanted: Wanted = {}
        late = event.time < self._watermark
        for track, _ in self._placed.of(event.id) if late else ():
            self._close(track)  # forget what may be forgotten, lest it matter when `forget` was last called
            self._prune(track)
        standing = self._placed.of(event.id) if late else []
        if standing:
            # What its windows counted is final, and they may be partly forgotten; only what it says is new.
            wanted = {track.id: (track, entry) for track, entry in standing}
        else:
            for rule in rules:
                self._collector.collect(wanted, event.id, event.time, rule.id, event.fields, None)
            wanted = self._admitted({key: pair for key, pair in wanted.items() if self._in_time(*pair)})
        news = bool(wanted) and self.evidence.remember(event)
        self._page(self._replace(event.id, wanted, event.id, news=news))

    def advance(self, watermark: int) -> None:
        """Let time pass: fire what rested on an absence, and close episodes that nothing can join."""
        self._reach(watermark)
        while (time := self._expiries.next_time()) is not None and time < self._watermark:
            _, key = self._expiries.pop()
            self._close(self._tracks[key])
            self._expired.add(key)
        self._pager.expire(self._watermark)

    def conclude(self) -> None:
        """Say that nothing more will come: whatever rested on an absence fires."""
        while (time := self._awaiting.next_time()) is not None:
            self._reach(time + 1)

    def take_pages(self) -> list[Changed]:
        """Give the episodes for which a page is due, to be shown as they are at this very event."""
        due, self._due = self._due, []
        return due

    def take_limits(self) -> list[LimitReached]:
        """Give the limits that have kept something out since the last call."""
        return self._limiter.take()

    def take_counts(self) -> Counter[str]:
        """Give what was counted since the last call: `late`, `left_out`, `groups_left_out`.

        What was left out is also counted by its limit, as `limits.values` and so on.
        """
        counts = self._counts + self._limiter.counts
        self._counts.clear()
        self._limiter.counts.clear()
        return counts

    def take(self) -> list[Changed]:
        """Give the episodes of alerting rules that changed since the last call."""
        return self._episodes.take()

    def save(self, change: Changed) -> None:
        """Write an episode to the state, or take it out when it has ended."""
        self._episodes.save(change)

    def forget(self) -> None:
        """Let go of what nothing can rest on any more; to be called once the changes have been shown."""
        for key in sorted(self._expired):
            track = self._tracks[key]
            self._prune(track)
            if track.episodes or track.window.newest is not None:
                self._schedule(track)
            else:
                self._tracks.delete(track)
                self._placed.end(track)
                self._fed.pop(key, None)
        self._expired.clear()
        self.evidence.forget()

    def firings(self) -> list[Firing]:
        """Give every firing that stands, of correlations that alert, in the order of time."""
        standing = [
            firing_at(track, time)
            for track in self._tracks
            if track.correlation.timespan and track.correlation.rule.alerts
            for time in track.visible(self._watermark)
        ]
        return sorted([*self._final, *standing], key=lambda f: (f.time, f.correlation.rule.id, f.key))

    def after_restore(self, watermark: int) -> None:
        """Work out everything that follows from the restored tables, saved when the watermark stood there."""
        self._watermark = watermark
        self._tracks.after_restore()
        self.evidence.after_restore()
        found = [(track, entry) for key, entry in self._placed.restored() if (track := self._tracks.get(key))]
        for track, entry in sorted(found, key=lambda pair: pair[1].time):  # in order it is cheapest
            self._placed.restore(entry, track)
        self._episodes.after_restore(self._tracks)
        for track in self._tracks:
            track.after_restore(watermark)
            track.rebuild(track.episodes, self.evidence.fields)
            if self._subscriptions.feeds(track.correlation):
                self._fed[track.id] = list(track.visible(watermark))
            self._schedule(track)
        self._pager.after_restore()

    def _track(self, correlation: Correlation, key: str, group: dict[str, Scalar]) -> Track | None:
        """Give the track of a group, a new one where there is none; None where a limit forbids it."""
        track = self._tracks.find(correlation, key)
        if track is None:
            together = not key and not correlation.timespan
            if not together and not self._limiter.admits_group(correlation, self._tracks.count(correlation)):
                if correlation.timespan:
                    return None
                # A detection that alerts by itself still does, together with the others without room.
                return self._track(correlation, "", dict.fromkeys(group))
            track = self._tracks.open(correlation, key, group)
            self._schedule(track)  # as it is, empty: should nothing come to stay in it, it goes again
            return track
        self._close(track)
        if track.is_over(self._final_before):  # whether it is forgotten yet must not show
            track.group = group
            self._tracks.save(track)
        elif track.spell(group):
            self._tracks.save(track)
        return track

    def _in_time(self, track: Track, entry: Entry) -> bool:
        if not track.correlation.timespan or entry.time >= self._watermark:
            return True
        self._counts["late"] += 1
        for episode in track.episodes:
            episode.late += 1
            self._note(track, episode)
        self._schedule(track)
        return False

    def _admitted(self, wanted: Wanted) -> Wanted:
        """Leave out what finds its window full, in favour of a former version where there is one."""
        admitted: Wanted = {}
        for key, (track, entry) in wanted.items():
            former = self._placed.find(entry.id, track)
            if self._limiter.lacks(track, entry, former) is not None:
                self._prune(track)  # whether it has been forgotten yet must not decide
            if self._limiter.admits(track, entry, former):
                admitted[key] = (track, entry)
                continue
            if former is not None:
                admitted[key] = (track, former)
            track.leave_out(entry.time)
            self._tracks.save(track)
            for episode in track.episodes:
                self._note(track, episode)
        return admitted

    def _replace(
        self, entry_id: str, wanted: Wanted, completing: str, *, news: bool = False
    ) -> list[Changed]:
        """Put entries where they are wanted, and take them from where they no longer are.

        With `news`, what the event says may be more than what the windows count.
        """
        changed: list[Changed] = []
        for track, entry in self._placed.of(entry_id):
            if track.id not in wanted:
                self._placed.discard(track, entry)
                changed += self._settle(track, entry.time, None)
        for track, entry in wanted.values():
            former = self._placed.find(entry_id, track)
            if former is None:
                self._placed.put(track, entry, None)
                changed += self._settle(track, entry.time, completing, entry.evidence)
            elif not former.same(entry):
                self._placed.put(track, entry, former)
                if former.time != entry.time:
                    changed += self._settle(track, former.time, None)
                changed += self._settle(track, entry.time, completing)
            elif news:
                concerned = [e for e in track.episodes if e.tally.holds(entry.evidence)]
                track.rebuild(concerned, self.evidence.fields)
                changed += [self._note(track, episode) for episode in concerned]
        return changed

    def _settle(
        self, track: Track, time: int, completing: str | None, added: Sequence[str] | None = None
    ) -> list[Changed]:
        affected = track.settle(time, completing, self._watermark, self.evidence.fields, added)
        return self._passed_on(track, time, completing, affected)

    def _passed_on(
        self, track: Track, time: int, completing: str | None, affected: Iterable[Episode]
    ) -> list[Changed]:
        """Take note of the episodes that a change has affected, and of what follows in other correlations."""
        changed = [self._note(track, episode) for episode in affected]
        if self._subscriptions.feeds(track.correlation):
            changed += self._feed(track, time, completing)
        self._schedule(track)
        return changed

    def _feed(self, track: Track, time: int, completing: str | None) -> list[Changed]:
        """Give the firings that a change at `time` can affect to the correlations that refer to them."""
        fed = self._fed.setdefault(track.id, [])
        last = time + track.correlation.timespan
        begin, end = bisect_left(fed, time), bisect_right(fed, last)
        standing = list(track.visible(self._watermark, time, last))
        gone = {*fed[begin:end]}.difference(standing)
        fed[begin:end] = standing
        changed: list[Changed] = []
        for firing in sorted([*standing, *gone]):
            entry_id = f"{track.id}@{firing}"
            wanted: Wanted = {}
            if firing not in gone:
                evidence = track.firing_evidence(firing)
                self._collector.collect(
                    wanted, entry_id, firing, track.correlation.rule.id, track.group, evidence
                )
            changed += self._replace(entry_id, self._admitted(wanted), completing or entry_id)
        return changed

    def _page(self, changed: list[Changed]) -> None:
        self._pager.consider(
            [
                (change.track.correlation.rule, change.track.key, change.episode)
                for change in {change.episode.id: change for change in changed}.values()
                if change.episode.status is Status.OPEN and change.track.correlation.rule.is_told
            ],
            self._final_before,
        )
        self._due += [change for change in changed if change.episode.page_now]

    def _note(self, track: Track, episode: Episode) -> Changed:
        change = Changed(track, episode)
        self._episodes.note(change)
        return change

    def _close(self, track: Track) -> list[Changed]:
        closed = [self._note(track, episode) for episode in track.close(self._final_before)]
        if closed:  # at once, or their firings would be taken for a new episode's
            self._prune(track)
        return closed

    def _prune(self, track: Track) -> None:
        before = track.settled_before(self._final_before)
        if self._keep_firings and track.correlation.timespan and track.correlation.rule.alerts:
            self._final.extend(firing_at(track, time) for time in track.window.firings(-FOREVER, before - 1))
        self._placed.prune(track, before)
        if track.id in self._fed:
            fed = self._fed[track.id]
            del fed[: bisect_left(fed, before)]

    def _schedule(self, track: Track) -> None:
        """Note when to look at a track again: to let firings take effect, to close and to forget."""
        self._expiries.put(track.id, track.expires())
        time = track.awaits(self._watermark)
        if time is not None:
            self._awaiting.put(track.id, time)

    @property
    def _final_before(self) -> int:
        """The time before which nothing changes: what is just being released may still be built upon."""
        return self._watermark if self._releasing is None else self._releasing

    def _reach(self, watermark: int) -> None:
        """Let the watermark go on, over one firing after the other that awaited it."""
        while (time := self._awaiting.next_time()) is not None and time < watermark:
            self._watermark = max(self._watermark, time + 1)
            self._release()
        self._watermark = max(self._watermark, watermark)

    def _release(self) -> None:
        """Let the earliest firing that awaited the watermark take effect."""
        time, key = self._awaiting.pop()
        track = self._tracks.get(key)
        if track is not None:
            self._releasing = time
            affected = track.release(time, self._watermark, self.evidence.fields)
            self._page(self._passed_on(track, time, None, affected))
            self._releasing = None
