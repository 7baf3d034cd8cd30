"""Alerts: what people see. One alert is an episode of firings of one rule for one group, with revisions.

Nothing here names a data subject: people are counted, and listed only as pseudonyms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

from streams.event import Scalar

T = TypeVar("T")

SEVERITIES = ("informational", "low", "medium", "high", "critical")


class Status(StrEnum):
    """Where an episode stands, as the engine sees it; what analysts do with it is kept apart."""

    OPEN = "open"
    CLOSED = "closed"
    SUPERSEDED = "superseded"
    RETRACTED = "retracted"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertRule(_Part):
    """The rule behind an alert, and by what it ran.

    `version` is the hash of the whole rule book, `revision` its git commit, `configuration` the hash of what
    all workers have agreed on, where there are several; `bundle` the id of the rule bundle, if it is of one.
    """

    id: str
    name: str | None
    title: str
    level: str
    place: str
    version: str
    revision: str | None = None
    configuration: str | None = None
    bundle: str | None = None
    tags: list[str] = []
    runbook: list[str] = []
    falsepositives: list[str] = []


class Actor(_Part):
    """The person or service account behind an alert; where there are several, `several` are their ids."""

    id: str | None
    several: list[str] = []
    team: str | None = None
    role: str | None = None
    leaver: bool = False


class File(_Part):
    """A file that an event names; `size` in bytes."""

    name: str | None
    size: int | None = None
    sha256: str | None = None


class Evidence(_Part):
    """One contributing event: which, where it was read, and what it says (flat ECS fields)."""

    id: str
    time: str
    source: str
    stream: str
    offset: int
    line: int
    marks: list[str] = []
    fields: dict[str, Scalar | list[Scalar]]


class Exposure(_Part):
    """Whose data and how much: distinct people and records over the whole episode.

    `people` is the number of known people, or the largest mere number that a source stated when that is
    larger; `subjects` are the pseudonyms of the known ones. `bytes` is the sum over the egress events.
    """

    people: int
    subjects: list[str]
    records: int
    categories: list[str]
    vulnerable: bool
    bytes: int


class Alert(_Part):
    """One revision of one alert. Times are RFC 3339 in UTC.

    `observed` and `threshold` are the metric and what it was compared with, for a correlation. `page` is
    true in the one revision that pages; `pages` counts them. `breach` is the id of the alert that first
    paged for the same actor's breach.
    """

    id: str
    revision: int
    status: Status
    superseded_by: str | None = None
    rule: AlertRule
    group: dict[str, Scalar]
    reason: str
    severity: str
    tier: int
    page: bool
    pages: int
    breach: str | None = None
    actor: Actor
    channels: list[str]
    destinations: list[str]
    destination_classes: list[str]
    verdict: str | None
    exposure: Exposure
    files: list[File]
    observed: int | float | None
    threshold: str | None
    first: str
    last: str
    firings: int
    paged_tier: int | None = Field(
        default=None, description="The tier of all people of the breach at which this alert last paged."
    )
    late: int = Field(default=0, description="Events that came too late to be counted in.")
    suppressed_by: list[str] = Field(
        default=[],
        description="The exceptions but for which this would be an alert; it is kept, and wakes nobody.",
    )
    left_out: int = Field(
        default=0,
        description="Events that were left out at a limit (`limits`): there is more than what is told.",
    )
    evidence: list[Evidence]
    shortened: bool = Field(
        default=False,
        description="This copy lacks evidence or subjects, to fit a message; its numbers are whole.",
    )
    detected: str | None = Field(default=None, description="When this revision was made; processing time.")
    freshness: dict[str, str] = Field(default={}, description="Time of the newest event of each source.")

    def canonical(self) -> dict[str, Any]:
        """Give what must be equal between two runs over the same log: all but processing times and places."""
        aside = {"revision": True, "detected": True, "freshness": True, "page": True, "paged_tier": True}
        return self.model_dump(mode="json", exclude={**aside, "rule": {"configuration"}})

    def fitted(self, most: int) -> Alert:
        """Give the alert as it is, or where its JSON is longer than so many bytes, a copy that is not.

        Of the evidence the earliest is kept, and of the subjects some; how many there are is told all the
        same by `exposure` and `observed`.
        """
        if len(self.model_dump_json().encode()) <= most:
            return self
        bare = self.model_copy(
            update={
                "evidence": [],
                "exposure": self.exposure.model_copy(update={"subjects": []}),
                "shortened": True,
            }
        )
        room = max(0, most - len(bare.model_dump_json().encode()) - 1024)
        evidence, left = _first(self.evidence, room // 2, lambda one: len(one.model_dump_json().encode()))
        subjects, _ = _first(self.exposure.subjects, room // 2 + left, lambda one: len(one.encode()) + 3)
        exposure = self.exposure.model_copy(update={"subjects": subjects})
        return bare.model_copy(update={"evidence": evidence, "exposure": exposure})

    def digest(self) -> str:
        """Tell two revisions apart by what they say."""
        content = orjson.dumps(self.canonical(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(content).hexdigest()[:32]


def _first(items: list[T], room: int, size: Callable[[T], int]) -> tuple[list[T], int]:
    """Give as many of the first items as there is room for, and the room that is left."""
    for number, item in enumerate(items):
        room -= size(item) + 1
        if room < 0:
            return items[:number], 0
    return items, room
