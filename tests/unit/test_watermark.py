"""How far event time has come over several sources."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.watermark import BEGINNING, IDLE, Watermark

HOUR = 3600 * 1_000_000_000


def test_the_slowest_source_holds_time_back() -> None:
    watermark = Watermark({"proxy": HOUR, "mail": 2 * HOUR})
    assert watermark.now == BEGINNING
    assert watermark.observe("proxy", 10 * HOUR) == 9 * HOUR
    assert watermark.observe("mail", 10 * HOUR) == 9 * HOUR
    assert watermark.observe("proxy", 12 * HOUR) == 9 * HOUR
    assert watermark.observe("mail", 12 * HOUR) == 10 * HOUR


def test_a_source_that_has_fallen_silent_does_not() -> None:
    watermark = Watermark({"proxy": 0, "mail": 0})
    watermark.observe("mail", 0)
    assert watermark.observe("proxy", IDLE) == 0
    assert watermark.observe("proxy", IDLE + HOUR) == IDLE + HOUR


def test_a_source_that_is_no_longer_configured_has_no_say() -> None:
    before = Watermark({"old": 0, "proxy": 0})
    before.observe("old", HOUR)
    before.observe("proxy", 2 * HOUR)
    after = Watermark({"proxy": 0})
    for change in before.table.drain():
        assert change.value is not None
        after.table.restore(change.key, change.value)
    after.after_restore()
    assert after.now == before.now
    assert after.observe("proxy", 3 * HOUR) == 3 * HOUR
    assert after.newest() == {"proxy": 3 * HOUR}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 100 * HOUR))))
def test_it_never_goes_back(events: list[tuple[str, int]]) -> None:
    watermark = Watermark({"a": HOUR, "b": 0})
    seen = [watermark.observe(source, time) for source, time in events]
    assert seen == sorted(seen)
