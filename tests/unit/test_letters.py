"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.cli.letter_filters import Filters
from streams.errors import ConfigError, OutfallError
from streams.event import Origin
from streams.runtime.dead_letters import Letter
from streams.runtime.letters import Entry, Wanted

HOUR = 3600 * 1_000_000_000
NONE = Filters([], None, None, None, None, None, None)
LETTER = Letter(b"", Origin("proxy", "s", 1, 1), "normalise", "RecordError", "the line has no time")
ENTRY = Entry("7", 100, LETTER, 3)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        (Wanted(), True),
        (Wanted(source="proxy"), True),
        (Wanted(source="prox"), False),
        (Wanted(stage="normalise"), True),
        (Wanted(stage="trace"), False),
        (Wanted(reason="No Time"), True),
        (Wanted(reason="no times"), False),
        (Wanted(since=100), True),
        (Wanted(since=101), False),
        (Wanted(until=101), True),
        (Wanted(until=100), False),
        (Wanted(ids=frozenset({"7", "8"})), True),
        (Wanted(ids=frozenset({"8"})), False),
        (Wanted(source="proxy", reason="JSON"), False),
    ],
)
def test_all_that_is_given_must_hold(wanted: Wanted, meant: bool) -> None:
    assert wanted.takes(ENTRY) is meant


def test_a_limit_leaves_the_oldest_that_are_meant() -> None:
    entries = [replace(ENTRY, id=str(number), at=number) for number in range(9)]
    assert [entry.id for entry in Wanted(since=3, limit=2).of(entries)] == ["3", "4"]


def test_ids_that_are_not_there_are_told() -> None:
    wanted = Wanted(ids=frozenset({"7", "8", "9"}))
    entries = wanted.of([ENTRY])
    assert next(entries) is ENTRY
    with pytest.raises(OutfallError, match="8, 9"):
        next(entries)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1h", 9 * HOUR),
        ("2h ago", 8 * HOUR),
        ("1970-01-01T03:00:00Z", 3 * HOUR),
        ("1970-01-01T03:00:00+01:00", 2 * HOUR),
    ],
)
def test_times_are_points_or_durations_ago(text: str, time: int) -> None:
    assert replace(NONE, since=text).wanted(10 * HOUR) == Wanted(since=time)
    assert replace(NONE, until=text).wanted(10 * HOUR) == Wanted(until=time)


def test_all_times_that_cannot_be_read_are_told() -> None:
    with pytest.raises(ConfigError) as told:
        replace(NONE, since="yesterday", until="2026-03-02T09:00:00").wanted(0)
    assert [problem.partition(":")[0] for problem in told.value.problems] == ["--since", "--until"]
