"""Times as sources write them, in nanoseconds since the epoch, UTC.

Digits of a fraction beyond nanoseconds are cut off. Every function raises RecordError for what is no time and
for a year that 64 bits of nanoseconds cannot hold, so that neither year 0 nor 9999 becomes an event's time.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_FLOOR, Context, Decimal
from functools import lru_cache

from streams.errors import RecordError
from streams.event import NANOSECONDS, checked_time

_MILLISECONDS_FROM = 253_402_300_800
"""An epoch number from here on (year 10000 in seconds, January 1978 in milliseconds) counts milliseconds."""
_AHEAD = 7 * 86_400 * NANOSECONDS
"""How far a time without a year may be ahead of its receipt before it is taken for the year before."""
_LEAP_CYCLE = 8
"""29 February comes at least this often (1896, 1904)."""
_TO_SECOND = len("2026-03-02T09:15:02+00:00")
"""Longest RFC 3339 without a fraction."""
_EXACT = Context(prec=100)
_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()

_CLOCK = r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{1,32}))?"
_RFC3339 = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}})[Tt ]{_CLOCK} ?([Zz]|[+-][0-9:]{{2,5}})?")
_EPOCH = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,32})?(?:[eE][+-]?[0-9]{1,2})?")
_PLAIN_EPOCH = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,32}))?")
"""Seconds as most logs have them, for which integers do: eleven digits are never milliseconds."""
_RFC3164 = re.compile(rf"([A-Z][a-z]{{2}}) {{1,2}}([0-9]{{1,2}}) (?:([0-9]{{4}}) )?{_CLOCK}")
_CTIME = re.compile(
    rf"[A-Z][a-z]{{2}} ([A-Z][a-z]{{2}}) {{1,2}}([0-9]{{1,2}}) {_CLOCK} (?:[A-Z]{{3,5}} )?([0-9]{{4}})"
)
_APACHE = re.compile(
    rf"([0-9]{{2}})/([A-Z][a-z]{{2}}|[0-9]{{2}})/([0-9]{{4}}):{_CLOCK}(?: ([+-][0-9]{{4}}|GMT|UTC))?"
)
_OFFSET = re.compile(r"([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?")

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_time(value: object, zone: dt.tzinfo = dt.UTC) -> int:
    """Read RFC 3339, with `zone` where it has no offset, or an epoch number, itself or as text."""
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _TO_SECOND:
            time = _known(text, zone)
        else:
            found = _RFC3339.fullmatch(text)
            time = _rfc3339(found, zone) if found else None
        if time is not None:
            return time
    return parse_epoch(value)


@lru_cache(maxsize=4096)
def _known(text: str, zone: dt.tzinfo) -> int | None:
    """Read RFC 3339; busy logs say the same second again and again."""
    found = _RFC3339.fullmatch(text)
    return _rfc3339(found, zone) if found else None


def parse_rfc3339(text: str) -> int:
    """Read RFC 3339, section 5.6, which has an offset; a space may stand for the T, `+0100` for `+01:00`."""
    found = _RFC3339.fullmatch(text.strip())
    if not found:
        raise RecordError("time is not RFC 3339")
    if found[8] is None:
        raise RecordError("time has no offset from UTC, which RFC 3339 needs")
    return _rfc3339(found, dt.UTC)


def parse_epoch(value: object) -> int:
    """Read seconds since the epoch, whole or fractional, or milliseconds, told apart by magnitude.

    Text and Decimal are read exactly. A float is taken for its shortest decimal form, which is what was
    written as long as that had no more than 15 digits.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise RecordError("time is neither text nor a number")
    text = value.strip() if isinstance(value, str) else str(value)
    if not _EPOCH.fullmatch(text):
        raise RecordError("time is neither RFC 3339 nor seconds or milliseconds since the epoch")
    if plain := _PLAIN_EPOCH.fullmatch(text):
        return checked_time(int(plain[1]) * NANOSECONDS + int((plain[2] or "")[:9].ljust(9, "0")))
    number = Decimal(text)
    unit = 1_000_000 if abs(number) >= _MILLISECONDS_FROM else NANOSECONDS
    return checked_time(int(_EXACT.multiply(number, Decimal(unit)).to_integral_value(ROUND_FLOOR)))


