"""Moments as whole microseconds since the epoch, and the ways in which logs write them."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from random import Random

from streams.simulate.workdays import DAY, MICROSECONDS

HOUR = 3600 * MICROSECONDS
MINUTE = 60 * MICROSECONDS
_LUNCH = (12, 13)


@lru_cache(maxsize=8)
def _date(number: int) -> str:
    return (date(1970, 1, 1) + timedelta(number)).isoformat()


def _parts(moment: int) -> tuple[str, int, int, int, int]:
    number, rest = divmod(moment, DAY)
    seconds, fraction = divmod(rest, MICROSECONDS)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return _date(number), hour, minute, second, fraction


def to_second(moment: int) -> str:
    """Write `2026-03-02T09:14:05`."""
    day, hour, minute, second, _ = _parts(moment)
    return f"{day}T{hour:02}:{minute:02}:{second:02}"


def to_millisecond(moment: int) -> str:
    """Write `2026-03-02T09:14:05.120`."""
    day, hour, minute, second, fraction = _parts(moment)
    return f"{day}T{hour:02}:{minute:02}:{second:02}.{fraction // 1000:03}"


def to_microsecond(moment: int) -> str:
    """Write `2026-03-02T09:14:05.120417`."""
    day, hour, minute, second, fraction = _parts(moment)
    return f"{day}T{hour:02}:{minute:02}:{second:02}.{fraction:06}"


def at(midnight: int, hour: int, minute: int = 0, second: int = 0) -> int:
    """Give the moment of a time of day."""
    return midnight + (hour * 3600 + minute * 60 + second) * MICROSECONDS


def working_moments(random: Random, midnight: int, start: int, end: int, count: int) -> list[int]:
    """Give so many moments between two hours of a day, in order, few of them over lunch."""
    first, length = midnight + start * HOUR, (end - start) * HOUR
    moments = []
    for _ in range(count):
        moment = first + int(random.random() * length)
        if _LUNCH[0] <= (moment - midnight) // HOUR < _LUNCH[1] and random.random() < 0.8:
            moment = first + int(random.random() * length)
        moments.append(moment)
    moments.sort()
    return moments
