"""The rule book: every rule that compiled exactly, and every one that was refused."""

from __future__ import annotations

from dataclasses import dataclass

from streams.detect.tree import Node
from streams.errors import Refusal
from streams.rule import Correlation, Rule


@dataclass(frozen=True, slots=True)
class Detection:
    """A detection rule with its condition, filters included, as a tree."""

    rule: Rule
    condition: Node


@dataclass(frozen=True)
class RuleBook:
    """What was loaded; `hash` is the SHA-256, in hexadecimal, of what the files say (not of how they say it).

    Detections stand in the order of their files; correlations after those that they refer to.
    """

    detections: tuple[Detection, ...]
    correlations: tuple[Correlation, ...]
    refused: tuple[Refusal, ...]
    hash: str

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules: detections, then correlations."""
        return (
            *(detection.rule for detection in self.detections),
            *(correlation.rule for correlation in self.correlations),
        )
