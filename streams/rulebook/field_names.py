"""Finds fields of ours that rules name and nothing sets: a slip of the pen that would never match."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from streams.detect.book import RuleBook
from streams.detect.tree import Node, Reference
from streams.errors import Refusal
from streams.rule import Correlation, Rule, Threshold
from streams.rulebook.atoms import atoms

FIELDS = frozenset(
    {
        "outfall.actor.id",
        "outfall.actor.kind",
        "outfall.actor.known",
        "outfall.actor.leaver",
        "outfall.actor.leaves",
        "outfall.actor.role",
        "outfall.actor.team",
        "outfall.bytes",
        "outfall.channel",
        "outfall.content.carries",
        "outfall.content.from",
        "outfall.content.origin",
        "outfall.content.origin_told",
        "outfall.content.produces",
        "outfall.data.category",
        "outfall.data.vulnerable",
        "outfall.destination.agreement",
        "outfall.destination.agreement_categories",
        "outfall.destination.agreement_expired",
        "outfall.destination.agreement_limit",
        "outfall.destination.agreement_uncovered",
        "outfall.destination.class",
        "outfall.destination.name",
        "outfall.destination.resembles_actor",
        "outfall.egress",
        "outfall.raw.anonymous",
        "outfall.raw.record",
        "outfall.raw.subject",
        "outfall.records.count",
        "outfall.records.id",
        "outfall.subjects.anonymous",
        "outfall.subjects.count",
        "outfall.subjects.id",
        "outfall.subjects.outside_caseload",
        "outfall.verdict",
    }
)
"""The table of docs/architecture.md."""


def unknown_fields(book: RuleBook) -> list[Refusal]:
    """Name each `outfall.` field of a rule that nothing sets, with what may have been meant."""
    found: list[Refusal] = []
    for detection in book.detections:
        found += _problems(detection.rule, [*_of_tree(detection.condition), *detection.rule.extras.group_by])
    for correlation in book.correlations:
        found += _problems(correlation.rule, _of_correlation(correlation))
    return found


def _problems(rule: Rule, names: Iterable[str]) -> Iterator[Refusal]:
    for name in dict.fromkeys(names):
        if name.startswith("outfall.") and name not in FIELDS:
            close = difflib.get_close_matches(name, sorted(FIELDS), n=1)
            meant = f"; {close[0]} is meant?" if close else ""
            yield Refusal(rule.place, f"{rule.label}: nothing sets the field {name}{meant}")


def _of_tree(node: Node) -> Iterator[str]:
    for atom in atoms(node):
        if atom.field is not None:
            yield atom.field
        if isinstance(atom, Reference):
            yield atom.other


def _of_correlation(correlation: Correlation) -> Iterator[str]:
    for alias in correlation.aliases.values():
        yield from alias.values()
    named = [*correlation.group_by]
    if isinstance(correlation.condition, Threshold):
        named += correlation.condition.fields
    yield from (name for name in named if name not in correlation.aliases)
