"""The rule book: every rule that compiled exactly, and every one that was refused."""

from __future__ import annotations

from dataclasses import dataclass

from streams.detect.tree import Node
from streams.errors import Refusal
from streams.rule import Correlation, Mandate, Rule, ValueList


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection rule with its condition, filters included, as a tree."""

    rule: Rule
    condition: Node


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
    def exceptions(self) -> tuple[Rule, ...]:
        """The exceptions, each as the rule that is true of what it excepts."""
        return tuple(one.rule for one in self.detections if one.rule.mandate is not None)

    @property
    def mandates(self) -> tuple[tuple[str, Mandate], ...]:
        """Who answers for the exceptions and the lists, by their names."""
        found = [(rule.label, rule.mandate) for rule in self.exceptions]
        found += [(one.name, one.mandate) for one in self.lists]
        return tuple((name, mandate) for name, mandate in found if mandate is not None)

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
