"""The pure middle: raw records in; events, matches, alert revisions and dead letters out.

No sockets, no clock, no globals: the embedded run, the replay and the tests of rules all run this and only
this. What comes out depends on the records and their order alone, never on where batches are cut.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from streams.alert import Alert
from streams.correlate.correlator import Correlator
from streams.correlate.describe import Edition, describe
from streams.correlate.firing import Changed, Firing
from streams.correlate.limiter import LimitReached
from streams.correlate.severity import SeverityTable
from streams.detect.load import RuleBook
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.maker import SKEW
from streams.errors import Ignored, Place, RecordError
from streams.event import CLOCK_AHEAD, Event, RawRecord
from streams.normalise import normalise
from streams.normalise.base import PART, Context, Format
from streams.normalise.postfix_join import PostfixJoin
from streams.rule import BUILT_IN, Extras, Match, Rule, RuleFailure
from streams.settings import Limits
from streams.state import Saved, Table
from streams.watermark import Watermark

RULE_FAILED = Rule(
    id="outfall-rule-failed",
    name="rule_failed",
    title="A rule failed on an event",
    place=Place(BUILT_IN),
    alerts=True,
    level="medium",
    extras=Extras(
        group_by=["outfall.rule.id"],
        page=False,
        runbook=[
            "Run `outfall rules check` on the rule: it says on how long a text its expression may be tried.",
            "Write the expression so that RE2 can run it (no look-around, no back-references), or bound it.",
            "Run the rule over the records of the evidence with `outfall match --explain`.",
        ],
    ),
)
"""The operational alert that a crashing rule raises: it must not pass for a quiet one."""

LIMIT_REACHED = Rule(
    id="outfall-limit-reached",
    name="limit_reached",
    title="A limit keeps events out of a correlation",
    place=Place(BUILT_IN),
    alerts=True,
    level="high",
    extras=Extras(
        group_by=["outfall.rule.id"],
        page=False,
        runbook=[
            "See in the evidence since when events are left out, and look at the rule's own alerts.",
            "Ask whether somebody floods the log; what the rule counts from now on is too little.",
            "Narrow the rule, or raise the limit under `limits` in the configuration.",
        ],
    ),
)
"""The operational alert that a full window raises: that nothing more fires there must not pass for peace."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where records come from. `lateness` is how far, in nanoseconds, its events may be out of order."""

    name: str
    format: Format
    zone: dt.tzinfo = dt.UTC
    lateness: int = 0
    time_field: str | None = None
    id_field: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A raw record that could not be processed: kept as it was, with the stage and the reason."""

    record: RawRecord
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that has been read but not yet taken in: an event, a dead letter, or nothing."""

    record: RawRecord
    event: Event | None = None
    rejected: str | None = None

    @property
    def time(self) -> int | None:
        """The event's time, or None where there is no event."""
        return None if self.event is None else self.event.time


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
        self._sources = {source.name: source for source in sources}
        self._rules = rules
        self._enricher = enricher
        self._severity = severity
        self._clock_skew = clock_skew
        self._edition = edition or Edition(book.hash)
        self._contexts: dict[str, Context] = {}
        self._memory = Table("memory")
        self._join = PostfixJoin()
        self._watermark = Watermark({source.name: source.lateness for source in self._sources.values()})
        detections = [*(detection.rule for detection in book.detections), RULE_FAILED, LIMIT_REACHED]
        self._correlator = Correlator(
            detections, book.correlations, severity, keep_firings=keep_firings, limits=limits
        )
        self.tables: tuple[Saved, ...] = (
            self._memory,
            self._join.table,
            *(enricher.tables if enricher else ()),
            self._watermark.table,
            *self._correlator.tables,
        )

    def after_restore(self) -> None:
        """Work out what follows from the restored tables."""
        if self._enricher is not None:
            self._enricher.after_restore()
        self._watermark.after_restore()
        self._correlator.after_restore(self._final_before)

    def prepare(self, record: RawRecord) -> Prepared:
        """Normalise one record, without taking it in."""
        source = self._sources[record.origin.source]
        context = self._context(source, record)
        try:
            return Prepared(record, normalise(record, source.format, context))
        except Ignored:
            return Prepared(record)
        except RecordError as error:
            return Prepared(record, rejected=str(error))
        finally:
            key = f"{source.name}/{record.origin.stream}"
            if context.memory != self._memory.get(key, {}):
                self._memory[key] = dict(context.memory)

    def process(self, records: Sequence[RawRecord | Prepared]) -> Outcome:
        """Take records in, in the order given, and tell everything that follows."""
        outcome = Outcome()
        watermarks: list[int] = []
        for record in records:
            prepared = record if isinstance(record, Prepared) else self.prepare(record)
            for event in self._taken_in(prepared, outcome):
                outcome.events.append(event)
                watermarks.append(self._final_before)
        received = max(
            (record.received for record in _raw(records) if record.received is not None), default=None
        )
        self._correlate(outcome, watermarks, received)
        self._correlator.advance(self._final_before)
        self._tell_limits(self._final_before)
        self._raise(outcome, self._correlator.take(), received)
        self._correlator.forget()
        if self._enricher is not None:
            self._enricher.expire(self._watermark.now)
        outcome.counts.update(self._correlator.take_counts())
        return outcome

    def finish(self) -> Outcome:
        """Say that nothing more will come: what rested on an absence fires."""
        outcome = Outcome()
        self._correlator.conclude()
        self._raise(outcome, self._correlator.take(), None)
        return outcome

    def firings(self) -> list[Firing]:
        """Give every firing that stands; complete only with `keep_firings`."""
        return self._correlator.firings()

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
        received = prepared.record.received
        if self._clock_skew is not None and received is not None and event.time > received + self._clock_skew:
            event.marks += (CLOCK_AHEAD,)
            outcome.counts["clock_ahead"] += 1
        else:
            self._watermark.observe(event.origin.source, event.time)
        whole = self._join.add(event) if PART in event.marks else [event]
        if self._enricher is None:
            return whole
        return [found for one in whole for found in self._enricher.enrich(one, self._watermark.now)]

    def _correlate(self, outcome: Outcome, watermarks: list[int], received: int | None) -> None:
        tried = self._rules.tried
        matches, failures = self._rules.match(outcome.events)
        outcome.counts["rules_tried"] += self._rules.tried - tried
        outcome.matches, outcome.failures = matches, failures
        outcome.counts["rule_failures"] += len(failures)
        rules: list[list[Rule]] = [[] for _ in outcome.events]
        for match in matches:
            rules[match.event].append(match.rule)
        for event, matched, watermark in zip(outcome.events, rules, watermarks, strict=True):
            self._correlator.apply(event, matched, watermark)
            self._tell_limits(watermark)
            self._raise(outcome, self._correlator.take_pages(), received)
        by_id = {event.id: event for event in outcome.events}
        for failure in failures:
            self._correlator.apply(
                _failed(failure, by_id[str(failure.event)]), [RULE_FAILED], self._final_before
            )

    def _tell_limits(self, watermark: int) -> None:
        """Raise the operational alerts about limits."""
        for reached in self._correlator.take_limits():
            self._correlator.apply(_limited(reached), [LIMIT_REACHED], watermark)

    def _raise(self, outcome: Outcome, changes: Iterable[Changed], received: int | None) -> None:
        for change in changes:
            alert = describe(
                change,
                self._correlator,
                self._severity,
                self._edition,
                detected=received,
                freshness=self._watermark.newest(),
            )
            self._correlator.save(change)
            if alert is not None:
                outcome.alerts.append(alert)

    def _context(self, source: Source, record: RawRecord) -> Context:
        key = f"{source.name}/{record.origin.stream}"
        context = self._contexts.get(key)
        if context is None:
            context = Context(
                received=0,
                zone=source.zone,
                memory=dict(self._memory.get(key, {})),
                time_field=source.time_field,
                id_field=source.id_field,
            )
            self._contexts[key] = context
        context.received = record.received or 0
        return context


def _raw(records: Iterable[RawRecord | Prepared]) -> Iterable[RawRecord]:
    return (record.record if isinstance(record, Prepared) else record for record in records)


def _failed(failure: RuleFailure, event: Event) -> Event:
    """Make the event that the operational alert about a failing rule rests on."""
    return Event(
        id=hashlib.sha256(f"{failure.rule.id}\x1f{event.id}".encode("utf-8", "surrogatepass")).hexdigest(),
        time=event.time,
        fields={
            "event.action": "rule_failed",
            "outfall.rule.id": failure.rule.id,
            "outfall.rule.place": str(failure.rule.place),
            "outfall.rule.failure": failure.reason,
        },
        origin=event.origin,
    )


def _limited(reached: LimitReached) -> Event:
    """Make the event that the operational alert about a limit rests on."""
    return Event(
        id=reached.id,
        time=reached.hour,
        fields={
            "event.action": "limit_reached",
            "outfall.rule.id": reached.rule.id,
            "outfall.rule.place": str(reached.rule.place),
            "outfall.rule.failure": f"{reached.limit} is reached, further events are left out",
        },
        origin=reached.event.origin,
    )
