"""The rule book: every rule that compiled exactly, and every one that was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from streams.detect.tree import Node
from streams.errors import Place, Refusal
from streams.rule import Correlation, Mandate, Rule, ValueList


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection rule with its condition, filters included, as a tree."""

    rule: Rule
    condition: Node


class Mandated(NamedTuple):
    """An exception or a list (`kind`), with who answers for it and until when it counts."""

    kind: str
    name: str
    place: Place
    mandate: Mandate


@dataclass(frozen=True)
class RuleBook:
    """What was loaded; `hash` is the SHA-256, in hexadecimal, of what the files say (not of how they say it).

    Detections stand in the order of their files, exceptions after them; correlations after those that they
    refer to. The shadows are told apart from the rules that somebody has written: see `shadows`. Filters that
    are no exceptions are parts of the rules that they are for; `filters` only names them.
    """

    detections: tuple[Detection, ...]
    correlations: tuple[Correlation, ...]
    refused: tuple[Refusal, ...]
    hash: str
    shadow_detections: tuple[Detection, ...] = ()
    shadow_correlations: tuple[Correlation, ...] = ()
    filters: tuple[Rule, ...] = ()
    lists: tuple[ValueList, ...] = ()
    unused_lists: tuple[ValueList, ...] = ()

    @property
    def mandates(self) -> tuple[Mandated, ...]:
        """All exceptions and lists."""
        rules = (one.rule for one in self.detections)
        return (
            *(Mandated("exception", r.label, r.place, r.mandate) for r in rules if r.mandate is not None),
            *(Mandated("list", one.name, one.place, one.mandate) for one in self.lists),
        )

    @property
    def all_detections(self) -> tuple[Detection, ...]:
        """What is tried on events: shadows too."""
        return (*self.detections, *self.shadow_detections)

    @property
    def all_correlations(self) -> tuple[Correlation, ...]:
        """What is counted: shadows too."""
        return (*self.correlations, *self.shadow_correlations)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules: detections, then correlations."""
        return (
            *(detection.rule for detection in self.detections),
            *(correlation.rule for correlation in self.correlations),
        )
