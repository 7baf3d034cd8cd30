"""Expectations of tests brought in line with what the rules do, for a person to read as a diff.

Only `expect` and `pages` of cases that failed are written anew, in the text as it stands: comments, anchors
and everything else stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from streams.alert import Alert
from streams.rulebook.case import Expected, Loader
from streams.rulebook.compare import label
from streams.rulebook.runner import Result

_NEW = ("rule", "people", "pages")
"""What is written of an alert that was not expected at all."""
Edit = tuple[int, int, str]
"""From, to, and the text in its place."""


def updated(text: str, results: Sequence[Result]) -> str:
    """Give the text of a test file whose cases expect what happened; `results` are those of all cases."""
    root = yaml.compose(text, Loader=Loader)
    cases = _value(root, "cases")
    edits: list[Edit] = []
    if not isinstance(cases, yaml.SequenceNode):
        return text
    for node, result in zip(cases.value, results, strict=True):
        if result.passed:
            continue
        edits += _of_case(text, node, result)
    for begin, end, new in sorted(edits, reverse=True):
        text = text[:begin] + new + text[end:]
    return text


def _of_case(text: str, node: yaml.Node, result: Result) -> list[Edit]:
    edits: list[Edit] = []
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        end = value.end_mark.index
        while text[end - 1].isspace():  # a block's end is where the next thing begins
            end -= 1
        if key.value == "expect":
            edits.append((key.end_mark.index, end, f":{_expected(result, key.start_mark.column + 2)}"))
        elif key.value == "pages":
            edits.append((value.start_mark.index, end, str(sum(alert.pages for alert in result.fired))))
    return edits


def _expected(result: Result, indent: int) -> str:
    if not result.fired:
        return " []"
    left = list(result.case.expect)
    lines = []
    for alert in result.fired:
        former = next((one for one in left if one.rule == label(alert)), None)
        if former is not None:
            left.remove(former)
        lines.append(f"\n{' ' * indent}- {_entry(alert, former)}")
    return "".join(lines)


def _entry(alert: Alert, former: Expected | None) -> str:
    """Write an alert with what was stated of it before, or with the least."""
    names = (
        _NEW
        if former is None
        else [name for name in Expected.model_fields if name in former.model_fields_set]
    )
    seen: dict[str, Any] = {
        "rule": label(alert),
        "group": alert.group,
        "observed": alert.observed,
        "people": alert.exposure.people,
        "severity": alert.severity,
        "pages": alert.pages,
        "last": alert.last,
        "reason": alert.reason,
    }
    told = {name: seen[name] for name in names if name in seen}
    if alert.suppressed_by:
        told["suppressed_by"] = alert.suppressed_by
    if former is not None and former.reason is not None and former.reason in alert.reason:
        told["reason"] = former.reason
    if told.keys() == {"rule"}:
        return label(alert)
    return yaml.safe_dump(told, default_flow_style=True, sort_keys=False, width=10_000).strip()


def _value(node: Any, name: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)
