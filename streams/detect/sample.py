"""How often literals occur, estimated from some events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from streams.detect.necessary import Literals

_LENGTHS = (8, 4, 3, 2)
"""Runs of so many bytes are counted; a longer literal is as rare as its rarest run."""
_PRIORS = (1.0, 0.5, 0.1, 0.03, 0.01, 0.005, 0.003, 0.002)
"""What a literal of so many bytes is expected to occur in beyond the sample: short ones soon turn up."""
_LEAST_PRIOR = 0.001
_LONGEST_LINE = 8192
_COUNTED = 200_000
"""Bytes of an event, and of a sample, whose runs are counted: that takes about a microsecond for each."""
_TAIL = 3
_SHORTEST = 6
"""Bytes that stay of a literal that is cut, at least."""


class Sample:
    """In how many events of a sample, given by their text, each run of bytes occurs.

    `size` is the number of events. Of large ones only some, evenly spaced, are counted.
    """

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.size = max(text.count(b"\n"), 1)
        lines = [line[:_LONGEST_LINE] for line in text.lower().split(b"\n")[: self.size]]
        lines = lines[:: -(-sum(map(len, lines)) // _COUNTED) or 1]
        self._counted = len(lines)
        self._counts: dict[int, Counter[bytes]] = {length: Counter() for length in _LENGTHS}
        for line in lines:
            for length, counts in self._counts.items():
                counts.update({line[start : start + length] for start in range(len(line) - length + 1)})
        self._shares: dict[bytes, float] = {}

    def cost(self, literals: Literals) -> float:
        """Give the expected share of events that hold any of the literals.

        The allowance for what the sample did not show belongs to the set: it is that of its shortest literal.
        """
        return sum(map(self.share, literals)) + _prior(literals)

    def share(self, literal: bytes) -> float:
        """Give the share of events that hold a literal, at most."""
        found = self._shares.get(literal)
        if found is None:
            found = self._shares[literal] = self._estimate(literal)
        return found

    def trimmed(self, literal: bytes) -> bytes:
        """Cut a literal where its end is rare, unless it would then occur more often itself.

        Hyperscan looks for ends first: thousands of literals that end alike, and like the events' own words,
        took twelve times as long.
        """
        tails = self._counts[_TAIL]
        cuts = (literal[:length] for length in range(len(literal), _SHORTEST - 1, -1))
        return min(cuts, key=lambda cut: (self.share(cut), tails[cut[-_TAIL:]]), default=literal)

    def _estimate(self, literal: bytes) -> float:
        for length, counts in self._counts.items():
            if len(literal) >= length:
                runs = (literal[start : start + length] for start in range(len(literal) - length + 1))
                return min(counts[run] for run in runs) / self._counted
        return 1.0


def _prior(literals: Iterable[bytes]) -> float:
    shortest = min(map(len, literals))
    return _PRIORS[shortest] if shortest < len(_PRIORS) else _LEAST_PRIOR
