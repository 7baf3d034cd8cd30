"""Which offset may be committed: never past a batch that is under way, and again until Kafka has it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.window import Window


def test_a_later_batch_that_is_acknowledged_first_commits_nothing() -> None:
    window = Window()
    window.deliver(9)
    window.deliver(19)
    window.acknowledge(19)
    assert window.committable() is None
    window.acknowledge(9)
    assert window.committable() == 20


def test_an_offset_is_given_until_it_is_committed() -> None:
    window = Window()
    window.deliver(9)
    window.acknowledge(9)
    assert [window.committable(), window.committable()] == [10, 10]
    window.committed(10)
    assert window.committable() is None
    window.deliver(12)
    window.acknowledge(12)
    assert window.committable() == 13


@given(st.permutations(range(8)), st.lists(st.booleans(), min_size=8, max_size=8))
def test_in_any_order_the_head_is_waited_for(order: list[int], kept: list[bool]) -> None:
    window = Window()
    for last in range(8):
        window.deliver(last)
    done: set[int] = set()
    for last, commits in zip(order, kept, strict=True):
        window.acknowledge(last)
        done.add(last)
        offset = window.committable()
        reached = next(number for number in range(9) if number not in done)
        assert offset in (None, reached)
        if offset is not None and commits:
            window.committed(offset)
    assert window.committable() in (None, 8)
