"""When stored records are due."""

from __future__ import annotations

import pytest

from streams.runtime.pace import Pace

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("pace", "times", "dues"),
    [
        (Pace(), [0, 60, None], [0, 0, 0]),
        (Pace(rate=2), [60, None, 0], [0, 0.5, 1]),
        (Pace(speed=60), [0, 60, None, 30, 3600], [0, 1, 0, 0.5, 60]),
        (Pace(rate=1, speed=60), [0, 30, 300], [0, 1, 5]),
    ],
)
def test_records_are_due_by_their_number_and_by_their_time(
    pace: Pace, times: list[int | None], dues: list[float]
) -> None:
    waits = [pace.wait(None if time is None else time * SECOND, 100.0) for time in times]
    assert waits == pytest.approx(dues)


def test_who_is_behind_waits_for_nothing() -> None:
    pace = Pace(rate=10)
    assert [pace.wait(0, now) for now in (100.0, 105.0, 105.0)] == [0, 0, 0]
