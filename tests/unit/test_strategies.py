"""The generated rules and events are worth their while: nearly all compile, and all outcomes occur."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings

from strategies import cases
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.event import Event, Fields, Origin

EXAMPLES = 300


def test_rules_compile_and_events_match_or_nearly_do() -> None:
    seen: Counter[str] = Counter()
    said: Counter[str] = Counter()

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def look(case: tuple[str, list[Fields]]) -> None:
        text, documents = case
        book = loads(text)
        said.update(refused.reason for refused in book.refused)
        seen["compiled" if book.rules else "refused"] += 1
        found, failures = RuleSet(book, ignore_logsource=True).match(
            [Event(str(index), 0, one, Origin("", "", 0, 0)) for index, one in enumerate(documents)]
        )
        assert len(found) + len(failures) <= len(documents)
        seen["failed"] += len(failures)
        seen["matched"] += len(found)
        if book.rules:
            seen["passed"] += len(documents) - len(found) - len(failures)

    look()
    assert seen["compiled"] > 9 * seen["refused"], said.most_common(10)
    assert seen["matched"] > EXAMPLES / 5, seen
    assert seen["passed"] > EXAMPLES / 5, seen
