"""Days of the simulated council: working days, weekends, the bank holidays of England.

The council lives in UTC all year; summer time is left out, so that a day has the same hours everywhere.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

MICROSECONDS = 1_000_000
DAY = 86_400 * MICROSECONDS
_EPOCH = date(1970, 1, 1)


def midnight(day: date) -> int:
    """Give the start of a day in microseconds since the epoch."""
    return (day - _EPOCH).days * DAY


def is_weekend(day: date) -> bool:
    """Tell Saturday and Sunday."""
    return day.weekday() >= 5


def is_working_day(day: date) -> bool:
    """Tell days on which the council works as a whole."""
    return not is_weekend(day) and day not in _holidays(day.year)


def working_days(days: list[date]) -> list[date]:
    """Give the working days among some days, or the first day where there is none."""
    return [day for day in days if is_working_day(day)] or days[:1]


@cache
def _holidays(year: int) -> frozenset[date]:
    """Give the bank holidays, by the rules that hold since 1978."""
    easter = _easter(year)
    mays = [date(year, 5, 1) + timedelta(n) for n in range(31)]
    augusts = [date(year, 8, 1) + timedelta(n) for n in range(31)]
    found = {
        _next_free(date(year, 1, 1), set()),
        easter - timedelta(2),
        easter + timedelta(1),
        next(day for day in mays if day.weekday() == 0),
        [day for day in mays if day.weekday() == 0][-1],
        [day for day in augusts if day.weekday() == 0][-1],
    }
    christmas = _next_free(date(year, 12, 25), set())
    return frozenset(found | {christmas, _next_free(date(year, 12, 26), {christmas})})


def _next_free(day: date, taken: set[date]) -> date:
    while is_weekend(day) or day in taken:
        day += timedelta(1)
    return day


def _easter(year: int) -> date:
    """Give Easter Sunday by the anonymous Gregorian algorithm (Meeus/Jones/Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)
