"""One correlation's sliding window over one group: which times fire, as a function of the set of its entries.

The window is inclusive, [t - timespan, t], and evaluated at every time t at which the group has an event
(docs/correlation.md). Nothing here depends on the order in which entries arrive: an entry in the order of
time is only the cheapest case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from streams.correlate.counting import Counting, Occurrences, Test
from streams.correlate.coverage import MatchedRules, Rules, Values
from streams.correlate.entry import Entry
from streams.correlate.metric import Exact, Number, plain
from streams.correlate.ordered import Ordered, OrderedExpression
from streams.correlate.summing import Percentiles, Sums
from streams.correlate.timeline import FINAL, FIRES, Slot, Timeline
from streams.rule import Correlation, CorrelationType, Expression, Threshold


class Metric(Protocol):
    """What a correlation looks at, as levels of a timeline's slots; it marks those that fire."""

    def enter(self, entry: Entry, slot: Slot) -> None:
        """Take in an entry that has been put into a slot."""
        ...

    def leave(self, entry: Entry) -> None:
        """Leave out an entry that has been taken from its slot."""
        ...

    def prune(self, gone: Iterable[Entry], before: int) -> None:
        """Leave out entries that are forgotten, all from before a time, without evaluating any slot."""
        ...

    def value(self, number: int, index: int) -> Exact | None:
        """Give the metric's value at a slot, or None where nothing can be said (the mean of nothing)."""
        ...


class Window:
    """The entries of one group and the firings that follow from them."""

    __slots__ = ("_metric", "_span", "chained", "held", "timeline")

    def __init__(self, correlation: Correlation) -> None:
        self._span = correlation.timespan
        self.timeline = Timeline()
        self._metric = metric_for(correlation, self.timeline)
        self.held = 0
        """How many values are held, or entries where there are none."""
        self.chained = 0
        """How many ids of evidence the firings that are entries here bring with them."""

    @property
    def recomputes(self) -> bool:
        """Whether an entry out of order is worked into each of the times that it concerns."""
        return not isinstance(self._metric, Counting)

    @property
    def gained(self) -> list[int]:
        """The times that began to fire with the last change, ascending."""
        return sorted(self.timeline.gained)

    @property
    def lost(self) -> bool:
        """Whether any time ceased to fire with the last change."""
        return self.timeline.lost

    @property
    def newest(self) -> int | None:
        """The time of the newest entry."""
        return self.timeline.newest

    @property
    def oldest(self) -> int | None:
        """The time of the oldest entry."""
        return self.timeline.oldest

    def put(self, entry: Entry, former: Entry | None = None) -> None:
        """Take an entry in, in place of a former one of the same id."""
        timeline = self.timeline
        if timeline.gained:
            timeline.gained = []
        timeline.lost = False
        self.held += entry.size
        if entry.chained is not None:
            self.chained += len(entry.chained)
        if former is not None:
            self._let_go(former)
            timeline.take(former)
            self._metric.leave(former)
        self._metric.enter(entry, timeline.place(entry, 0))

    def discard(self, entry: Entry) -> None:
        """Let an entry go as if it had never been."""
        self.timeline.gained, self.timeline.lost = [], False
        self._let_go(entry)
        self.timeline.take(entry)
        self._metric.leave(entry)

    def between(self, first: int, last: int) -> Iterator[Entry]:
        """Give the entries from time `first` to time `last`, both included, in the order of time and id."""
        return self.timeline.between(first, last)

    def get(self, time: int, entry_id: str) -> Entry:
        """Give the entry of an id that is there at a time."""
        return self.timeline.get(time, entry_id)

    def evidence(self, first: int, last: int) -> Iterator[str]:
        """Give the ids of the events behind the entries from time `first` to time `last`, in their order."""
        return self.timeline.evidence(first, last)

    def fires_at(self, time: int) -> bool:
        """Tell whether a time fires."""
        return self.first_firing(time, time) is not None

    def first_firing(self, first: int, last: int) -> int | None:
        """Give the first time that fires, from `first` to `last`, both included."""
        return self.timeline.first_firing(first, last)

    def last_firing(self, first: int, last: int) -> int | None:
        """Give the last time that fires, from `first` to `last`, both included."""
        return self.timeline.last_firing(first, last)

    def firings(self, first: int, last: int) -> Iterator[int]:
        """Give the times that fire, from `first` to `last`, both included, ascending."""
        return self.timeline.firings(first, last)

    def value(self, time: int) -> Number:
        """Give the metric's value at a time that fires."""
        value = self._metric.value(*self.timeline.find(time))
        return 0 if value is None else plain(value)

    def summary(self, first: int, last: int) -> tuple[Number | None, int]:
        """Give the metric's greatest value at the firings from `first` to `last`, and how many those are."""
        greatest: Exact | None = None
        count = 0
        for number, low, high in self.timeline.spans(first, last):
            fires = self.timeline.blocks[number].fires
            count += fires.count(FIRES, low, high)
            for index in range(low, high):
                if fires[index] == FIRES:
                    value = self._metric.value(number, index)
                    if value is not None and (greatest is None or value > greatest):
                        greatest = value
        return None if greatest is None else plain(greatest), count

    def retract(self, first: int, last: int) -> None:
        """Say that no time from `first` to `last`, both included, fires."""
        for number, low, high in self.timeline.spans(first, last):
            fires = self.timeline.blocks[number].fires
            fires[low:high] = bytes(FINAL if said == FIRES else said for said in fires[low:high])

    def prune(self, before: int) -> list[Entry]:
        """Forget the entries and firings older than `before`, and give the entries forgotten.

        Times whose window is no longer whole are final: what they would count from now on means nothing.
        """
        gone = self.timeline.prune(before)
        if gone:
            for entry in gone:
                self._let_go(entry)
            if self._span:
                self.timeline.finish(before + self._span)
            self._metric.prune(gone, before)
        return gone

    def _let_go(self, entry: Entry) -> None:
        self.held -= entry.size
        if entry.chained is not None:
            self.chained -= len(entry.chained)


