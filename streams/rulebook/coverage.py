"""What a rule book covers: which techniques of ATT&CK, and which log sources its rules need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streams.detect.book import RuleBook
from streams.event import LogSource
from streams.rule import Rule
from streams.rulebook.attack import Technique, attack, techniques

_LAYER, _NAVIGATOR = "4.5", "5.1.0"
"""The versions of the layer's format and of the Navigator that it is for."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A technique and the rules that alert of it."""

    technique: Technique
    rules: tuple[str, ...]


def covered(book: RuleBook) -> list[Covered]:
    """Give the techniques that alerting rules name, by their ids."""
    found: dict[str, list[str]] = {}
    by_id: dict[str, Technique] = {}
    for rule in book.rules:
        for technique in techniques(rule.tags) if rule.alerts else ():
            by_id[technique.id] = technique
            found.setdefault(technique.id, []).append(rule.label)
    return [Covered(by_id[identity], tuple(sorted(set(found[identity])))) for identity in sorted(found)]


def needed(book: RuleBook) -> dict[LogSource, tuple[str, ...]]:
    """Give each log source that rules look at, with those that alert, perhaps by way of correlations."""
    below = {correlation.rule.id: correlation.rules for correlation in book.correlations}
    sources = {detection.rule.id: detection.rule.logsource for detection in book.detections}
    found: dict[LogSource, set[str]] = {}
    for rule in book.rules:
        if rule.alerts:
            for source in _sources(rule, below, sources):
                found.setdefault(source, set()).add(rule.label)
    return {source: tuple(sorted(found[source])) for source in sorted(found, key=str)}


def _sources(
    rule: Rule, below: Mapping[str, Sequence[str]], sources: Mapping[str, LogSource | None]
) -> set[LogSource]:
    found: set[LogSource] = set()
    waiting = [rule.id]
    while waiting:
        current = waiting.pop()
        waiting += below.get(current, ())
        source = sources.get(current)
        if source is not None:
            found.add(source)
    return found


def layer(book: RuleBook, name: str) -> dict[str, Any]:
    """Give a layer for the ATT&CK Navigator: each technique's score is how many rules alert of it.

    The format: https://github.com/mitre-attack/attack-navigator/blob/master/layers/spec/v4.5/layerformat.md.
    """
    found = covered(book)
    return {
        "name": name,
        "versions": {
            "attack": attack().version.partition(".")[0],
            "navigator": _NAVIGATOR,
            "layer": _LAYER,
        },
        "domain": "enterprise-attack",
        "description": f"Rules of rule book {book.hash[:12]}; the score is how many alert of a technique.",
        "techniques": [
            {
                "techniqueID": one.technique.id,
                "score": len(one.rules),
                "comment": ", ".join(one.rules),
                "enabled": True,
            }
            for one in found
        ],
        "gradient": {
            "colors": ["#d6eaf8", "#1b4f72"],
            "minValue": 1,
            "maxValue": max((len(one.rules) for one in found), default=1),
        },
    }
