"""Which rules can be true of which events: one search for all literals over the text of a whole batch.

For each rule there is a set of literals of which one must stand in an event that the rule is true of
(`necessary`). Hyperscan looks for all of them at once; a rule that has no rare ones is always tried. So what
is given may be too much, and is never too little.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable

from streams.detect.fields import FieldMapping
from streams.detect.necessary import Chooser, Literals
from streams.detect.sample import Sample
from streams.detect.search import Pairs, Search, SearchState
from streams.detect.tree import Node

_TOO_COSTLY = 4.0
"""Literals that are expected more often than this in an event are not worth the search."""
_TOO_FREQUENT = 0.5
"""A rule that is tried on a larger share of the sample is always tried: that is cheaper."""


class Prefilter:
    """The literals of some rules, chosen for events like those of a sample.

    `always` are the numbers of the rules that must be tried on every event: those without literals, and those
    whose literals were in most events of the sample, which are kept in `frequent`. `expected` is how many
    others were tried on an event of the sample, `size` how many events it had.
    """

    def __init__(
        self, search: Search, frequent: Search, always: list[int], expected: float, size: int
    ) -> None:
        self._search = search
        self._frequent = frequent
        self.always = always
        self.expected = expected
        self.size = size

    def candidates(self, text: bytes) -> Pairs:
        """Give pairs of the number of a line of the text and that of a rule that may be true of its event."""
        return self._search.pairs(text)

    def has_cooled(self, text: bytes) -> bool:
        """Tell whether most of what was frequent in the sample is not so in the text of other events."""
        if not self._frequent.rules:
            return False
        tried = Counter(rule for _, rule in self._frequent.pairs(text))
        limit = _TOO_FREQUENT * max(text.count(b"\n"), 1) / 2
        return sum(count > limit for count in tried.values()) < len(self._frequent.rules) / 2

    def dump(self) -> bytes:
        """Write it down, for `restore`."""
        state = (self._search.state(), self._frequent.state(), self.always, self.expected, self.size)
        return pickle.dumps(state)

    @classmethod
    def restore(cls, data: bytes) -> Prefilter:
        """Bring back what `dump` wrote."""
        search: SearchState
        frequent: SearchState
        # The cache is a folder that only its user may write to, and holds what this program put there.
        search, frequent, always, expected, size = pickle.loads(data)  # noqa: S301 - see the comment above
        return cls(Search.restore(search), Search.restore(frequent), always, expected, size)


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
    search = Search(chosen)
    tried = Counter(rule for _, rule in search.pairs(sample.text))
    frequent = {rule for rule, count in tried.items() if count > _TOO_FREQUENT * sample.size}
    if frequent:
        search = Search({rule: literals for rule, literals in chosen.items() if rule not in frequent})
    return Prefilter(
        search,
        Search({rule: chosen[rule] for rule in sorted(frequent)}),
        sorted([*always, *frequent]),
        sum(count for rule, count in tried.items() if rule not in frequent) / sample.size,
        sample.size,
    )
