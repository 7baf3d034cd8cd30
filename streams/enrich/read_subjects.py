"""Reads `subjects.toml`: the patterns by which ids of people and records are found in fields."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from streams.enrich.problems import read_toml
from streams.enrich.subjects import MAX_SEARCHED, Pattern
from streams.safe_regex import Search, compile_find

_GROUPS = frozenset({"subject", "record"})


def _search(value: object) -> Search:
    if not isinstance(value, str):
        raise ValueError("a regular expression as text")  # noqa: TRY004 - pydantic takes only ValueError
    search = compile_find(value, MAX_SEARCHED)
    if _GROUPS.isdisjoint(search.groups):
        raise ValueError(
            "a named group is needed: (?P<subject>…) for a person's id, (?P<record>…) for a record's"
        )
    return search


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class _PatternTable(_Part):
    name: str = Field(min_length=1)
    fields: list[str] = Field(min_length=1)
    regex: Annotated[Search, BeforeValidator(_search)]
    validate_as: Literal["nhs", "nino", "none"] = Field(default="none", alias="validate")
    categories: list[str] = []
    vulnerable: bool = False
    channels: list[str] = []


class _File(_Part):
    pattern: list[_PatternTable] = []


def read_subjects(path: Path, problems: list[str]) -> tuple[Pattern, ...]:
    """Read the patterns; none where there is no file."""
    found = read_toml(path, _File, problems)
    return tuple(
        Pattern(
            table.name,
            tuple(table.fields),
            table.regex,
            None if table.validate_as == "none" else table.validate_as,
            tuple(table.categories),
            table.vulnerable,
            frozenset(table.channels),
        )
        for table in (found[0].pattern if found else [])
    )
