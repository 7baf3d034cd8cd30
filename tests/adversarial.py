"""Events made of what the rules of a book ask for, written in the ways that have fooled other engines."""

from __future__ import annotations

import random
from collections.abc import Iterator

from alphabets import SCALARS, SURROGATES, TOKENS
from streams.detect.book import RuleBook
from streams.detect.fields import mapping_for
from streams.detect.tree import And, Cidr, Compare, Node, Not, Or, Regex, Text
from streams.event import Fields, Scalar, Value

_LOOKALIKES = str.maketrans({"k": "\u212a", "s": "\u017f", "i": "\u0131", "I": "\u0130", "µ": "μ"})
_HUGE = 20_000


def adversarial(book: RuleBook, count: int, seed: int) -> Iterator[Fields]:
    """Give events, each near one or two rules of the book."""
    source = random.Random(seed)  # noqa: S311 - repeatable, not secret
    for _ in range(count):
        fields: Fields = {}
        for detection in source.choices(book.detections, k=source.choice((1, 1, 2))):
            mapping = mapping_for(detection.rule.logsource)
            for field, text in _asked(detection.condition):
                if source.random() < 0.9:
                    name = source.choice(mapping.names_for(field)) if field else "message"
                    fields[name] = _listed(source, _distorted(source, text), fields.get(name))
        if source.random() < 0.3:
            fields[source.choice(TOKENS)] = source.choice(SCALARS)
        if source.random() < 0.02:
            fields["huge"] = source.choice(TOKENS) * _HUGE
        yield fields


def _asked(node: Node) -> Iterator[tuple[str | None, str]]:
    """Give texts that atoms ask for, with their fields, whether or not they are negated."""
    match node:
        case And() | Or():
            for part in node.parts:
                yield from _asked(part)
        case Not():
            yield from _asked(node.part)
        case Text():
            yield node.field, "".join(part if isinstance(part, str) else "x" for part in node.pattern)
        case Regex():
            yield node.field, node.expression.replace("\\", "").strip("^$")
        case Cidr():
            yield node.field, str(node.network.network_address)
        case Compare():
            yield node.field, str(node.number)


def _distorted(source: random.Random, text: str) -> Scalar:
    """Write a text otherwise: sometimes so that it still means the same."""
    match source.randrange(12):
        case 0:
            return text.swapcase()
        case 1:
            return text.translate(_LOOKALIKES)
        case 2:
            return source.choice(TOKENS) + text + source.choice(TOKENS + SURROGATES)
        case 3:
            return text.replace("\\", "\\\\")
        case 4:
            return f'"{text}":'
        case 5:
            return text[:-1]
        case 6 if text.removeprefix("-").isdecimal() and len(text) < 30:
            return source.choice((int(text), float(text), f"{text}.0", -int(text), int(text) * 10**20))
        case _:
            return text


def _listed(source: random.Random, value: Scalar, former: Value) -> Value:
    """Put a value beside others, or in place of them."""
    if isinstance(former, list):
        return [*former, value]
    match source.randrange(8):
        case 0:
            return [value]
        case 1:
            return [source.choice(SCALARS), value, None]
        case 2 if former is not None:
            return [former, value]
        case _:
            return value
