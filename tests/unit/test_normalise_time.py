"""Times as sources write them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import RecordError
from streams.event import rfc3339
from streams.normalise.time import (
    parse_apache,
    parse_ctime,
    parse_epoch,
    parse_rfc3164,
    parse_rfc3339,
    parse_time,
)

LONDON = zoneinfo.ZoneInfo("Europe/London")
SECOND = 1_000_000_000
IN_64_BITS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
RECEIVED = parse_rfc3339("2026-03-02T10:00:00Z")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-02T10:00:00Z", "2026-03-02T10:00:00Z"),
        ("2026-03-02t10:00:00.5z", "2026-03-02T10:00:00.500Z"),
        ("2026-03-02 10:00:00.123456789+00:00", "2026-03-02T10:00:00.123456789Z"),
        ("2026-03-02T10:00:00.1234567899Z", "2026-03-02T10:00:00.123456789Z"),
        ("2026-03-02T10:00:00+05:45", "2026-03-02T04:15:00Z"),
        ("2026-03-02T10:00:00-0330", "2026-03-02T13:30:00Z"),
        ("2026-03-02T10:00:00 +01:00", "2026-03-02T09:00:00Z"),
        ("2026-03-01T00:30:00+01:00", "2026-02-28T23:30:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("1990-12-31T15:59:60.25-08:00", "1991-01-01T00:00:00.250Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
    ],
)
def test_rfc3339(text: str, utc: str) -> None:
    assert rfc3339(parse_rfc3339(text)) == utc
    assert rfc3339(parse_time(text, LONDON)) == utc


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T12:30:60Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00+:",
        "2026-01-01",
        "2026-1-1T00:00:00Z",
        "\uff12026-01-01T00:00:00Z",
        "yesterday",
        "",
    ],
)
def test_what_is_no_time_is_refused_without_being_repeated(text: str) -> None:
    for parse in (parse_rfc3339, parse_time):
        with pytest.raises(RecordError) as refused:
            parse(text)
        assert not text or text not in str(refused.value)


def test_a_time_without_offset_needs_a_zone() -> None:
    assert rfc3339(parse_time("2026-07-02T10:00:00", LONDON)) == "2026-07-02T09:00:00Z"
    assert rfc3339(parse_time("2026-01-02 10:00:00", LONDON)) == "2026-01-02T10:00:00Z"
    with pytest.raises(RecordError, match="offset"):
        parse_rfc3339("2026-07-02T10:00:00")


@pytest.mark.parametrize(
    ("value", "nanoseconds"),
    [
        (0, 0),
        (1772445600, 1772445600 * SECOND),
        (1772445600.5, 1772445600 * SECOND + 500_000_000),
        ("1772445600.123456789", 1772445600123456789),
        (Decimal("1772445600.000000001"), 1772445600000000001),
        ("1772445600.1234567899", 1772445600123456789),
        ("0.99999999999999999999999999999999", 999_999_999),
        (-0.5, -500_000_000),
        (1772445600123, 1772445600123 * 1_000_000),
        ("1772445600123.456789", 1772445600123456789),
        ("1.7724456e9", 1772445600 * SECOND),
    ],
)
def test_epoch(value: object, nanoseconds: int) -> None:
    assert parse_epoch(value) == nanoseconds
    assert parse_time(value) == nanoseconds


@pytest.mark.parametrize(
    "value",
    [
        True,
        None,
        [],
        "0x10",
        "1e999",
        "1_000",
        "Infinity",
        "NaN",
        float("nan"),
        float("inf"),
        "\u0663",
        253402300799,  # the end of year 9999
        -62167219200,  # the beginning of year 0, in seconds
        -62167219200000,  # and in milliseconds
        253402300799000,
        10**30,
        "9" * 5000,
    ],
)
def test_what_is_no_epoch_is_refused(value: object) -> None:
    with pytest.raises(RecordError):
        parse_time(value)


@given(IN_64_BITS)
def test_what_is_written_is_read_again(nanoseconds: int) -> None:
    assert parse_rfc3339(rfc3339(nanoseconds)) == nanoseconds


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_an_epoch_is_exact_to_the_nanosecond(nanoseconds: int) -> None:
    seconds, fraction = divmod(nanoseconds, SECOND)
    assert parse_epoch(f"{seconds}.{fraction:09d}") == nanoseconds
    assert parse_epoch(Decimal(f"{seconds}.{fraction:09d}")) == nanoseconds


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("Mar  2 09:00:00", "2026-03-02T09:00:00Z"),
        ("Mar 02 09:00:00.250", "2026-03-02T09:00:00.250Z"),
        ("Mar  8 09:00:00", "2026-03-08T09:00:00Z"),
        ("Mar 10 09:00:00", "2025-03-10T09:00:00Z"),
        ("Dec 31 23:59:59", "2025-12-31T23:59:59Z"),
        ("Feb 29 12:00:00", "2024-02-29T12:00:00Z"),
        ("Mar  2 2019 09:00:00", "2019-03-02T09:00:00Z"),
    ],
)
def test_rfc3164_takes_its_year_from_the_receipt(text: str, utc: str) -> None:
    assert rfc3339(parse_rfc3164(text, RECEIVED, dt.UTC)) == utc


def test_rfc3164_around_new_year() -> None:
    received = parse_rfc3339("2026-12-31T23:59:58Z")
    assert rfc3339(parse_rfc3164("Jan  1 00:00:02", received, dt.UTC)) == "2027-01-01T00:00:02Z"
    received = parse_rfc3339("2027-01-01T00:00:02Z")
    assert rfc3339(parse_rfc3164("Dec 31 23:59:58", received, dt.UTC)) == "2026-12-31T23:59:58Z"


def test_rfc3164_is_local() -> None:
    received = parse_rfc3339("2026-07-02T12:00:00Z")
    assert rfc3339(parse_rfc3164("Jul  2 12:30:00", received, LONDON)) == "2026-07-02T11:30:00Z"


@pytest.mark.parametrize(
    "text", ["Mar 2", "Foo  2 09:00:00", "Feb 30 09:00:00", "Mar  2 25:00:00", "mar  2 09:00:00"]
)
def test_what_is_no_rfc3164_time_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        parse_rfc3164(text, RECEIVED, dt.UTC)


def test_ctime() -> None:
    assert rfc3339(parse_ctime("Mon Mar  2 10:00:00 2026", dt.UTC)) == "2026-03-02T10:00:00Z"
    assert rfc3339(parse_ctime("Thu Jul 02 10:00:00 2026", LONDON)) == "2026-07-02T09:00:00Z"
    with pytest.raises(RecordError):
        parse_ctime("Mon Mar  2 10:00:00 9999", dt.UTC)
    with pytest.raises(RecordError):
        parse_ctime("Mar  2 10:00:00 2026", dt.UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("02/Mar/2026:10:00:00 +0100", "2026-03-02T09:00:00Z"),
        ("[02/Mar/2026:10:00:00 -0000]", "2026-03-02T10:00:00Z"),
        ("[02/03/2026:10:00:00 GMT]", "2026-03-02T10:00:00Z"),
        ("02/Jul/2026:10:00:00", "2026-07-02T09:00:00Z"),
    ],
)
def test_apache(text: str, utc: str) -> None:
    assert rfc3339(parse_apache(text, LONDON)) == utc


@pytest.mark.parametrize(
    "text", ["02/13/2026:10:00:00", "02-Mar-2026 10:00:00", "02/Mar/0000:10:00:00 +0000"]
)
def test_what_is_no_apache_time_is_refused(text: str) -> None:
    with pytest.raises(RecordError):
        parse_apache(text)
