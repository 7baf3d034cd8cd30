"""Holds alerts against the truth about a simulated council: what was found, what was cried for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streams.alert import Alert


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one story: an incident or a look-alike.

    `pages` counts pages, `tickets` alerts that did not page; `people` is the most that one alert counted.
    """

    name: str
    kind: str
    malicious: bool
    expected: str
    subjects: int
    pages: int
    tickets: int
    people: int

    @property
    def right(self) -> bool:
        """Whether an incident was found as expected, or a look-alike woke nobody."""
        if self.expected == "page":
            return self.pages > 0
        return self.pages == 0 and (self.tickets > 0 or not self.malicious)


@dataclass(frozen=True, slots=True)
class Score:
    """All stories, and the alerts that belong to none of them."""

    verdicts: Sequence[Verdict]
    other_pages: int
    other_tickets: int

    @property
    def recall(self) -> float:
        """The share of the planted incidents that were found as expected."""
        planted = [verdict for verdict in self.verdicts if verdict.malicious]
        return sum(verdict.right for verdict in planted) / len(planted) if planted else 1.0

    @property
    def precision(self) -> float:
        """The share of all pages that were for a planted incident."""
        good = sum(verdict.pages for verdict in self.verdicts if verdict.malicious)
        pages = self.other_pages + sum(verdict.pages for verdict in self.verdicts)
        return good / pages if pages else 1.0


def score(truth: Mapping[str, Any], alerts: Iterable[Alert]) -> Score:
    """Give each alert to the stories whose lines are among its evidence."""
    stories = [*truth["incidents"], *truth["lookalikes"]]
    lines = [{(event["source"], event["line"]) for event in story["events"]} for story in stories]
    found: list[list[Alert]] = [[] for _ in stories]
    others = []
    for alert in alerts:
        if alert.suppressed_by:
            continue
        evidence = {(item.source, item.line) for item in alert.evidence}
        owners = [index for index, known in enumerate(lines) if not evidence.isdisjoint(known)]
        for index in owners:
            found[index].append(alert)
        if not owners:
            others.append(alert)
    return Score(
        [
            Verdict(
                name=story["name"],
                kind=story["kind"],
                malicious=story["malicious"],
                expected=story["expect"],
                subjects=story["subject_count"],
                pages=sum(alert.pages for alert in mine),
                tickets=sum(not alert.pages for alert in mine),
                people=max((alert.exposure.people for alert in mine), default=0),
            )
            for story, mine in zip(stories, found, strict=True)
        ],
        other_pages=sum(alert.pages for alert in others),
        other_tickets=sum(not alert.pages for alert in others),
    )
