"""One Hyperscan search for the literals of many rules (https://intel.github.io/hyperscan/)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence

import hyperscan

from streams.detect.necessary import Literals

Pairs = set[tuple[int, int]]
"""The number of a line and that of a rule."""
SearchState = tuple[dict[int, Literals], bytes]
"""What stands for a search in the cache."""

_SLICE = 1 << 20
"""Bytes that are searched at once: what is found in them is held in memory, and an attacker may repeat it."""
_NUMBER = re.compile(rb"[-+.0-9]+")


class Search:
    """Literals of rules, given by the rule's number. Not to be used by two threads at once."""

    def __init__(self, rules: Mapping[int, Literals], database: hyperscan.Database | None = None) -> None:
        self.rules = dict(rules)
        numbers: dict[bytes, list[int]] = {}
        for number, literals in rules.items():
            for literal in sorted(literals):
                numbers.setdefault(literal, []).append(number)
        self._numbers: Sequence[Sequence[int]] = [*numbers.values()]
        # What may stand in a key begins with the key's quote. The other literals are about values alone, and,
        # but for numbers, about those in quotes.
        self._in_values = [
            not literal.startswith(b'"') and not _NUMBER.fullmatch(literal) for literal in numbers
        ]
        self._database = database or (_compiled([*numbers]) if numbers else None)

    def pairs(self, text: bytes) -> Pairs:
        """Give the lines of a text that hold a literal, with the rules of the literal."""
        found: Pairs = set()
        if self._database is None:
            return found
        line = 0
        for part in _slices(text):
            reached = 0
            for end, literal in self._hits(self._database, part):
                line += part.count(b"\n", reached, end)
                reached = end
                found.update((line, rule) for rule in self._numbers[literal])
            line += part.count(b"\n", reached)
        return found

    def state(self) -> SearchState:
        """Give what `restore` needs."""
        return self.rules, b"" if self._database is None else hyperscan.dumpb(self._database)

    @classmethod
    def restore(cls, state: SearchState) -> Search:
        """Bring back a search; for another kind of processor it is compiled anew."""
        rules, serial = state
        database = None
        if serial:
            with contextlib.suppress(hyperscan.error):
                database = hyperscan.loadb(serial, hyperscan.HS_MODE_BLOCK)
                database.scratch = hyperscan.Scratch(database)
        return cls(rules, database)

    def _hits(self, database: hyperscan.Database, text: bytes) -> Iterator[tuple[int, int]]:
        """Give where literals end and which they are, in order, without those that are in keys in vain."""
        hits: set[tuple[int, int]] = set()
        database.scan(text, lambda literal, _start, end, _flags, _context: hits.add((end, literal)))
        quote = -1
        for end, literal in sorted(hits):
            if self._in_values[literal]:
                if quote < end - 1:  # searched for once, however many hits are before it
                    found = text.find(b'"', end - 1)
                    quote = len(text) if found < 0 else found
                # It surely is in a key when a colon comes after the next quote, which ends a text.
                if text[quote + 1 : quote + 2] == b":" and text[quote - 1 : quote] != b"\\":
                    continue
            yield end, literal


def _compiled(literals: Sequence[bytes]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=literals,
        ids=[*range(len(literals))],
        flags=[hyperscan.HS_FLAG_CASELESS] * len(literals),
        elements=len(literals),
        literal=True,
    )
    return database


def _slices(text: bytes) -> Iterator[bytes]:
    """Give a text in parts of whole lines."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + _SLICE) + 1 or len(text)
        yield text[start:end]  # the same object where it is all of the text
        start = end