_PERCENTS = {CorrelationType.VALUE_MIN: 0, CorrelationType.VALUE_MEDIAN: 50, CorrelationType.VALUE_MAX: 100}


def metric_for(correlation: Correlation, timeline: Timeline) -> Metric:
    """Make the metric of a correlation's type for an empty timeline."""
    condition, span = correlation.condition, correlation.timespan
    if isinstance(condition, Expression):
        if correlation.type is CorrelationType.TEMPORAL_ORDERED:
            return OrderedExpression(timeline, span, condition)
        return Rules(timeline, span, condition, correlation.rules)
    return _threshold_metric(correlation, condition, timeline)


def _threshold_metric(correlation: Correlation, condition: Threshold, timeline: Timeline) -> Metric:
    span = correlation.timespan
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return Occurrences(timeline, span, Test.of(condition))
        case CorrelationType.VALUE_COUNT:
            return Values(timeline, span, Test.of(condition))
        case CorrelationType.TEMPORAL:
            return MatchedRules(timeline, span, Test.of(condition))
        case CorrelationType.TEMPORAL_ORDERED:
            return Ordered(timeline, span, condition, correlation.rules)
        case CorrelationType.VALUE_SUM | CorrelationType.VALUE_AVG:
            mean = correlation.type is CorrelationType.VALUE_AVG
            return Sums(timeline, span, condition, mean=mean)
        case CorrelationType.VALUE_MIN | CorrelationType.VALUE_MEDIAN | CorrelationType.VALUE_MAX as kind:
            return Percentiles(timeline, span, condition, _PERCENTS[kind])
        case CorrelationType.VALUE_PERCENTILE:
            percent = 50 if condition.percentile is None else condition.percentile
            return Percentiles(timeline, span, condition, percent)
