"""The pure middle in one piece: raw records in; events, matches, alert revisions and dead letters out.

No sockets, no clock, no globals: the embedded run, the replay and the tests of rules all run this and only
this. What comes out depends on the records and their order alone, never on where batches are cut. The worker
on Kafka runs the same steps cut into stages (`streams/stages/`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from streams.alert import Alert
from streams.correlate.describe import Edition
from streams.correlate.firing import Firing
from streams.correlate.severity import SeverityTable
from streams.detect.book import RuleBook
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.maker import SKEW
from streams.event import Event, RawRecord
from streams.normalise.base import PART
from streams.normalise.postfix_join import PostfixJoin
from streams.rule import Match, RuleFailure
from streams.settings import Limits
from streams.stages.alerting import Alerting, Now
from streams.stages.matcher import match
from streams.stages.reader import DeadLetter, Known, Passed, Prepared, Reader, Source
from streams.state import Saved
from streams.watermark import Watermark


@dataclass(slots=True)
class Outcome:
    """What a batch of records led to.

    `alerts` holds one revision of each alert as it stands after the batch, and before it one for each page,
    as it stood at the event that was the reason to page.
    """

    events: list[Event] = field(default_factory=list)
    matches: list[Match] = field(default_factory=list)
    failures: list[RuleFailure] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class Pipeline:
    """The way of a record, with the state of its steps.

    After each `process` the shell drains `tables` and saves the changes; before the first one it restores
    them and calls `after_restore`. `clock_skew` is how far, in nanoseconds, an event's time may be ahead of
    its receipt before it is marked and kept from moving the watermark; None where receipt says nothing.
    Without an `enricher` events go to the rules as they were normalised.
    """

    def __init__(
        self,
        sources: Iterable[Source],
        rules: RuleSet,
        book: RuleBook,
        enricher: Enricher | None,
        severity: SeverityTable,
        *,
        clock_skew: int | None = None,
        edition: Edition | None = None,
        keep_firings: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self._reader = Reader(sources, clock_skew)
        self._rules = rules
        self._enricher = enricher
        self._join = PostfixJoin()
        self._watermark = Watermark(
            {source.name: source.lateness for source in self._reader.sources.values()}
        )
        self._alerting = Alerting(
            book, severity, edition or Edition(book.hash), keep_firings=keep_firings, limits=limits
        )
        self.tables: tuple[Saved, ...] = (
            *self._reader.tables,
            self._join.table,
            *(enricher.tables if enricher else ()),
            self._watermark.table,
            *self._alerting.tables,
        )

    def after_restore(self) -> None:
        """Work out what follows from the restored tables."""
        if self._enricher is not None:
            self._enricher.after_restore()
        self._watermark.after_restore()
        self._alerting.after_restore(self._final_before)

    def prepare(self, record: RawRecord) -> Prepared:
        """Normalise one record, without taking it in."""
        return self._reader.prepare(record)

    def process(self, records: Sequence[RawRecord | Prepared | Passed]) -> Outcome:
        """Take records in, in the order given, and tell everything that follows.

        Of what was prepared by `stages.look.Look`, by the same rules and enrichment, no more is told among
        `events` and `matches` than what has to be taken in.
        """
        outcome = Outcome()
        watermarks: list[int] = []
        known: list[Known | None] = []
        for record in records:
            if isinstance(record, Passed):
                outcome.counts["records"] += 1
                self._watermark.observe(record.source, record.time)
                continue
            prepared = record if isinstance(record, Prepared) else self.prepare(record)
            for event in self._taken_in(prepared, outcome):
                outcome.events.append(event)
                watermarks.append(self._final_before)
                known.append(prepared.known if event is prepared.event else None)
        received = max(
            (record.received for record in _raw(records) if record.received is not None), default=None
        )
        self._correlate(outcome, known, watermarks, Now(received, self._watermark.newest))
        if self._enricher is not None:
            self._enricher.expire(self._watermark.now)
        outcome.counts.update(self._alerting.take_counts())
        return outcome

    def finish(self) -> Outcome:
        """Say that nothing more will come: what rested on an absence fires."""
        return Outcome(alerts=self._alerting.conclude(Now(None, self._watermark.newest)))

    def firings(self) -> list[Firing]:
        """Give every firing that stands; complete only with `keep_firings`."""
        return self._alerting.firings()

    @property
    def _final_before(self) -> int:
        """The time before which windows are final: enrichment revises events behind the watermark."""
        return self._watermark.now - (0 if self._enricher is None else SKEW)

    def _taken_in(self, prepared: Prepared, outcome: Outcome) -> list[Event]:
        """Give the enriched events that a record leads to: its own, a joined one, earlier ones explained."""
        outcome.counts["records"] += 1
        event = prepared.event
        if event is None:
            if prepared.rejected is None:
                outcome.counts["ignored"] += 1
            else:
                outcome.counts["rejected"] += 1
                outcome.dead_letters.append(DeadLetter(prepared.record, "normalise", prepared.rejected))
            return []
        if self._reader.is_ahead(event, prepared.record.received):
            outcome.counts["clock_ahead"] += 1
        else:
            self._watermark.observe(event.origin.source, event.time)
        whole = self._join.add(event, self._watermark.now) if PART in event.marks else [event]
        if self._enricher is None:
            return whole
        if prepared.known is not None:
            return whole if prepared.known.tried else self._enricher.trace(event, self._watermark.now)
        return [found for one in whole for found in self._enricher.enrich(one, self._watermark.now)]

    def _correlate(
        self, outcome: Outcome, known: Sequence[Known | None], watermarks: list[int], now: Now
    ) -> None:
        matched = match(self._rules, outcome.events, known)
        outcome.matches, outcome.failures = matched.matches, matched.failures
        outcome.counts["rules_tried"] += matched.tried
        outcome.counts["rule_failures"] += len(matched.failures)
        for event, rules, watermark in zip(outcome.events, matched.rules, watermarks, strict=True):
            outcome.alerts += self._alerting.apply(event, rules, watermark, now)
        for event, rules in matched.failed:
            outcome.alerts += self._alerting.apply(event, rules, self._final_before, now)
        outcome.alerts += self._alerting.advance(self._final_before, now)


def _raw(records: Iterable[RawRecord | Prepared | Passed]) -> Iterator[RawRecord]:
    for record in records:
        if not isinstance(record, Passed):
            yield record.record if isinstance(record, Prepared) else record
