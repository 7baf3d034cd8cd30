"""Reads the tests beside the rules: `<rule>.test.yml`, as docs/rules.md describes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from streams.alert import SEVERITIES
from streams.errors import ConfigError, Place
from streams.event import NANOSECONDS, Scalar
from streams.rulebook.template import expand

SUFFIX = ".test.yml"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_MONDAY = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)

_SAID = {
    "extra_forbidden": "there is no such key",
    "missing": "it is missing",
    "model_type": "a mapping of keys to values is needed",
    "dict_type": "a mapping of keys to values is needed",
    "list_type": "a list is needed",
    "string_type": "a text is needed",
    "too_short": "there must be at least one",
    "string_too_short": "it must not be empty",
    "string_pattern_mismatch": f"it is one of {', '.join(SEVERITIES)}",
}
"""What is said for a kind of pydantic's problem; the only pattern is that of a severity."""


class Loader(yaml.SafeLoader):
    """YAML in which a time stays the text that it is, so that documents are what JSON would make of them."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Part):
    """One alert that must be there. What is not stated is not compared."""

    rule: str
    group: dict[str, Scalar] | None = None
    observed: int | float | None = None
    people: int | None = None
    severity: str | None = Field(default=None, pattern=f"^({'|'.join(SEVERITIES)})$")
    pages: int | None = None
    last: str | None = Field(default=None, description="When it fired last.")
    reason: str | None = Field(default=None, description="Text that the reason must hold.")
    suppressed_by: list[str] = Field(
        default=[], description="The exceptions but for which there would be an alert; always compared."
    )


def _named(value: object) -> object:
    return {"rule": value} if isinstance(value, str) else value


class _CaseText(_Part):
    name: str = Field(min_length=1)
    events: list[dict[str, Any]] = Field(min_length=1)
    expect: list[Annotated[Expected, BeforeValidator(_named)]]
    pages: int | None = Field(default=None, ge=0, description="Pages over all alerts of the case.")


class _FileText(_Part):
    templates: Any = Field(default=None, description="A place for YAML anchors; not looked at.")
    base: AwareDatetime = Field(default=_MONDAY, description="What `at` counts from.")
    enrich: str | dict[str, str] | None = Field(
        default=None, description="A configuration folder beside this file, or its files' contents by name."
    )
    cases: list[_CaseText] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Case:
    """One case: documents in the order of their times, and the exact set of alerts that they lead to.

    `rule` is the name of the rule that the file stands beside. `enrich` is a folder, or files'
    contents by name.
    """

    place: Place
    rule: str
    name: str
    documents: tuple[dict[str, Any], ...]
    expect: tuple[Expected, ...]
    pages: int | None
    enrich: Path | tuple[tuple[str, str], ...] | None


def read(path: Path) -> list[Case]:
    """Read a test file.

    Raises:
        ConfigError: with every problem and its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=Loader)
        content = yaml.load(text, Loader=Loader)  # noqa: S506 - it is a SafeLoader
        file = _FileText.model_validate(content)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([f"{path}:{line}: {error.problem}"]) from error
    except yaml.YAMLError as error:
        raise ConfigError([f"{path}: {' '.join(str(error).split())}"]) from error
    except ValidationError as error:
        raise ConfigError([_problem(path, node, found) for found in error.errors()]) from error
    problems: list[str] = []
    cases = [*_cases(path, node, file, problems)]
    if problems:
        raise ConfigError(problems)
    return cases


def _cases(path: Path, node: yaml.Node | None, file: _FileText, problems: list[str]) -> Iterator[Case]:
    base = (file.base - _EPOCH) // _MICROSECOND * (NANOSECONDS // 1_000_000)
    if isinstance(file.enrich, str):
        enrich: Path | tuple[tuple[str, str], ...] | None = path.parent / file.enrich
    else:
        enrich = None if file.enrich is None else tuple(sorted(file.enrich.items()))
    for index, case in enumerate(file.cases):
        documents: list[dict[str, Any]] = []
        for number, template in enumerate(case.events):
            try:
                documents += expand(template, base)
            except ValueError as error:
                line = _line(node, ("cases", index, "events", number))
                problems.append(f"{path}:{line}: {error}")
        yield Case(
            place=Place(str(path), _line(node, ("cases", index))),
            rule=path.name.removesuffix(SUFFIX),
            name=case.name,
            documents=tuple(documents),
            expect=tuple(case.expect),
            pages=case.pages,
            enrich=enrich,
        )


def _problem(path: Path, node: yaml.Node | None, found: Any) -> str:
    """Say in our own words what is wrong, where pydantic's speak of models rather than of the file."""
    said = _SAID.get(found["type"], found["msg"].removeprefix("Value error, "))
    return f"{path}:{_line(node, found['loc'])}: {_written(found['loc'])}{said}"


def _written(place: Sequence[str | int]) -> str:
    """Write a place as `cases[0].expect[1].rule: `, counted from 0; nothing for the file itself."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"{text.removeprefix('.')}: " if text else ""


def _line(node: yaml.Node | None, place: Sequence[str | int]) -> int:
    """Give the line, from 1, of the innermost node on the way to a place."""
    line = node.start_mark.line + 1 if node is not None else 1
    for part in place:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
        else:
            break
        if node is None:
            break
        line = node.start_mark.line + 1
    return line
