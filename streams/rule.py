"""Rules as the engine sees them: detections, correlations, and what outfall adds to Sigma.

Sigma 2.1 is the language (https://sigmahq.io/sigma-specification/); what it lacks sits under the custom
attribute `outfall:` of a rule, described by `Extras`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from streams.errors import Place
from streams.event import NANOSECONDS, LogSource


class Extras(BaseModel):
    """What outfall adds to a Sigma rule, under the rule's `outfall:` key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group_by: list[str] = Field(
        default=["outfall.actor.id"],
        description="Fields that part one alert of a detection from another; a correlation has its own.",
    )
    quiet: str | None = Field(
        default=None,
        pattern=r"^\d+[smhd]$",
        description="An alert closes after this long without a firing; never shorter than the timespan.",
    )
    page: bool = Field(
        default=True, description="Whether this rule may page at all; otherwise a ticket at most."
    )
    severity: str | None = Field(
        default=None,
        pattern=r"^(informational|low|medium|high|critical)$",
        description="The least severity of an alert, whatever the harm table says.",
    )
    max_severity: str | None = Field(
        default=None,
        pattern=r"^(informational|low|medium|high|critical)$",
        description="The greatest severity of an alert, whatever the harm table says.",
    )
    runbook: list[str] = Field(default=[], description="Numbered steps for the analyst, in order.")
    evasion: str | None = Field(default=None, description="How someone would evade the rule.")


class Mandate(BaseModel):
    """Who answers for an exception or a list, why there is one, and until when it counts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str = Field(min_length=1, description="Who answers for it: a role or a team, with an address.")
    reason: str = Field(min_length=1, description="Why it is there, best with a reference to the decision.")
    expires: dt.date = Field(description="The last day on which it counts, in UTC.")

    @property
    def until(self) -> int:
        """When it ends, in nanoseconds since the epoch: at the midnight after its last day."""
        return (self.expires - dt.date(1970, 1, 1) + dt.timedelta(days=1)).days * 86_400 * NANOSECONDS


LIST = "list"
"""The key of a document that makes it a list, and no rule."""
SHADOW = ":unexcepted"
"""How the id of a shadow ends."""
BUILT_IN = "outfall"
"""The place of rules that stand in no file."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One Sigma document that compiled exactly: a detection or a correlation.

    `alerts` is false for a rule that only serves correlations (Sigma 2.1, "Correlation Rules", `generate`).
    An exception (a filter with an owner, a reason and an expiry) is a detection with a `mandate`: true of the
    events that it excepts. `without` are the exceptions that a *shadow* leaves aside, each with the detection
    that it is for: the same rule once more, whose alerts wake nobody and say what has been suppressed.
    """

    id: str
    name: str | None
    title: str
    place: Place
    alerts: bool
    level: str = "medium"
    description: str | None = None
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    logsource: LogSource | None = None
    extras: Extras = field(default_factory=Extras)
    mandate: Mandate | None = None
    without: tuple[tuple[str, str], ...] = ()

    @property
    def written(self) -> bool:
        """Whether it is a rule that somebody wrote to be told of: no exception, and no shadow."""
        return self.mandate is None and not self.without

    @property
    def is_told(self) -> bool:
        """Whether people are told of what it finds, and not only of what an exception suppresses."""
        return self.alerts and not self.without

    @property
    def base_id(self) -> str:
        """The id of the rule that a shadow is one of; of any other rule, its own."""
        return self.id.removesuffix(SHADOW) if self.without else self.id

    @property
    def built_in(self) -> bool:
        """Whether it is one of the program's own, about its operation."""
        return self.place.path == BUILT_IN

    @property
    def label(self) -> str:
        """What a report calls the rule: its name, else its id."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class ValueList:
    """Values that rules refer to by a name; they are read as those of a rule are, wildcards included."""

    name: str
    place: Place
    mandate: Mandate
    values: tuple[str | int | float, ...]


class CorrelationType(StrEnum):
    """The correlation types of Sigma 2.1, and `value_median`, which pySigma adds."""

    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"
    VALUE_SUM = "value_sum"
    VALUE_MAX = "value_max"
    VALUE_MIN = "value_min"
    VALUE_AVG = "value_avg"
    VALUE_PERCENTILE = "value_percentile"
    VALUE_MEDIAN = "value_median"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A metric compared with a number; `operator` is one of lt, lte, gt, gte, eq, neq.

    For a range it is the lower end, by gt or gte, and `upper` the other: lt or lte with its number.
    """

    operator: str
    number: int | float
    fields: tuple[str, ...] = ()
    percentile: int | None = None
    upper: tuple[str, int | float] | None = None

    @property
    def comparisons(self) -> tuple[tuple[str, int | float], ...]:
        """Give all that the metric is compared with, each by its operator; all must be true."""
        own = (self.operator, self.number)
        return (own,) if self.upper is None else (own, self.upper)


@dataclass(frozen=True, slots=True)
class Expression:
    """An extended temporal condition: a rule's id, or `and`, `or`, `not` over further expressions."""

    operator: str
    rule: str | None = None
    operands: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation rule (Sigma 2.1, "Correlation Rules"). `timespan` is in nanoseconds.

    `rules` are the ids of the detections and correlations that it refers to, in order. `aliases` give for an
    alias the field that stands for it in the events of each rule: `{alias: {rule id: field}}`.
    """

    rule: Rule
    type: CorrelationType
    rules: tuple[str, ...]
    timespan: int
    condition: Threshold | Expression
    group_by: tuple[str, ...] = ()
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)

    def field_for(self, name: str, rule_id: str) -> str:
        """Give the field of the events of `rule_id` that `name`, perhaps an alias, stands for."""
        return self.aliases.get(name, {}).get(rule_id, name)


@dataclass(frozen=True, slots=True)
class Match:
    """A rule's detection was true of an event; `event` is the event's index in its batch."""

    event: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class RuleFailure:
    """A rule raised on an event. It counts, it is reported, and it is never a quiet "no match"."""

    rule: Rule
    event: Any
    reason: str
