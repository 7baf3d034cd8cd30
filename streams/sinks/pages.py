"""Which pages are open: on-call is told of a breach once, again at each further tier, and when it is over.

A page is a revision that pages (`correlate/paging.py` decides). A breach has one open page, its newest; it is
over when none of its alerts is open any more. What is open follows from the alerts alone, whatever order
those of different partitions come in, so that one who has forgotten everything reads them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from streams.alert import Alert, Status

SHORT = 12
"""Characters of an alert's id that tell it from all others."""


@dataclass(frozen=True, slots=True)
class Page:
    """What on-call is told: labels make its identity, and nothing in it is personal."""

    breach: str
    alert: Alert

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all other pages."""
        return self.alert.id, self.alert.pages

    @property
    def tier(self) -> int:
        """The tier of the breach at which it paged; a later page of a breach always has a higher one."""
        return self.alert.tier if self.alert.paged_tier is None else self.alert.paged_tier

    @property
    def labels(self) -> dict[str, str]:
        """Give what it is told apart and routed by. A further tier is another page, and notifies again."""
        alert = self.alert
        return {
            "alertname": "PersonalDataLeaving",
            "source": "outfall",
            "breach": self.breach[:SHORT],
            "alert": alert.id[:SHORT],
            "page": str(alert.pages),
            "tier": str(self.tier),
            "severity": alert.severity,
            "rule": alert.rule.name or alert.rule.id,
            "team": alert.actor.team or "unknown",
        }

    @property
    def annotations(self) -> dict[str, str]:
        """Give what is to be read. Counts and classes; who and whose is in the alert."""
        exposure = self.alert.exposure
        people = f"{exposure.people} people" if exposure.people != 1 else "1 person"
        whose = f"data of {people}" if exposure.people else "data"
        if exposure.vulnerable:
            whose += ", vulnerable ones among them,"
        where = ", ".join(self.alert.destination_classes) or "an unknown destination"
        return {
            "summary": f"{self.alert.rule.title}: {whose} went to {where}",
            "categories": ", ".join(exposure.categories) or "unknown",
            "channels": ", ".join(self.alert.channels),
            "next": f"outfall alerts show {self.alert.id[:SHORT]}",
        }


@dataclass(slots=True)
class _Breach:
    open_alerts: set[str] = field(default_factory=set)
    pages: dict[tuple[str, int], Page] = field(default_factory=dict)

    @property
    def newest(self) -> Page | None:
        if not self.pages:
            return None
        return max(self.pages.values(), key=lambda page: (page.tier, page.alert.detected or "", page.key))


class Pages:
    """The pages of all breaches."""

    def __init__(self) -> None:
        self._breaches: dict[str, _Breach] = {}
        self._breach_of: dict[str, str] = {}
        self._seen: dict[str, int] = {}

    def take(self, alerts: Iterable[Alert]) -> None:
        """Take note of revisions; one that is not newer than what is known of its alert changes nothing."""
        for alert in alerts:
            if alert.revision > self._seen.get(alert.id, 0):
                self._seen[alert.id] = alert.revision
                self._take(alert)

    @property
    def open(self) -> list[Page]:
        """The page of each breach that goes on."""
        found = [breach.newest for breach in self._breaches.values() if breach.open_alerts]
        return [page for page in found if page is not None]

    def forget_closed(self) -> None:
        """Let go of breaches that are over."""
        self._breaches = {key: breach for key, breach in self._breaches.items() if breach.open_alerts}

    def _take(self, alert: Alert) -> None:
        key = alert.breach or alert.id
        former = self._breaches.get(self._breach_of.get(alert.id, key))
        if former is not None:
            former.open_alerts.discard(alert.id)  # it may be of another breach by now
        breach = self._breaches.setdefault(key, _Breach())
        if alert.page:
            page = Page(key, alert)
            breach.pages[page.key] = page
        if alert.status is Status.OPEN:
            breach.open_alerts.add(alert.id)
            self._breach_of[alert.id] = key
        else:
            self._breach_of.pop(alert.id, None)
