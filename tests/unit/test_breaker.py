"""The breaker: a bad deployment must not empty a topic into the dead letters."""

from __future__ import annotations

import pytest

from streams.stages.breaker import Bounds, Breaker, BreakerOpen

BOUNDS = Bounds(0.5, 100)


def note_often(breaker: Breaker, batches: int, *, dead: int, read: int = 100) -> None:
    for _ in range(batches):
        breaker.note(read, dead)


def test_a_batch_that_is_mostly_dead_opens_it() -> None:
    with pytest.raises(BreakerOpen, match="source proxy: 150 of the last 200 records are dead"):
        Breaker("proxy", BOUNDS).note(200, 150)


def test_a_few_records_prove_nothing() -> None:
    Breaker("proxy", BOUNDS).note(99, 99)


def test_small_batches_add_up() -> None:
    breaker = Breaker("proxy", BOUNDS)
    with pytest.raises(BreakerOpen):
        note_often(breaker, 100, dead=1, read=1)


def test_old_records_count_less_and_less() -> None:
    breaker = Breaker("proxy", BOUNDS)
    note_often(breaker, 100, dead=0)
    with pytest.raises(BreakerOpen):
        note_often(breaker, 5, dead=100)


def test_after_a_restart_it_opens_at_once_unless_the_records_are_read_now() -> None:
    breaker = Breaker("proxy", BOUNDS)
    breaker.note(90, 90)
    saved = breaker.tables[0].drain()
    again = Breaker("proxy", BOUNDS)
    for change in saved:
        again.tables[0].restore(change.key, change.value or b"")
    with pytest.raises(BreakerOpen):
        again.note(50, 50)
    again.note(50, 0)  # the same records, by a format that reads them


def test_a_stray_dead_record_among_many_is_nothing() -> None:
    breaker = Breaker("proxy", BOUNDS)
    note_often(breaker, 1000, dead=3)
