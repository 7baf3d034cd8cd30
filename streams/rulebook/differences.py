"""In what the alerts of two rule books differ, over the same records."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from streams.alert import Alert
from streams.rulebook.compare import label

Key = tuple[str, str]
"""A rule's label and the group's values, whatever their case."""


@dataclass(frozen=True, slots=True)
class Difference:
    """An alert that there is only with one of the books, or with both but not alike."""

    change: Literal["added", "gone", "changed"]
    before: Alert | None
    after: Alert | None

    @property
    def alert(self) -> Alert:
        """The alert as it is with the new book, or else with the old one."""
        alert = self.after or self.before
        assert alert is not None  # noqa: S101 - one of them is there
        return alert

    def document(self) -> dict[str, Any]:
        """Give it as JSON has it: counts and ids, nothing of the evidence."""
        alert = self.alert
        return {
            "change": self.change,
            "rule": label(alert),
            "group": alert.group,
            "actor": alert.actor.id,
            "first": alert.first,
            "last": alert.last,
            "before": None if self.before is None else told(self.before),
            "after": None if self.after is None else told(self.after),
        }


def key_of(alert: Alert) -> Key:
    """Give what alerts of both books have in common that are about the same."""
    group = orjson.dumps(alert.group, option=orjson.OPT_SORT_KEYS).decode().casefold()
    return label(alert), group


def told(alert: Alert) -> dict[str, Any]:
    """Give what two alerts are compared by."""
    return {
        "severity": alert.severity,
        "pages": alert.pages,
        "people": alert.exposure.people,
        "suppressed_by": alert.suppressed_by,
    }


def differences(before: Iterable[Alert], after: Iterable[Alert]) -> list[Difference]:
    """Pair the alerts of two books, and give those that have no pair, or another severity, pages or people.

    Of one rule and group, alerts are a pair whose times overlap, the earliest first.
    """
    mine: defaultdict[Key, list[Alert]] = defaultdict(list)
    for alert in sorted(after, key=lambda one: one.first):
        mine[key_of(alert)].append(alert)
    found: list[Difference] = []
    for old in sorted(before, key=lambda one: one.first):
        candidates = mine[key_of(old)]
        new = next((one for one in candidates if _overlap(old, one)), None)
        if new is None:
            found.append(Difference("gone", old, None))
            continue
        candidates.remove(new)
        if told(old) != told(new):
            found.append(Difference("changed", old, new))
    found += (Difference("added", None, one) for left in mine.values() for one in left)
    return sorted(found, key=lambda one: (one.alert.first, label(one.alert), one.change))


def _overlap(one: Alert, other: Alert) -> bool:
    (begin, end), (start, stop) = _span(one), _span(other)
    return begin <= stop and start <= end


def _span(alert: Alert) -> tuple[dt.datetime, dt.datetime]:
    return dt.datetime.fromisoformat(alert.first), dt.datetime.fromisoformat(alert.last)


class Canary:
    """The alerts of two books as the records come, and what differs so far."""

    def __init__(self) -> None:
        self._latest: tuple[dict[str, Alert], dict[str, Alert]] = ({}, {})
        self._keys: tuple[set[Key], set[Key]] = (set(), set())
        self._told: set[Key] = set()

    def take(self, before: Iterable[Alert], after: Iterable[Alert]) -> Iterator[Difference]:
        """Take in what a batch has led to with each book; give alerts that only one has, each once."""
        touched: dict[Key, tuple[int, Alert]] = {}
        for side, alerts in enumerate((before, after)):
            for alert in alerts:
                self._latest[side][alert.id] = alert
                key = key_of(alert)
                self._keys[side].add(key)
                touched[key] = side, alert
        for key, (side, alert) in touched.items():
            if key not in self._keys[1 - side] and key not in self._told:
                self._told.add(key)
                yield Difference("added", None, alert) if side else Difference("gone", alert, None)

    def alerts(self, side: int) -> list[Alert]:
        """Give the alerts that stand with the old book (0) or the new one (1)."""
        return [one for one in self._latest[side].values() if one.status in ("open", "closed")]

    def differences(self) -> list[Difference]:
        """Give what differs now."""
        return differences(self.alerts(0), self.alerts(1))
