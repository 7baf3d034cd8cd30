"""What `outfall match --explain` does: why each rule matches a record, or does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from streams.cli.alert_view import plain
from streams.cli.matching import Options, Records, over
from streams.detect.book import Detection, RuleBook
from streams.detect.explain import Explanation, Looked, explain
from streams.detect.fields import FieldMapping, mapping_for
from streams.detect.metadata import identity_key
from streams.detect.ruleset import applies
from streams.errors import ConfigError
from streams.event import Event, LogSource, Scalar

LONGEST_VALUE = 200
MOST_VALUES = 20
"""How much of a field is shown, before it says how much more there is."""
_LARGEST = 2**63 - 1
_SURROGATES = re.compile("[\ud800-\udfff]")
_JOINED = {"and": "all of", "or": "any of", "not": "not"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rule, by id or name, and which line to explain; None for all."""

    rule: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """One rule and one record: what is printed of them."""

    line: int
    event: Event
    detection: Detection
    applies: bool
    condition: Explanation

    @property
    def matched(self) -> bool | None:
        """Whether the rule matches; None where it failed."""
        return self.condition.true if self.applies else False


def run_explaining(options: Options, chosen: Chosen) -> int:
    """Explain, print, and give the exit status."""

    def look(options: Options, book: RuleBook, mapping: FieldMapping | None, records: Records) -> bool:
        failed = False
        detections = _chosen(book, chosen.rule)
        show = show_tree if sys.stdout.isatty() else show_json
        for told in _explained(options, detections, mapping, _lines(records, chosen.line)):
            show(told)
            failed = failed or told.matched is None
        return failed

    return over(options, look)


def _explained(
    options: Options,
    detections: list[Detection],
    mapping: FieldMapping | None,
    events: Iterator[tuple[int, Event]],
) -> Iterator[Told]:
    for line, event in events:
        for detection in detections:
            wanted = detection.rule.logsource
            condition = explain(detection.condition, event, mapping or mapping_for(wanted))
            may = options.ignore_logsource or applies(wanted, event.logsources)
            yield Told(line, event, detection, may, condition)


def _chosen(book: RuleBook, name: str | None) -> list[Detection]:
    if name is None:
        return list(book.detections)
    key = identity_key(name)
    found = [one for one in book.detections if key in (identity_key(one.rule.id), one.rule.name)]
    if not found and any(key in (identity_key(one.rule.id), one.rule.name) for one in book.correlations):
        raise ConfigError([f"--rule: {name!r} is a correlation; its detections can be explained"])
    if not found:
        raise ConfigError([f"--rule: there is no rule with the id or name {name!r} that could be compiled"])
    return found


def _lines(records: Records, line: int | None) -> Iterator[tuple[int, Event]]:
    found = False
    for number, event in records:
        if line is None or number == line:
            found = True
            yield number, event
    if line is not None and not found and not records.rejected:
        raise ConfigError([f"--line: no record ends in line {line}; lines are numbered from 0"])


def show_json(told: Told) -> None:
    """Print one explanation as a JSON line."""
    rule = told.detection.rule
    document = {
        "event": told.line,
        "rule": rule.id,
        "title": rule.title,
        "place": str(rule.place),
        "applies": told.applies,
        "matched": told.matched,
        "logsource": None if rule.logsource is None else rule.logsource._asdict(),
        "event_logsources": [source._asdict() for source in told.event.logsources],
        "condition": _document(told.condition),
    }
    sys.stdout.buffer.write(orjson.dumps(document) + b"\n")


def _document(node: Explanation) -> dict[str, Any]:
    found: dict[str, Any] = {"is": node.kind, "true": node.true}
    if node.failed is not None:
        found["failed"] = node.failed
    if node.parts:
        return found | {"parts": [_document(part) for part in node.parts]}
    return found | {"words": node.words, "looked_at": [_looked_at(one) for one in node.looked]}


def _looked_at(one: Looked) -> dict[str, Any]:
    found: dict[str, Any] = {
        "field": one.rule_field,
        "event_field": _shown(one.event_field),
        "values": _values(one),
    }
    if len(one.values) > MOST_VALUES:
        found["more_values"] = len(one.values) - MOST_VALUES
    return found


def _values(one: Looked) -> list[Scalar]:
    return [_shown(value) for value in one.values[:MOST_VALUES]]


def _shown(value: Scalar) -> Scalar:
    """Give a value that JSON and a terminal can take, and that is not too long."""
    if isinstance(value, str):
        more = len(value) - LONGEST_VALUE
        cut = value if more <= 0 else f"{value[:LONGEST_VALUE]}… and {more} characters more"
        return _SURROGATES.sub("\ufffd", cut)
    if isinstance(value, int) and abs(value) > _LARGEST:
        return str(value)
    return value


def show_tree(told: Told) -> None:
    """Print one explanation as a tree."""
    rule = told.detection.rule
    outcome = {True: "matches", False: "does not match", None: "failed"}[told.matched]
    head = Text.assemble(
        (f"line {told.line}: ", "dim"),
        (rule.title, "bold"),
        (f" ({rule.place}) ", "dim"),
        _mark(told.matched, outcome),
    )
    tree = Tree(head, guide_style="dim")
    if rule.logsource is not None:
        has = "; ".join(_source(one) for one in told.event.logsources) or "none"
        wants = f"log source: the rule wants {_source(rule.logsource)}; the event has {has}"
        tree.add(_mark(told.applies, wants))
    _grow(tree, told.condition)
    Console(emoji=False, highlight=False).print(tree)


def _grow(tree: Tree, node: Explanation) -> None:
    if node.parts:
        branch = tree.add(_mark(node.true, _JOINED[node.kind]))
        for part in node.parts:
            _grow(branch, part)
        return
    label = _mark(node.true, plain(node.words))
    if node.failed is not None:
        label.append(f" · {node.failed}", "red")
    for one in node.looked:
        label.append(f" · {plain(_seen(one))}", "dim")
    tree.add(label)


def _seen(one: Looked) -> str:
    if one.event_field is None:
        return f"the event has no {one.rule_field}"
    if not one.values and one.event_field.endswith(".*"):
        return f"{_shown(one.event_field)} is an object"
    values = ", ".join(orjson.dumps(value).decode() for value in _values(one)) or "null"
    more = f" and {len(one.values) - MOST_VALUES} more" if len(one.values) > MOST_VALUES else ""
    return f"{_shown(one.event_field)} = {values}{more}"


def _mark(outcome: bool | None, text: str) -> Text:
    mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: ("!", "bold red")}[outcome]
    return Text.assemble((f"{mark} ", style), text)


def _source(source: LogSource) -> str:
    return (
        ", ".join(f"{name}: {plain(part)}" for name, part in source._asdict().items() if part is not None)
        or "none"
    )
