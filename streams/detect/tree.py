"""What a detection is compiled into: a tree of `And`, `Or` and `Not` over typed atoms.

A `field` of None means the whole event (Sigma 2.1, "Keywords search"). An atom about a field is true if any
element of a list-valued field makes it true. Numbers and booleans of a rule are `Text` too, since "all values
are treated as case-insensitive strings" (Sigma 2.1, "General") and have one canonical text each.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum


class Wildcard(Enum):
    """Sigma 2.1, "String Wildcard": `*` any number of characters, `?` exactly one."""

    MANY = "*"
    ONE = "?"


Pattern = tuple[str | Wildcard, ...]


@dataclass(frozen=True, slots=True)
class And:
    """True if all of its parts are."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True if any of its parts is."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True if its part is not."""

    part: Node


@dataclass(frozen=True, slots=True)
class Text:
    """The whole value equals the pattern; `cased` compares letters as they are."""

    field: str | None
    pattern: Pattern
    cased: bool = False


@dataclass(frozen=True, slots=True)
class Null:
    """The field is absent or null."""

    field: str


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there, be it empty or null, or it is not."""

    field: str
    expected: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """The value is a number, or the text of one, and lt, lte, gt or gte (the operator) the number."""

    field: str
    operator: str
    number: int | float


@dataclass(frozen=True, slots=True)
class TimePart:
    """A part of the date that the value is, compared with a number; the operator may be eq as well.

    The part is one of minute, hour, day, week, month, year.
    """

    field: str
    part: str
    operator: str
    number: int | float


@dataclass(frozen=True, slots=True)
class Before:
    """The event's time is before this one, in nanoseconds since the epoch: what expires counts until then."""

    time: int
    field: str = "@timestamp"


@dataclass(frozen=True, slots=True)
class Regex:
    """The expression is found in the value. `flags` are some of "ims"."""

    field: str | None
    expression: str
    flags: str


@dataclass(frozen=True, slots=True)
class Cidr:
    """The value is an address in the network."""

    field: str | None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Reference:
    """The value equals, starts with, ends with or contains the value of another field of the event."""

    field: str
    other: str
    how: str = "equals"
    cased: bool = False


Atom = Text | Null | Exists | Compare | TimePart | Before | Regex | Cidr | Reference
Node = And | Or | Not | Atom


def both(parts: tuple[Node, ...]) -> Node:
    """Join with and; one part stays as it is."""
    return parts[0] if len(parts) == 1 else And(parts)


def either(parts: tuple[Node, ...]) -> Node:
    """Join with or; one part stays as it is."""
    return parts[0] if len(parts) == 1 else Or(parts)
