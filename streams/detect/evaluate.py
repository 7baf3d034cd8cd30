"""Trees into tests of an event: one closure for each node, meaning exactly what `tree` says of it.

This is the reference: slow and plain. `generate` writes fast tests that must mean the same. A part that
cannot be tried (a text too long for an expression) makes a rule fail only where the other parts leave the
outcome open, in Kleene's logic of three values, so that the order of parts does not matter.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import operator
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

from streams.detect.event_view import EventView, Names
from streams.detect.fields import FieldMapping
from streams.detect.text import folded_pattern, matcher
from streams.detect.tree import (
    And,
    Before,
    Cidr,
    Compare,
    Exists,
    Node,
    Not,
    Null,
    Or,
    Reference,
    Regex,
    Text,
    TimePart,
)
from streams.event import Scalar
from streams.safe_regex import compile_search

T = TypeVar("T")


class TooManyValuesError(ValueError):
    """Two lists have too many values to compare each with each: the rule fails on the event."""

    explanation = "two fields have too many values to compare each with each"


Test = Callable[[EventView], bool]

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
}
_RELATIONS: dict[str, Callable[[str, str], bool]] = {
    "equals": operator.eq,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
_NUMBER = re.compile(r"-?[0-9]{1,64}(\.[0-9]{1,64})?([eE][+-]?[0-9]{1,3})?")
_LONGEST_ADDRESS = 64
"""Characters: 45 of an IPv6 address, and a zone."""
_MOST_COMPARED = 1_000_000
"""Pairs of values of two fields that are compared: what a rule would take longer over fails it."""
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2}))?)?"
)


def compile_test(node: Node, mapping: FieldMapping) -> Test:  # noqa: C901 - one case for each kind of node
    """Compile a tree for events whose fields are named as `mapping` says."""
    match node:
        case And():
            return _all([compile_test(part, mapping) for part in node.parts])
        case Or():
            return _any([compile_test(part, mapping) for part in node.parts])
        case Not():
            inner = compile_test(node.part, mapping)
            return lambda view: not inner(view)
        case Exists():
            names, expected = mapping.names_for(node.field), node.expected
            return lambda view: view.exists(names) is expected
        case Null():
            names = mapping.names_for(node.field)
            return lambda view: view.is_null(names)
        case Text():
            return _text(node, mapping)
        case Regex() | Cidr():
            return _search(node, mapping)
        case Compare():
            return _compare(mapping.names_for(node.field), node)
        case TimePart():
            return _time_part(mapping.names_for(node.field), node)
        case Before():
            return lambda view: view.time < node.time
        case Reference():
            return _reference(mapping.names_for(node.field), mapping.names_for(node.other), node)


def _all(tests: list[Test]) -> Test:
    return lambda view: not _some(lambda test: not test(view), tests)


def _any(tests: list[Test]) -> Test:
    return lambda view: _some(lambda test: test(view), tests)


def _some(is_true: Callable[[T], bool], items: Iterable[T]) -> bool:
    """Tell whether something is true of any item.

    Raises:
        Exception: it is true of none, and raised over one: of that it cannot be told.
    """
    unknown: Exception | None = None
    for item in items:
        try:
            if is_true(item):
                return True
        except Exception as error:  # noqa: BLE001 - raised below, unless it does not matter
            unknown = error
    if unknown is not None:
        raise unknown
    return False


def _text(node: Text, mapping: FieldMapping) -> Test:
    names = None if node.field is None else mapping.names_for(node.field)
    cased = node.cased
    matches = matcher(node.pattern if cased else folded_pattern(node.pattern))
    return lambda view: any(map(matches, view.texts(names, cased=cased)))


def _search(node: Regex | Cidr, mapping: FieldMapping) -> Test:
    names = None if node.field is None else mapping.names_for(node.field)
    test = text_test(node)
    return lambda view: _some(test, view.texts(names, cased=True))


def text_test(atom: Regex | Cidr) -> Callable[[str], bool]:
    """Give what an atom asks of one text."""
    if isinstance(atom, Regex):
        return compile_search(atom.expression, atom.flags)
    return _in_network(atom.network)


def _compare(names: Names, node: Compare) -> Test:
    compare, limit = _OPERATORS[node.operator], node.number

    def test(view: EventView) -> bool:
        numbers = (_number(value) for value in view.values(names))
        return any(number is not None and compare(number, limit) for number in numbers)

    return test


def _number(value: Scalar) -> int | float | None:
    """Give a value as a number, also one that is written as decimal text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        found = _NUMBER.fullmatch(value)
        if found is None:
            return None
        return float(value) if found[1] or found[2] else int(value)
    return value


def _time_part(names: Names, node: TimePart) -> Test:
    compare, limit, part = _OPERATORS[node.operator], node.number, node.part

    def test(view: EventView) -> bool:
        found = (_part_of_date(text, part) for text in view.texts(names, cased=True))
        return any(number is not None and compare(number, limit) for number in found)

    return test


def _part_of_date(text: str, part: str) -> int | None:
    """Give a part of an ISO 8601 date as it is written, whatever its zone ("Time Modifiers": no conversion).

    Weeks are those of ISO 8601.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    try:
        date = dt.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    if part in {"hour", "minute"}:
        written = found[4 if part == "hour" else 5]
        return None if written is None else int(written)
    return date.isocalendar().week if part == "week" else int(getattr(date, part))


def _reference(names: Names, others: Names, node: Reference) -> Test:
    cased = node.cased
    relation = _RELATIONS[node.how]

    def test(view: EventView) -> bool:
        theirs = view.texts(others, cased=cased)
        if len(theirs) * len(view.texts(names, cased=cased)) > _MOST_COMPARED:
            raise TooManyValuesError
        return any(relation(mine, other) for mine in view.texts(names, cased=cased) for other in theirs)

    return test


def _in_network(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> Callable[[str], bool]:
    def test(text: str) -> bool:
        address = _address(text)
        if isinstance(address, ipaddress.IPv6Address) and network.version == 4:
            address = address.ipv4_mapped
        return address is not None and address in network

    return test


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    return _read_address(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)
def _read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
