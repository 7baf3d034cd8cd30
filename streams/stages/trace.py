"""The second stage: events that bear content, from all partitions, are joined and traced to their origins.

Both sides of a lineage meet here, in whichever order they come, and the lines of one message. An event that
another one explains later is sent again, under the same id, to wherever its former version went. Since
everything passes by here or before it, this stage also tells those that follow how far time has come.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence

from streams.enrich import Enricher
from streams.enrich.maker import SKEW
from streams.event import NANOSECONDS, Event
from streams.normalise.base import PART
from streams.normalise.postfix_join import KEPT, PostfixJoin
from streams.rule import Rule
from streams.stages.parts import Parts
from streams.stages.route import Router
from streams.stages.stage import Sent
from streams.stages.wire import Carried, Message, encode
from streams.state import Saved, Table
from streams.watermark import BEGINNING, Watermark

_ROUTES_KEPT = 24 * 3600 * NANOSECONDS
"""How long, behind the watermark, it is known where an event went: longer than anything can revise it."""
assert _ROUTES_KEPT > KEPT + SKEW  # noqa: S101 - a relation between constants


class TraceStage:
    """The task of the partition of content. `upstreams` gives the source of every raw partition there is.

    Time does not move before each of them has been heard of: one that lags, or that nobody reads yet, may
    hold events of any age.
    """

    def __init__(
        self,
        upstreams: Mapping[str, str],
        lateness: Mapping[str, int],
        upstream: str,
        parts: Parts,
        enricher: Enricher,
        router: Router,
    ) -> None:
        self._sources = upstreams
        self._upstream = upstream
        self._parts = parts
        self._enricher = enricher
        self._router = router
        self._join = PostfixJoin()
        self._heard = Table("heard")
        self._unheard = set(upstreams)
        self._routes = Table("routes")
        self._ends: list[tuple[int, str]] = []
        self._watermark = Watermark({name: lateness[source] for name, source in upstreams.items()})
        self.tables: tuple[Saved, ...] = (
            self._join.table,
            *enricher.tables,
            self._heard,
            self._routes,
            self._watermark.table,
        )

    def after_restore(self) -> None:
        """Go on from the restored tables."""
        self._enricher.after_restore()
        self._watermark.after_restore()
        self._unheard.difference_update(self._heard)
        self._ends = [(row["time"], event_id) for event_id, row in self._routes.items()]
        heapq.heapify(self._ends)

    def process(self, records: Sequence[Message]) -> Sent:
        """Take messages in, and send on what they lead to."""
        sent = Sent()
        events: list[Event] = []
        received: list[int | None] = []
        before = self._watermark.now
        for message in records:
            for carried in message.events:
                for event in self._traced(carried.event):
                    events.append(event)
                    received.append(carried.received)
            self._hear(message)
        sent.counts["events"] += len(events)
        routed = self._routed(events, received, sent)
        self._expire()
        if self._watermark.now > before:
            sent.newest = self._newest()
            for partition in range(self._parts.partitions):
                routed.setdefault(partition, [])
        sent.final_before = max(self._watermark.now - SKEW, BEGINNING)
        for partition, some in routed.items():
            message = Message(self._upstream, sent.newest, sent.final_before, self._parts.book.hash, some)
            sent.matches[partition] = list(encode(message))
        return sent

    def _traced(self, event: Event) -> list[Event]:
        """Give what an event leads to: itself, a joined message, earlier events that it explains."""
        if PART not in event.marks:
            return self._enricher.trace(event, self._watermark.now)
        whole = self._join.add(event, self._watermark.now)
        return [found for one in whole for found in self._enricher.enrich(one, self._watermark.now)]

    def _hear(self, message: Message) -> None:
        """Take note of how far time has come in one of the partitions before this one."""
        if message.upstream not in self._sources:
            return  # of a topic that is no longer read
        if message.upstream not in self._heard:
            self._heard[message.upstream] = True
            self._unheard.discard(message.upstream)
        for upstream, source in self._sources.items() if message.marked else ():
            if source in message.marked and upstream not in self._watermark.table:
                # Its mark has been written and not been read yet: until then it counts as having come so far.
                self._watermark.observe(upstream, message.marked[source], moves=False)
        for time in message.newest.values():
            self._watermark.observe(message.upstream, time, moves=not self._unheard)

    def _routed(
        self, events: list[Event], received: list[int | None], sent: Sent
    ) -> defaultdict[int, list[Carried]]:
        matched = self._parts.match(events, sent)
        routed: defaultdict[int, list[Carried]] = defaultdict(list)
        for event, at, rules in zip(events, received, matched.rules, strict=True):
            for partition in self._partitions(event, rules):
                routed[partition].append(Carried(event, at, [rule.id for rule in rules]))
        for event, rules in matched.failed:
            for partition in self._router.partitions(event.fields, rules):
                routed[partition].append(Carried(event, None, [rule.id for rule in rules]))
        return routed

    def _partitions(self, event: Event, rules: Sequence[Rule]) -> Sequence[int]:
        """Give where an event must go: where its rules count, and where its former versions have gone."""
        now = self._router.partitions(event.fields, rules) if rules else set()
        row = self._routes.get(event.id)
        former: list[int] = [] if row is None else row["to"]
        if not now.issubset(former):
            self._routes[event.id] = {"to": sorted(now.union(former)), "time": event.time}
            heapq.heappush(self._ends, (event.time, event.id))
        return sorted(now.union(former))

    def _expire(self) -> None:
        self._enricher.expire(self._watermark.now)
        while self._ends and self._ends[0][0] < self._watermark.now - _ROUTES_KEPT:
            _, event_id = heapq.heappop(self._ends)
            self._routes.pop(event_id, None)

    def _newest(self) -> dict[str, int]:
        """Give the time of the newest event of each source, over its partitions."""
        newest: dict[str, int] = {}
        for upstream, time in self._watermark.newest().items():
            source = self._sources[upstream]
            newest[source] = max(time, newest.get(source, time))
        return newest