def parse_rfc3164(text: str, received: int, zone: dt.tzinfo) -> int:
    """Read the time of RFC 3164, section 4.1.2 (`Mar  7 09:15:02`), which is local and has no year.

    The year is the latest that puts the time no further than a week ahead of `received` (nanoseconds).
    """
    found = _RFC3164.fullmatch(text.strip())
    if not found:
        raise RecordError("time is not RFC 3164 (Mmm dd hh:mm:ss)")
    month, day = _month(found[1]), int(found[2])
    clock = found[4], found[5], found[6], found[7]
    if found[3]:
        return _assembled(int(found[3]), month, day, clock, zone)
    latest = dt.datetime.fromtimestamp((received + _AHEAD) // NANOSECONDS, zone).year
    for year in range(latest, latest - _LEAP_CYCLE - 1, -1):
        if (month, day) == (2, 29) and not _is_leap(year):
            continue
        time = _assembled(year, month, day, clock, zone)
        if time <= received + _AHEAD:
            return time
    raise RecordError("time has a date that no recent year has")


def parse_ctime(text: str, zone: dt.tzinfo) -> int:
    """Read the form of C's ctime (`Mon Mar  7 09:15:02 2022`), which is local."""
    found = _CTIME.fullmatch(text.strip())
    if not found:
        raise RecordError("time is not of the form Www Mmm dd hh:mm:ss yyyy")
    clock = found[3], found[4], found[5], found[6]
    return _assembled(int(found[7]), _month(found[1]), int(found[2]), clock, zone)


def parse_apache(text: str, zone: dt.tzinfo = dt.UTC) -> int:
    """Read the time of the common log format (`07/Mar/2022:09:15:02 +0000`), in brackets or not.

    Its offset may be `GMT`, and its month a number, day first.
    """
    found = _APACHE.fullmatch(text.strip().removeprefix("[").removesuffix("]"))
    if not found:
        raise RecordError("time is not of the form dd/Mmm/yyyy:hh:mm:ss")
    clock = found[4], found[5], found[6], found[7]
    stated = _offset(found[8]) if found[8] else zone
    return _assembled(int(found[3]), _month(found[2]), int(found[1]), clock, stated)


def _rfc3339(found: re.Match[str], zone: dt.tzinfo) -> int:
    clock = found[4], found[5], found[6], found[7]
    stated = _offset(found[8]) if found[8] else zone
    return _assembled(int(found[1]), int(found[2]), int(found[3]), clock, stated)


def _assembled(
    year: int, month: int, day: int, clock: tuple[str, str, str, str | None], zone: dt.tzinfo
) -> int:
    """Put a time together; second 60 is one where UTC may have a leap second (RFC 3339, section 5.7)."""
    hour, minute, second = int(clock[0]), int(clock[1]), int(clock[2])
    seconds = _seconds(year, month, day, hour, minute, min(second, 59), zone) + max(second - 59, 0)
    if second > 60 or (second == 60 and seconds % 86_400):
        raise RecordError("time has a second that no clock shows")
    return checked_time(seconds * NANOSECONDS + int((clock[3] or "")[:9].ljust(9, "0")))


@lru_cache(maxsize=4096)
def _seconds(year: int, month: int, day: int, hour: int, minute: int, second: int, zone: dt.tzinfo) -> int:
    """Give the seconds since the epoch; logs of milliseconds have many records of a second."""
    try:
        moment = dt.datetime(year, month, day, hour, minute, second, tzinfo=zone)
        offset = moment.utcoffset() or dt.timedelta()
    except (ValueError, OverflowError):
        raise RecordError("time is on no calendar or clock (year, month, day, hour, minute)") from None
    days = moment.toordinal() - _EPOCH_DAY
    return ((days * 24 + hour) * 60 + minute) * 60 + second - offset // dt.timedelta(seconds=1)


@lru_cache(maxsize=1024)
def _offset(text: str) -> dt.tzinfo:
    if text in ("Z", "z", "GMT", "UTC"):
        return dt.UTC
    found = _OFFSET.fullmatch(text)
    if not found:
        raise RecordError("time has an offset from UTC that is none")
    ahead = dt.timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return dt.timezone(-ahead if found[1] == "-" else ahead)


def _month(name: str) -> int:
    if name.isdigit():
        return int(name)
    if name not in _MONTHS:
        raise RecordError("time has a month that is none")
    return _MONTHS.index(name) + 1


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
