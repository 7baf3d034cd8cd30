"""What an atom asks for, in words, with the field and the value as the rule has them."""

from __future__ import annotations

import re

from streams.detect.tree import (
    Atom,
    Before,
    Cidr,
    Compare,
    Exists,
    Null,
    Pattern,
    Reference,
    Regex,
    Text,
    TimePart,
    Wildcard,
)
from streams.event import rfc3339

_SIGNS = {"lt": "<", "lte": "≤", "gt": ">", "gte": "≥", "eq": "="}
_HOWS = {"equals": "is", "startswith": "starts with", "endswith": "ends with", "contains": "contains"}
_SPECIAL = re.compile(r"\\(?=[\\*?]|\Z)|[*?]")


def words(atom: Atom) -> str:
    r"""Say what an atom asks for, as `Image ends with "\cmd.exe"`."""
    match atom:
        case Text():
            case = ", letters as they are" if atom.cased else ""
            return f"{_subject(atom.field)} {_pattern(atom.pattern)}{case}"
        case Null():
            return f"{atom.field} is null or absent"
        case Exists():
            return f"{atom.field} {'exists' if atom.expected else 'does not exist'}"
        case Compare():
            return f"{atom.field} {_SIGNS[atom.operator]} {atom.number}"
        case TimePart():
            return f"the {atom.part} of {atom.field} {_SIGNS[atom.operator]} {atom.number}"
        case Before():
            return f"it is before {rfc3339(atom.time)}"
        case Regex():
            return f"{_subject(atom.field)} matches /{atom.expression}/{atom.flags}"
        case Cidr():
            return f"{_subject(atom.field)} is in {atom.network}"
        case Reference():
            case = ", letters as they are" if atom.cased else ""
            return f"{atom.field} {_HOWS[atom.how]} what {atom.other} is{case}"


def _subject(field: str | None) -> str:
    return "any value of the event" if field is None else field


def _pattern(pattern: Pattern) -> str:
    match pattern:
        case ():
            return "is empty"
        case (str(literal),):
            return f'is "{literal}"'
        case (Wildcard.MANY,):
            return "has any value"
        case (str(literal), Wildcard.MANY):
            return f'starts with "{literal}"'
        case (Wildcard.MANY, str(literal)):
            return f'ends with "{literal}"'
        case (Wildcard.MANY, str(literal), Wildcard.MANY):
            return f'contains "{literal}"'
    written = "".join(
        _SPECIAL.sub(r"\\\g<0>", part) if isinstance(part, str) else part.value for part in pattern
    )
    return f'is like "{written}"'
