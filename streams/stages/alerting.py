"""The last steps: matched events → firings → episodes → alert revisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from streams.alert import Alert
from streams.correlate.correlator import Correlator
from streams.correlate.describe import Edition, describe
from streams.correlate.firing import Changed, Firing
from streams.correlate.severity import SeverityTable
from streams.correlate.wanted import Owns
from streams.detect.book import RuleBook
from streams.event import Event
from streams.rule import Rule
from streams.settings import Limits
from streams.stages.built_in import LIMIT_REACHED, RULE_FAILED, limited
from streams.state import Saved


@dataclass(frozen=True, slots=True)
class Now:
    """What an alert says of the time at which it is raised.

    `received` is when the newest record of the batch was received, None where that is not known; `freshness`
    gives the time of the newest event of each source. All in nanoseconds since the epoch.
    """

    received: int | None
    freshness: Callable[[], Mapping[str, int]]


class Alerting:
    """Windows, episodes and alerts of a rule book.

    `owns` says which groups are counted here, where several count for one book; None for all.
    """

    def __init__(
        self,
        book: RuleBook,
        severity: SeverityTable,
        edition: Edition,
        *,
        limits: Limits | None = None,
        keep_firings: bool = False,
        owns: Owns | None = None,
    ) -> None:
        self._severity = severity
        self._edition = edition
        self._fired: Counter[str] = Counter()
        detections = [*(detection.rule for detection in book.all_detections), RULE_FAILED, LIMIT_REACHED]
        self._correlator = Correlator(
            detections, book.all_correlations, severity, keep_firings=keep_firings, limits=limits, owns=owns
        )
        self.tables: tuple[Saved, ...] = self._correlator.tables

    def after_restore(self, final_before: int) -> None:
        """Work out what follows from the restored tables, saved when windows before that time were final."""
        self._correlator.after_restore(final_before)

    def apply(self, event: Event, rules: Sequence[Rule], final_before: int, now: Now) -> list[Alert]:
        """Take in an event with the rules that are true of it; give the alerts for which a page is due."""
        self._correlator.apply(event, rules, final_before)
        self._tell_limits(final_before)
        return self._described(self._correlator.take_pages(), now)

    def advance(self, final_before: int, now: Now) -> list[Alert]:
        """Let time pass at the end of a batch, and give every alert that has changed in it, as it stands."""
        self._correlator.advance(final_before)
        self._tell_limits(final_before)
        alerts = self._described(self._correlator.take(), now)
        self._correlator.forget()
        return alerts

    def conclude(self, now: Now) -> list[Alert]:
        """Say that nothing more will come: what rested on an absence fires."""
        self._correlator.conclude()
        return self._described(self._correlator.take(), now)

    def firings(self) -> list[Firing]:
        """Give every firing that stands; complete only with `keep_firings`."""
        return self._correlator.firings()

    def take_counts(self) -> Counter[str]:
        """Give what was counted since the last call."""
        return self._correlator.take_counts()

    def take_fired(self) -> Counter[str]:
        """Give how many firings were new in alerts since the last call, by the rule's id."""
        fired, self._fired = self._fired, Counter()
        return fired

    def _tell_limits(self, final_before: int) -> None:
        """Raise the operational alerts about limits."""
        for reached in self._correlator.take_limits():
            self._correlator.apply(limited(reached), [LIMIT_REACHED], final_before)

    def _described(self, changes: Iterable[Changed], now: Now) -> list[Alert]:
        alerts: list[Alert] = []
        for change in changes:
            told = change.episode.told
            alert = describe(
                change,
                self._correlator,
                self._severity,
                self._edition,
                detected=now.received,
                freshness=now.freshness(),
            )
            self._correlator.save(change)
            if alert is None:
                continue
            alerts.append(alert)
            if not alert.suppressed_by:
                self._fired[alert.rule.id] += max(0, alert.firings - told)
        return alerts
