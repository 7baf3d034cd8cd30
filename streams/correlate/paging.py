"""Who is woken, and how often: once when a breach starts, again only when it reaches a further tier.

A breach is what one actor does within a while, whichever rules see it: five rules that fire for the same
400 people wake nobody five times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from streams.alert import SEVERITIES
from streams.correlate.agenda import Agenda
from streams.correlate.entry import SEPARATOR
from streams.correlate.episode import Episode
from streams.correlate.severity import SeverityTable
from streams.event import NANOSECONDS, first
from streams.rule import Rule
from streams.state import Journal, Saved, Table

BREACH_QUIET = 24 * 3600 * NANOSECONDS
"""A breach ends when its actor has raised nothing that pages for this long."""


class Pager:
    """Decides about pages.

    Its state is a row for each actor with a breach, and one for each time that further people came to it.
    """

    def __init__(self, severity: SeverityTable) -> None:
        self._severity = severity
        self._people: dict[str, set[str]] = {}
        self._rows: dict[str, list[str]] = {}
        self._ends = Agenda()
        self._breaches = Table("breaches")
        self._journal: Journal[list[str]] = Journal("breach_people", sorted)
        self.tables: tuple[Saved, ...] = (self._breaches, self._journal)

    def consider(self, episodes: Sequence[tuple[Rule, str, Episode]], watermark: int) -> None:
        """Look at the episodes that one event has changed, each with its rule and its group's key.

        The gravest is looked at first, so that it is the one that pages and the others refer to it.
        """
        graded = [
            (self._severity.severity(rule, episode.tally), rule, group, episode)
            for rule, group, episode in episodes
        ]
        if len(graded) > 1:
            graded.sort(key=_gravity, reverse=True)
        for severity, rule, group, episode in graded:
            if self._severity.pages(rule, severity):
                self._page(rule, group, episode, watermark)

    def expire(self, watermark: int) -> None:
        """Forget breaches that have ended."""
        while (time := self._ends.next_time()) is not None and time < watermark:
            _, key = self._ends.pop()
            end = self._breaches[key]["last"] + BREACH_QUIET
            if end < watermark:
                self._forget(key)
                del self._breaches[key]
            else:
                self._ends.put(key, end)

    def after_restore(self) -> None:
        """Work out what follows from the restored tables."""
        for key, breach in self._breaches.items():
            self._people[key] = set()
            self._ends.put(key, breach["last"] + BREACH_QUIET)
        for row, people in self._journal.take_restored():
            key = row.rpartition(SEPARATOR)[0]
            self._people[key].update(people)
            self._rows.setdefault(key, []).append(row)

    def _page(self, rule: Rule, group: str, episode: Episode, watermark: int) -> None:
        actor = first(episode.tally.actor.get("outfall.actor.id"))
        key = f"actor:{actor}" if actor is not None else f"group:{rule.id}:{group}"
        breach: dict[str, Any] | None = self._breaches.get(key)
        if breach is None or max(episode.last, watermark - 1) - breach["last"] > BREACH_QUIET:
            self._forget(key)
            self._people[key] = set()
            breach = {"alert": episode.id, "tier": -1, "last": episode.last}
        people = self._people[key]
        self._add(key, people, episode.tally.further_subjects(people))
        tier = self._severity.tier(max(len(people), episode.tally.people))
        if tier > max(breach["tier"], episode.paged):
            episode.page_now = True
            episode.pages += 1
            episode.paged = tier
        episode.breach = breach["alert"]
        updated = {
            "alert": breach["alert"],
            "tier": max(tier, breach["tier"]),
            "last": max(episode.last, breach["last"]),
        }
        if updated != self._breaches.get(key):
            self._breaches[key] = updated
            self._ends.put(key, updated["last"] + BREACH_QUIET)

    def _add(self, key: str, people: set[str], further: Iterable[str]) -> None:
        new = [person for person in further if person not in people]
        if new:
            row = f"{key}{SEPARATOR}{len(people)}"
            people.update(new)
            self._rows.setdefault(key, []).append(row)
            self._journal.put(row, new)

    def _forget(self, key: str) -> None:
        self._people.pop(key, None)
        for row in self._rows.pop(key, ()):
            self._journal.delete(row)


def _gravity(graded: tuple[str, Rule, str, Episode]) -> tuple[int, int, str]:
    severity, rule, _, episode = graded
    return SEVERITIES.index(severity), episode.tally.people, rule.id
