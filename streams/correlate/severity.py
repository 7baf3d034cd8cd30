"""Severity from harm: a table in the rule book says what a breach of which kind is worth.

Each part of the harm gives points (how many people, which data, how vulnerable, where to, whether it was
let through); the sum decides. The parts follow UK GDPR Art. 33 and the ICO's guidance on assessing risk:
volume, nature and sensitivity of the data, the people's vulnerability, and who has it now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streams.alert import SEVERITIES
from streams.errors import ConfigError
from streams.rule import Rule


class Harm(Protocol):
    """What a severity follows from; of an alert it is its tally."""

    @property
    def people(self) -> int:
        """How many."""
        ...

    @property
    def categories(self) -> Collection[str]:
        """Of which data."""
        ...

    @property
    def vulnerable(self) -> bool:
        """Whether they are vulnerable."""
        ...

    @property
    def classes(self) -> Collection[str]:
        """Where to."""
        ...

    @property
    def verdict(self) -> str | None:
        """Whether it was let through."""
        ...


class SeverityTable(BaseModel):
    """Points for each part of the harm, and the severities that their sum reaches."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    people: dict[int, int] = Field(
        default={1: 10, 10: 20, 100: 40, 500: 55, 1000: 70},
        description="Points by number of people; its keys are also the tiers at which an alert pages again.",
    )
    categories: dict[str, int] = Field(
        default={"care": 15, "health": 15, "child": 20, "criminal": 15, "financial": 10, "contact": 5},
        description="Points by category of data; the highest counts.",
    )
    vulnerable: int = Field(default=10, description="Points when the people are vulnerable.")
    destinations: dict[str, int] = Field(
        default={
            "self": 25,
            "paste": 25,
            "removable": 20,
            "webmail": 20,
            "cloud_storage": 20,
            "unknown_external": 20,
            "print": 5,
            "partner": 0,
            "internal": 0,
        },
        description="Points by class of the destination; the highest counts.",
    )
    blocked: int = Field(default=-20, description="Points when everything was blocked.")
    severities: dict[str, int] = Field(
        default={"low": 10, "medium": 35, "high": 60, "critical": 90},
        description="The least sum for each severity.",
    )
    page_from: str = Field(default="high", description="The least severity that pages.")

    @model_validator(mode="after")
    def _known_severities(self) -> Self:
        for name in (*self.severities, self.page_from):
            if name not in SEVERITIES:
                raise ValueError(f"no severity {name!r}; there are {', '.join(SEVERITIES)}")
        return self

    def tier(self, people: int) -> int:
        """Give the highest tier that so many people reach, 0 for none."""
        return max([tier for tier in self.people if tier <= people], default=0)

    def severity(self, rule: Rule, harm: Harm) -> str:
        """Give an episode's severity; where no people are known, the rule's own level stands for the harm."""
        if harm.people:
            points = self._points(harm)
            reached = [name for name, least in self.severities.items() if points >= least]
            severity = max(reached, key=SEVERITIES.index, default="informational")
        else:
            severity = rule.level
        if rule.extras.severity is not None:
            severity = max(severity, rule.extras.severity, key=SEVERITIES.index)
        if rule.extras.max_severity is not None:
            severity = min(severity, rule.extras.max_severity, key=SEVERITIES.index)
        return severity

    def pages(self, rule: Rule, severity: str) -> bool:
        """Tell whether an alert of this severity pages."""
        return rule.extras.page and SEVERITIES.index(severity) >= SEVERITIES.index(self.page_from)

    def _points(self, harm: Harm) -> int:
        return (
            self.people.get(self.tier(harm.people), 0)
            + max([self.categories.get(name, 0) for name in harm.categories], default=0)
            + (self.vulnerable if harm.vulnerable else 0)
            + max([self.destinations.get(name, 0) for name in harm.classes], default=0)
            + (self.blocked if harm.verdict == "blocked" else 0)
        )


def load(path: Path | None, rules: Sequence[Path]) -> SeverityTable:
    """Read a severity table: the one named, else `severity.yml` beside the rules, else the built-in one.

    Raises:
        ConfigError: with every problem of the file.
    """
    if path is None:
        folders = [rule if rule.is_dir() else rule.parent for rule in rules]
        path = next((file for folder in folders if (file := folder / "severity.yml").is_file()), None)
    return SeverityTable() if path is None else _read(path)


def _read(path: Path) -> SeverityTable:
    try:
        return SeverityTable.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: {' '.join(str(error).split())}"]) from error
    except ValidationError as error:
        places = [(".".join(map(str, problem["loc"])), problem["msg"]) for problem in error.errors()]
        raise ConfigError(
            [f"{path}: {where}: {what}" if where else f"{path}: {what}" for where, what in places]
        ) from error
