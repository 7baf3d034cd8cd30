"""The third stage: matched events of one partition's groups → alert revisions."""

from __future__ import annotations

from collections.abc import Sequence

from streams.event import Scalar
from streams.rule import Correlation, Rule
from streams.stages.alerting import Alerting, Now
from streams.stages.built_in import LIMIT_REACHED
from streams.stages.parts import Parts
from streams.stages.route import Router
from streams.stages.stage import Sent
from streams.stages.wire import Message
from streams.state import Saved, Table
from streams.watermark import BEGINNING


class CorrelateStage:
    """The task of one partition of the matches. A group that another partition counts is not counted here."""

    def __init__(self, partition: int, parts: Parts, router: Router) -> None:
        self._rules = {rule.id: rule for rule in parts.all_rules}

        def owns(correlation: Correlation, group: dict[str, Scalar]) -> bool:
            # A limit is reached where it is reached, and told there.
            return correlation.rule is LIMIT_REACHED or router.partition(correlation, group) == partition

        self._alerting = Alerting(parts.book, parts.severity, parts.edition, limits=parts.limits, owns=owns)
        self._clock = Table("clock")
        self.tables: tuple[Saved, ...] = (self._clock, *self._alerting.tables)

    @property
    def final_before(self) -> int:
        """The time before which windows are final, in nanoseconds since the epoch."""
        final: int = self._clock.get("final_before", BEGINNING)
        return final

    def after_restore(self) -> None:
        """Go on from the restored tables."""
        self._alerting.after_restore(self.final_before)

    def process(self, records: Sequence[Message]) -> Sent:
        """Take messages in, and give every alert that has changed, as it stands after them."""
        sent = Sent()
        received = max(
            (
                carried.received
                for message in records
                for carried in message.events
                if carried.received is not None
            ),
            default=None,
        )
        now = Now(received, self._newest)
        for message in records:
            self._take(message, sent, now)
        sent.alerts += self._alerting.advance(self.final_before, now)
        sent.counts.update(self._alerting.take_counts())
        sent.fired = self._alerting.take_fired()
        sent.final_before = self.final_before
        return sent

    def _take(self, message: Message, sent: Sent, now: Now) -> None:
        for carried in message.events:
            rules = self._known(carried.rules, sent)
            sent.counts["events"] += 1
            sent.alerts += self._alerting.apply(carried.event, rules, self.final_before, now)
        if message.newest:
            self._clock["newest"] = message.newest
        if message.final_before is not None and message.final_before > self.final_before:
            self._clock["final_before"] = message.final_before

    def _known(self, rule_ids: Sequence[str], sent: Sent) -> list[Rule]:
        """Give the rules of ids; another rule book, running beside this one, may have others."""
        found: list[Rule] = []
        for rule_id in rule_ids:
            rule = self._rules.get(rule_id)
            if rule is None:
                sent.counts["unknown_rules"] += 1
            else:
                found.append(rule)
        return found

    def _newest(self) -> dict[str, int]:
        newest: dict[str, int] = self._clock.get("newest", {})
        return newest
