"""Who is woken, and how often: once when a breach starts, again only when it reaches a further tier.

A breach is what one actor does within a while, whichever rules see it: five rules that fire for the same
400 people wake nobody five times.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.alert import SEVERITIES
from streams.correlate.episode import Episode
from streams.correlate.severity import SeverityTable
from streams.event import NANOSECONDS, first
from streams.rule import Rule
from streams.state import Table

BREACH_QUIET = 24 * 3600 * NANOSECONDS
"""A breach ends when its actor has raised nothing that pages for this long."""


class Pager:
    """Decides about pages. Its state is one row for each actor with a breach."""

    def __init__(self, severity: SeverityTable) -> None:
        self._severity = severity
        self.table = Table("breaches")

    def consider(self, episodes: Sequence[tuple[Rule, str, Episode]], watermark: int) -> None:
        """Look at the episodes that one event has changed, each with its rule and its group's key.

        The gravest is looked at first, so that it is the one that pages and the others refer to it.
        """
        for rule, group, episode in sorted(episodes, key=self._gravity, reverse=True):
            if self._severity.pages(rule, self._severity.severity(rule, episode.tally)):
                self._page(rule, group, episode, watermark)

    def expire(self, watermark: int) -> None:
        """Forget breaches that have ended."""
        for key in [key for key, breach in self.table.items() if breach["last"] + BREACH_QUIET < watermark]:
            del self.table[key]

    def after_restore(self) -> None:
        """Work out what follows from the restored table."""

    def _page(self, rule: Rule, group: str, episode: Episode, watermark: int) -> None:
        actor = first(episode.tally.actor.get("outfall.actor.id"))
        key = f"actor:{actor}" if actor is not None else f"group:{rule.id}:{group}"
        breach: dict[str, Any] | None = self.table.get(key)
        if breach is None or max(episode.last, watermark - 1) - breach["last"] > BREACH_QUIET:
            breach = {"alert": episode.id, "tier": -1, "people": [], "last": episode.last}
        people = set(breach["people"]) | episode.tally.subjects
        tier = self._severity.tier(max(len(people), episode.tally.people))
        if tier > max(breach["tier"], episode.paged):
            episode.page_now = True
            episode.pages += 1
            episode.paged = tier
        episode.breach = breach["alert"]
        updated = {
            "alert": breach["alert"],
            "tier": max(tier, breach["tier"]),
            "people": sorted(people),
            "last": max(episode.last, breach["last"]),
        }
        if updated != self.table.get(key):
            self.table[key] = updated

    def _gravity(self, item: tuple[Rule, str, Episode]) -> tuple[int, int, str]:
        rule, _, episode = item
        return SEVERITIES.index(self._severity.severity(rule, episode.tally)), episode.tally.people, rule.id
