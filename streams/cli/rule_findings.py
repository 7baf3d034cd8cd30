"""What is wrong with rules, as others read it: SARIF for code scanning, annotations for a workflow on GitHub.

SARIF 2.1.0: https://docs.oasis-open.org/sarif/sarif/v2.1.0/. Annotations are workflow commands:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from streams.rulebook.house import CHECKS, Finding

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """Give a SARIF log of one run; paths below the working directory are relative to it."""
    rules = [{"id": name, "shortDescription": {"text": text}} for name, text in CHECKS.items()]
    numbers = {name: number for number, name in enumerate(CHECKS)}
    driver = {"name": "outfall rules check", "version": version("outfall"), "rules": rules}
    results = [
        {
            "ruleId": finding.check,
            "ruleIndex": numbers[finding.check],
            "level": "warning" if finding.warns else "error",
            "message": {"text": finding.message},
            "locations": [{"physicalLocation": _location(finding)}],
        }
        for finding in findings
    ]
    run = {"tool": {"driver": driver}, "results": results}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _location(finding: Finding) -> dict[str, Any]:
    place = finding.place
    location: dict[str, Any] = {"artifactLocation": {"uri": _relative(place.path)}}
    if place.line:
        location["region"] = {"startLine": place.line, "startColumn": max(1, place.column)}
    return location


def annotation(finding: Finding) -> str:
    """Give the line that makes GitHub show a finding beside the rule."""
    place = finding.place
    where = {"file": _relative(place.path), "line": place.line or 1, "col": place.column or 1}
    where["title"] = finding.check
    properties = ",".join(f"{name}={_escaped(str(value), _PROPERTY)}" for name, value in where.items())
    level = "warning" if finding.warns else "error"
    return f"::{level} {properties}::{_escaped(finding.message, _DATA)}"


def _escaped(text: str, special: dict[str, str]) -> str:
    return "".join(special.get(character, character) for character in text)


def _relative(path: str) -> str:
    absolute, here = Path(path).resolve(), Path.cwd()
    return absolute.relative_to(here).as_posix() if absolute.is_relative_to(here) else absolute.as_posix()
