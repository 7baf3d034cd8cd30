"""The first stage: raw records of one partition → events; those that bear content go on to be traced.

What an event says by itself is worked out here, and the rules are tried at once on those that no other event
can say more about. Its state is what the format keeps in mind and how far event time has come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from streams.enrich import Enricher
from streams.enrich.content import bears
from streams.event import Event, RawRecord
from streams.normalise.base import PART
from streams.stages.breaker import Breaker
from streams.stages.parts import Parts
from streams.stages.reader import DeadLetter, Reader, Source
from streams.stages.route import Router
from streams.stages.stage import Progress, Raw, Sent
from streams.stages.wire import Carried, Message, encode
from streams.state import Saved, Table

CONTENT = 0
"""The partition in which all that bears content meets."""


class ReadStage:
    """The task of one partition of a raw topic; `upstream` names the partition to those that follow."""

    def __init__(
        self, source: Source, upstream: str, parts: Parts, enricher: Enricher, router: Router
    ) -> None:
        self._source = source
        self._upstream = upstream
        self._parts = parts
        self._enricher = enricher
        self._router = router
        self._reader = Reader([source], parts.clock_skew)
        self._breaker = Breaker(source.name, parts.breaker)
        self._clock = Table("clock")
        self.tables: tuple[Saved, ...] = (*self._reader.tables, *self._breaker.tables, self._clock)

    def after_restore(self) -> None:
        """Nothing follows from the tables that is not in them."""

    @property
    def _announced(self) -> bool:
        """Whether those that follow have heard of this partition: before that they let no time pass."""
        return "announced" in self._clock

    def process(self, records: Sequence[Raw]) -> Sent:
        """Read records and send their events on; without any, say that there is nothing to wait for.

        Raises:
            BreakerOpen: most records are dead.
        """
        sent = Sent()
        before: int | None = self._clock.get("newest")
        newest = before
        ready: list[Carried] = []
        content = Message(self._upstream)
        for record in records:
            if isinstance(record, Progress):
                sent.counts["markers"] += 1
                newest = record.time if newest is None else max(newest, record.time)
                for name in record.sources:
                    content.marked[name] = min(record.time, content.marked.get(name, record.time))
                continue
            event = self._event(record, sent)
            if event is None:
                continue
            if self._reader.is_ahead(event, record.received):
                sent.counts["clock_ahead"] += 1
            elif newest is None or event.time > newest:
                newest = event.time
            to_trace = self._described(event)
            (content.events if to_trace else ready).append(Carried(event, record.received))
        self._breaker.note(sent.counts["events"] + sent.counts["rejected"], sent.counts["rejected"])
        if newest is not None and newest != before:
            self._clock["newest"] = newest
            content.newest = {self._source.name: newest}
        if content.events or content.newest or content.marked or not self._announced:
            self._clock["announced"] = True
            sent.content[CONTENT] = list(encode(content))
        sent.newest = content.newest
        self._send_matches(ready, sent)
        return sent

    def _event(self, record: RawRecord, sent: Sent) -> Event | None:
        """Normalise a record, or take note of what became of it."""
        prepared = self._reader.prepare(record)
        if prepared.event is not None:
            sent.counts["events"] += 1
        elif prepared.rejected is None:
            sent.counts["ignored"] += 1
        else:
            sent.counts["rejected"] += 1
            sent.dead_letters.append(DeadLetter(record, "normalise", prepared.rejected))
        return prepared.event

    def _described(self, event: Event) -> bool:
        """Enrich an event as far as it goes by itself; tell whether others may have more to say of it."""
        if PART in event.marks:
            return True
        self._enricher.describe(event)
        if bears(event):
            return True
        self._enricher.conclude(event)
        return False

    def _send_matches(self, ready: list[Carried], sent: Sent) -> None:
        """Try the rules on events, and send each to the partitions in which its groups count."""
        matched = self._parts.match([carried.event for carried in ready], sent)
        about = [(Carried(event, None), rules) for event, rules in matched.failed]
        routed: defaultdict[int, list[Carried]] = defaultdict(list)
        for carried, rules in [*zip(ready, matched.rules, strict=True), *about]:
            if rules:
                carried.rules = [rule.id for rule in rules]
                for partition in self._router.partitions(carried.event.fields, rules):
                    routed[partition].append(carried)
        for partition, some in routed.items():
            message = Message(self._upstream, book=self._parts.book.hash, events=some)
            sent.matches[partition] = list(encode(message))
