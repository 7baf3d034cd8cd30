"""The engine, prefilter and generated Python, gives what the reference gives: for every rule and event."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reference import as_events, engine, reference
from strategies import events, events_near, rules
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.event import Fields


@st.composite
def books(draw: st.DrawFn) -> tuple[str, list[Fields], list[Fields]]:
    """Give some rules, events that come first, by which literals are chosen, and events to compare over."""
    written = [draw(rules(f"r{number}")) for number in range(draw(st.integers(1, 5)))]
    near = st.one_of(events(), *(events_near(rule) for rule in written))
    return (
        "---\n".join(written),
        draw(st.lists(near, max_size=3)),
        draw(st.lists(near, min_size=1, max_size=6)),
    )


@given(books())
def test_the_engine_agrees_with_the_reference(book: tuple[str, list[Fields], list[Fields]]) -> None:
    text, first, then = book
    loaded = loads(text)
    compiled = RuleSet(loaded, ignore_logsource=True)
    for many in (first, then):
        assert engine(compiled, as_events(many)) == reference(loaded, as_events(many))
