"""Some rules of a book, matched against batches of events that they all apply to."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import cached_property

from streams.detect.book import Detection
from streams.detect.cache import Cache
from streams.detect.canonical import scan_text
from streams.detect.evaluate import Test, compile_test
from streams.detect.event_view import EventView
from streams.detect.fields import FieldMapping
from streams.detect.generate import Fused, generate, generate_fused
from streams.detect.prefilter import Prefilter, prefilter_for
from streams.detect.sample import Sample
from streams.event import Event

_SAMPLE = 512
"""Events by which literals are chosen; fewer do for a start."""
_LARGEST = 4 << 20
"""Bytes of a batch's text that is kept for the next sample; nothing is learnt from giants."""
_OFTEN = 0.5
"""Rules tried on an event that are no reason to choose again."""


Found = tuple[int, int, str | None]
"""The index of an event, the number of a rule, and why the rule failed on it, None where it is true of it."""


class Compiled:
    """A detection and what it is compiled into, made when first needed: most rules never see an event."""

    def __init__(self, number: int, detection: Detection, mapping: FieldMapping) -> None:
        self.number = number
        self.rule = detection.rule
        self.condition = detection.condition
        self.mapping = mapping

    @cached_property
    def test(self) -> Test:
        """The rule as generated Python."""
        return generate(self.condition, self.mapping)

    @cached_property
    def reference(self) -> Test:
        """The rule as closures, which decide where the generated test fails."""
        return compile_test(self.condition, self.mapping)

    def tried_on(self, view: EventView, event: int) -> Found | None:
        """Try the rule on an event."""
        try:
            try:
                matched = self.test(view)
            except Exception:  # noqa: BLE001 - see `reference`
                matched = self.reference(view)
        except Exception as error:  # noqa: BLE001 - a rule that raises is reported, the others still run
            return event, self.number, type(error).__name__
        return (event, self.number, None) if matched else None


class Matcher:
    """Chooses which rules to try by a prefilter whose literals follow the events that come.

    The first events are the sample by which literals are chosen. They are chosen anew once there are enough
    events for a good one, and whenever rules are tried far more often than the sample promised; each time the
    wait for the next look doubles. `events` counts events, `tried` how often a rule was tried for a literal.
    """

    def __init__(self, rules: Sequence[Compiled], cache: Cache, key: str) -> None:
        self._rules = {rule.number: rule for rule in rules}
        self._cache = cache
        self._key = key
        self._prefilter: Prefilter | None = None
        self._always: Fused | None = None
        self._recent: deque[tuple[bytes, int]] = deque()
        self._looked = (0, 0)
        self._wait = _SAMPLE
        self.events = self.tried = 0

    def match(self, events: Sequence[Event]) -> list[Found]:
        """Give what is true of which events, in no order."""
        if not self._rules:
            return []
        text, without = scan_text([event.fields for event in events])
        self._remember(text, len(events))
        prefilter = self._chosen()
        pairs = prefilter.candidates(text)
        pairs.update((event, rule) for event in without for rule in self._rules)
        self.events += len(events)
        self.tried += len(pairs)
        views: dict[int, EventView] = {}
        found: list[Found] = []
        if self._always is not None:
            views = dict(enumerate(map(EventView, events)))
            try:
                found += self._always(views.values())
            except Exception:  # noqa: BLE001 - each by itself, so that only the one that raises fails
                pairs.update((index, rule) for index in views for rule in prefilter.always)
        for index, rule in pairs:
            view = views.get(index) or views.setdefault(index, EventView(events[index]))
            one = self._rules[rule].tried_on(view, index)
            if one is not None:
                found.append(one)
        return found

    def _remember(self, text: bytes, size: int) -> None:
        """Keep the text of the last events, as many as make a sample."""
        if len(text) <= _LARGEST:
            self._recent.append((text, size))
        while sum(count for _, count in self._recent) > _SAMPLE and len(self._recent) > 1:
            self._recent.popleft()

    def _chosen(self) -> Prefilter:
        if self._prefilter is None:
            kept = self._cache.get(self._key)
            return self._prepared() if kept is None else self._use(Prefilter.restore(kept))
        events, tried = self.events - self._looked[0], self.tried - self._looked[1]
        if events < self._wait:
            return self._prefilter
        self._looked = (self.events, self.tried)
        if self._prefilter.size >= _SAMPLE // 2 and tried / events < max(
            _OFTEN, 2 * self._prefilter.expected
        ):
            return self._prefilter
        self._wait *= 2
        return self._prepared()

    def _prepared(self) -> Prefilter:
        rules = [(rule.number, rule.condition, rule.mapping) for rule in self._rules.values()]
        prefilter = prefilter_for(rules, Sample(b"".join(text for text, _ in self._recent)))
        self._cache.put(self._key, prefilter.dump())
        return self._use(prefilter)

    def _use(self, prefilter: Prefilter) -> Prefilter:
        self._prefilter = prefilter
        always = [self._rules[number] for number in prefilter.always]
        self._always = (
            generate_fused((rule.number, rule.condition, rule.mapping) for rule in always) if always else None
        )
        return prefilter
