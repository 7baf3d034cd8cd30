"""Which rules can be true of which events: one search for all literals over the text of a whole batch.

For each rule there is a set of literals of which one must stand in an event that the rule is true of
(`necessary`). Hyperscan looks for all of them at once; a rule that has no rare ones is always tried. So what
is given may be too much, and is never too little.
"""

from __future__ import annotations

import contextlib
import pickle
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

import hyperscan

from streams.detect.fields import FieldMapping
from streams.detect.necessary import Chooser, Literals
from streams.detect.sample import Sample
from streams.detect.tree import Node

_TOO_COSTLY = 4.0
"""Literals that are expected more often than this in an event are not worth the search."""
_TOO_FREQUENT = 0.5
"""A rule that is tried on a larger share of the sample is always tried: that is cheaper."""
_SLICE = 2 << 20
"""Bytes that are searched at once: what is found in them is held in memory, and an attacker may repeat it."""

_NUMBER = re.compile(rb"[-+.0-9]+")


class Prefilter:
    """The literals of some rules, given by number, and which rules each of them stands for.

    `always` are the numbers of the rules that must be tried on every event. `expected` is how many others
    were tried on an event of the sample, `size` how many events it had.
    """

    def __init__(
        self, rules: dict[bytes, list[int]], always: list[int], database: hyperscan.Database | None = None
    ) -> None:
        self.always = always
        self.expected = 0.0
        self.size = 0
        self._literals = rules
        self._rules: Sequence[Sequence[int]] = [*rules.values()]
        # What may stand in a key begins with the key's quote. The other literals are about values alone, and,
        # but for numbers, about those in quotes.
        self._in_values = [
            not literal.startswith(b'"') and not _NUMBER.fullmatch(literal) for literal in rules
        ]
        self._database = database or (_compiled([*rules]) if rules else None)

    def candidates(self, text: bytes) -> set[tuple[int, int]]:
        """Give pairs of the number of a line of the text and that of a rule that may be true of its event."""
        found: set[tuple[int, int]] = set()
        if self._database is None:
            return found
        line = 0
        for part in _slices(text):
            reached = 0
            for end, literal in self._hits(self._database, part):
                line += part.count(b"\n", reached, end)
                reached = end
                found.update((line, rule) for rule in self._rules[literal])
            line += part.count(b"\n", reached)
        return found

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

    def dump(self) -> bytes:
        """Write it down, for `restore`."""
        database = b"" if self._database is None else hyperscan.dumpb(self._database)
        return pickle.dumps((self._literals, self.always, self.expected, self.size, database))

    @classmethod
    def restore(cls, data: bytes) -> Prefilter:
        """Bring back what `dump` wrote; made anew for another processor."""
        literals, always, expected, size, serial = pickle.loads(data)  # noqa: S301 - see the import
        database = None
        if serial:
            with contextlib.suppress(hyperscan.error):
                database = hyperscan.loadb(serial, hyperscan.HS_MODE_BLOCK)
                database.scratch = hyperscan.Scratch(database)
        restored = cls(literals, always, database)
        restored.expected, restored.size = expected, size
        return restored


def prefilter_for(rules: Iterable[tuple[int, Node, FieldMapping]], sample: Sample) -> Prefilter:
    """Choose the literals for events like those of the sample."""
    chooser = Chooser(sample.cost)
    chosen: dict[int, Literals] = {}
    always: list[int] = []
    for number, condition, mapping in rules:
        found = chooser.choose(condition, mapping)
        if found is None or found.cost > _TOO_COSTLY:
            always.append(number)
        else:
            chosen[number] = frozenset(map(sample.trimmed, found.literals))
    prefilter = Prefilter(_by_literal(chosen), always)
    tried = Counter(rule for _, rule in prefilter.candidates(sample.text))
    frequent = {rule for rule, count in tried.items() if count > _TOO_FREQUENT * sample.size}
    if frequent:
        rare = {rule: found for rule, found in chosen.items() if rule not in frequent}
        prefilter = Prefilter(_by_literal(rare), sorted([*always, *frequent]))
    prefilter.expected = sum(count for rule, count in tried.items() if rule not in frequent) / sample.size
    prefilter.size = sample.size
    return prefilter


def _by_literal(chosen: dict[int, Literals]) -> dict[bytes, list[int]]:
    rules: defaultdict[bytes, list[int]] = defaultdict(list)
    for number, literals in chosen.items():
        for literal in sorted(literals):
            rules[literal].append(number)
    return dict(rules)


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
