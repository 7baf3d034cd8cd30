"""How each regular expression of a rule is bounded, so that no text can make it hang."""

from __future__ import annotations

from dataclasses import dataclass

from streams.detect.book import Detection
from streams.detect.tree import Regex
from streams.rulebook.atoms import atoms
from streams.safe_regex import longest_text


@dataclass(frozen=True, slots=True)
class Bound:
    """One expression of a rule: the field, None for the whole event; `longest` as `longest_text` gives it."""

    field: str | None
    expression: str
    flags: str
    longest: int | None

    @property
    def words(self) -> str:
        """Say what bounds it."""
        if self.longest is None:
            return "RE2 (linear time)"
        return f"Python re, texts up to {self.longest} characters"


def bounds(detection: Detection) -> tuple[Bound, ...]:
    """Give the bound of each expression once, those of filters included."""
    found = (atom for atom in atoms(detection.condition) if isinstance(atom, Regex))
    return tuple(
        dict.fromkeys(
            Bound(atom.field, atom.expression, atom.flags, longest_text(atom.expression, atom.flags))
            for atom in found
        )
    )
