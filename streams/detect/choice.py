"""The prefilter in use: chosen from the first events, and anew when later ones are not like them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cached_property

from streams.detect.cache import Cache, key_of
from streams.detect.compiled import Compiled
from streams.detect.prefilter import Prefilter, prefilter_for
from streams.detect.sample import Sample

_SAMPLE = 512
"""Events by which literals are chosen; fewer do for a start."""
_LARGEST = 1 << 20
"""Bytes of text that are kept for a sample."""
_OFTEN = 0.5
"""Rules tried on an event that are no reason to choose again."""
_LONGEST_WAIT = 1 << 16
"""Events between two choices at most: so a flood of odd events neither costs choice after choice, nor leaves
behind for long what was chosen in it."""


class Choice:
    """Chooses a prefilter for some rules, and looks now and then whether it still is a good one.

    It is not when its sample was small, when rules are tried far more often than the sample promised, or when
    rules that had to be tried on every event no longer would. Each choice doubles the wait for the next look.
    """

    def __init__(self, rules: Sequence[Compiled], cache: Cache | None) -> None:
        self._rules = rules
        self._cache = cache
        self._prefilter: Prefilter | None = None
        self._recent: deque[tuple[bytes, int]] = deque()
        self._wait = _SAMPLE
        self._events = self._tried = 0

    def for_batch(self, text: bytes, size: int) -> tuple[Prefilter, bool]:
        """Give the prefilter for a batch of so many events with this text, and whether it is a new one."""
        former = self._prefilter
        if former is None or self._events + size > self._wait - _SAMPLE:
            self._collect(text, size)
        if former is None:
            former = self._restored()
            self._prefilter = former or self._chosen()
            return self._prefilter, True
        if self._events < self._wait:
            self._events += size
            return former, False
        stale = self._is_stale(former)
        if stale:
            self._wait = min(2 * self._wait, _LONGEST_WAIT)
            self._prefilter = self._chosen()
        self._recent.clear()
        self._events, self._tried = size, 0
        return self._prefilter or former, stale

    def note(self, tried: int) -> None:
        """Take note of how often a rule was tried on an event because of a literal."""
        self._tried += tried

    def _collect(self, text: bytes, size: int) -> None:
        if len(text) > _LARGEST:
            text = text[: text.rfind(b"\n", 0, _LARGEST) + 1]
        self._recent.append((text, size))
        while len(self._recent) > 1 and (
            sum(events for _, events in self._recent) > _SAMPLE
            or sum(len(kept) for kept, _ in self._recent) > _LARGEST
        ):
            self._recent.popleft()

    def _is_stale(self, prefilter: Prefilter) -> bool:
        often = self._tried / self._events > max(_OFTEN, 2 * prefilter.expected)
        return often or prefilter.size < _SAMPLE // 2 or prefilter.has_cooled(self._sample_text())

    def _chosen(self) -> Prefilter:
        rules = [(rule.number, rule.condition, rule.mapping) for rule in self._rules]
        prefilter = prefilter_for(rules, Sample(self._sample_text()))
        if self._cache is not None:
            self._cache.put(self._key, prefilter.dump())
        return prefilter

    def _restored(self) -> Prefilter | None:
        kept = None if self._cache is None else self._cache.get(self._key)
        return None if kept is None else Prefilter.restore(kept)

    def _sample_text(self) -> bytes:
        return b"".join(text for text, _ in self._recent)

    @cached_property
    def _key(self) -> str:
        """Name the choice by all that it is made for: not by ids, which may stay when conditions do not."""
        mappings = {id(rule.mapping): repr(rule.mapping) for rule in self._rules}
        numbers = {mapping: str(number) for number, mapping in enumerate(mappings)}
        conditions = (f"{numbers[id(rule.mapping)]} {rule.condition!r}" for rule in self._rules)
        return key_of("prefilter", *mappings.values(), *conditions)
