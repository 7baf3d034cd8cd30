"""What must stand in the text of an event that a condition is true of: one of some literals.

The text is that of `canonical`. A literal may be found where the condition is false; it is never missing
where the condition is true. Where a tree leaves a choice (any part of an `and`, any run of a pattern, the
value alone or with its key), the set that is expected to be found least is taken.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.detect.canonical import literal
from streams.detect.event_view import Names
from streams.detect.fields import FieldMapping
from streams.detect.regex_literals import required
from streams.detect.text import fold
from streams.detect.tree import (
    And,
    Atom,
    Before,
    Cidr,
    Exists,
    Node,
    Not,
    Null,
    Or,
    Pattern,
    Reference,
    Regex,
    Text,
)

Literals = frozenset[bytes]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PART_OF_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]*(e[+-]?)?[0-9]*")
_PARTS_OF_WORDS = ("true", "false", "nan", "-inf")
_LONGEST_NUMBER = 15
"""Whole numbers with more digits, when they are floats, may stand in JSON with an exponent."""
_LONGEST = 200
_SCALARS = (b"[", b"t", b"f", b"n", b"i", b"-", *(b"%d" % digit for digit in range(10)))
"""How a list, true, false, null, Infinity and numbers begin in JSON; null may stand for what is no number."""


class Necessary(NamedTuple):
    """Literals of which at least one must occur, and in what share of events that is expected."""

    literals: Literals
    cost: float


class Chooser:
    """Finds the cheapest necessary literals; `cost` gives the expected share of events for a set of them."""

    def __init__(self, cost: Callable[[Literals], float]) -> None:
        self._cost = cost

    def choose(self, node: Node, mapping: FieldMapping, *, true: bool = True) -> Necessary | None:
        """Give the cheapest set for events of which the node is true, or false; None where there is none."""
        match node:
            case Not():
                return self.choose(node.part, mapping, true=not true)
            case And() | Or():
                parts = (self.choose(part, mapping, true=true) for part in node.parts)
                return _cheapest(parts) if isinstance(node, And) is true else self._all_of(parts)
        offered = (
            frozenset(literal[:_LONGEST] for literal in literals)  # what begins a necessary literal is one
            for literals in _of_atom(node, mapping, true=true)
        )
        return _cheapest(Necessary(literals, self._cost(literals)) for literals in offered)

    def _all_of(self, parts: Iterable[Necessary | None]) -> Necessary | None:
        """Join the sets of parts of which any may be the one that is true."""
        joined: set[bytes] = set()
        for part in parts:
            if part is None:
                return None
            joined |= part.literals
        literals = frozenset(joined)
        return Necessary(literals, self._cost(literals))


def _cheapest(sets: Iterable[Necessary | None]) -> Necessary | None:
    return min((one for one in sets if one is not None), key=lambda one: one.cost, default=None)


def _of_atom(atom: Atom, mapping: FieldMapping, *, true: bool) -> Iterator[Literals]:
    """Give all sets that an atom offers when it is true, or false."""
    if isinstance(atom, Null | Exists):
        if true is (isinstance(atom, Exists) and atom.expected):
            yield _keys(atom.field, mapping) | _keys_of_objects(atom.field, mapping)
        return
    if not true or isinstance(atom, Before):
        return
    if atom.field is not None:  # a value must be there
        yield _keys(atom.field, mapping)
    match atom:
        case Text():
            yield from _of_text(atom.pattern, None if atom.field is None else mapping.names_for(atom.field))
        case Regex():
            yield from _of_regex(atom)
        case Cidr():
            yield from _of_network(atom.network)
        case Reference():
            yield _keys(atom.other, mapping)


def _of_text(pattern: Pattern, names: Names | None) -> Iterator[Literals]:
    """Give the sets of a pattern, by what kind of value can be meant by it."""
    pieces = [part for part in pattern if isinstance(part, str)]
    if not pattern:
        yield from _of_begin(b'""', names)
    elif not all(map(_may_be_scalar, pieces)):  # so that the value is text, and in quotes
        runs = _quoted(pattern)
        yield from (frozenset([run]) for run in runs)
        if isinstance(pattern[0], str):
            yield from _of_begin(runs[0], names)
    elif names is not None and pieces:
        yield from _of_scalar(pattern, pieces, names)


def _of_begin(begin: bytes, names: Names | None) -> Iterator[Literals]:
    """Give the sets for how a value in quotes begins: by itself, and with its key."""
    yield frozenset([begin])
    if names is not None:
        yield frozenset(key + form for key in map(_key, names) for form in (begin, b"["))


def _of_scalar(pattern: Pattern, pieces: Sequence[str], names: Names) -> Iterator[Literals]:
    """Give the sets for what may also be a number, true or false, which stand without quotes."""
    keys = [_key(name) for name in names]
    if len(pattern) == 1 and _is_short_number(pieces[0]):
        number = pieces[0].encode()
        forms = {number, b'"%b"' % number, b"["}
        if number == b"0":
            forms.add(b"-0")  # JSON tells -0.0 from 0
        yield frozenset(key + form for key in keys for form in forms)
        yield frozenset([number])
    else:
        scalars = frozenset(key + form for key in keys for form in _SCALARS)
        yield from (scalars | {run} for run in _quoted(pattern))


def _of_regex(atom: Regex) -> Iterator[Literals]:
    for alternatives in required(atom.expression, atom.flags):
        if not any(map(_may_be_scalar, alternatives)):
            yield frozenset(literal(text)[1:-1] for text in alternatives)


def _of_network(network: Network) -> Iterator[Literals]:
    if network.version == 4 and network.prefixlen >= 8:
        octets = str(network.network_address).split(".")[: network.prefixlen // 8]
        end = '"' if len(octets) == 4 else "."
        yield frozenset([f'"{".".join(octets)}{end}'.encode(), b"ffff:"])  # or an IPv4 address as IPv6 has it


def _quoted(pattern: Pattern) -> list[bytes]:
    """Give the runs of a pattern as they stand in JSON, with the quote where the value begins or ends."""
    found: list[bytes] = []
    for index, part in enumerate(pattern):
        if isinstance(part, str):
            text = literal(part)[1:-1]
            begins, ends = index == 0, index == len(pattern) - 1
            found.append(b'"' * begins + text + b'"' * ends)
    return found


def _may_be_scalar(text: str) -> bool:
    """Tell whether a text may be part of that of a number, of true or of false, which have no quotes."""
    folded = fold(text)
    return _PART_OF_NUMBER.fullmatch(folded) is not None or any(folded in word for word in _PARTS_OF_WORDS)


def _is_short_number(text: str) -> bool:
    """Tell whether JSON writes a number with this text in no other way."""
    return len(text) <= _LONGEST_NUMBER and text.removeprefix("-").replace(".", "", 1).isdecimal()


def _keys(field: str, mapping: FieldMapping) -> Literals:
    return frozenset(map(_key, mapping.names_for(field)))


def _keys_of_objects(field: str, mapping: FieldMapping) -> Literals:
    """Give how the keys begin that make a field exist as an object."""
    return frozenset(literal(f"{name}.")[:-1] for name in mapping.names_for(field))


def _key(name: str) -> bytes:
    return literal(name) + b":"
