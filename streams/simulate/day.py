"""One person's everyday work on one day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from streams.simulate import casework, files, mail, web
from streams.simulate.clients import Client
from streams.simulate.council import Council
from streams.simulate.habits import ABSENT
from streams.simulate.moment import working_moments
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.workdays import is_working_day, midnight

_INBOX_RULE = 0.004


@dataclass(frozen=True, slots=True)
class Restraint:
    """What a story asks of somebody's everyday work, so that its truth stays exact.

    On the days of `present` they work; on those of `silent` nothing of theirs leaves; if `cases` are given,
    they open none but these and export none.
    """

    present: frozenset[date] = field(default=frozenset())
    silent: frozenset[date] = field(default=frozenset())
    cases: tuple[Client, ...] | None = None


FREE = Restraint()


def works(council: Council, person: Person, day: date, restraint: Restraint) -> bool:
    """Tell whether somebody works on a day."""
    if person.leaves is not None and day > person.leaves:
        return False
    if day in restraint.present:
        return True
    chance = council.random("present", day, person.id).random()
    return chance > ABSENT if is_working_day(day) else chance < person.habits.weekend


def everyday(
    council: Council, person: Person, day: date, colleagues: list[Person], restraint: Restraint
) -> list[Record]:
    """Do a day's work, in no order. `colleagues` are those whom the person writes to and shares with."""
    random = council.random("day", day, person.id)
    habits, start = person.habits, midnight(day)
    silent = day in restraint.silent

    def moments(count: tuple[int, int]) -> list[int]:
        return working_moments(random, start, habits.start, habits.end, random.randint(*count))

    records = web.visits(random, person, moments(habits.web), uploads=not silent)
    if habits.cases[1]:
        worked = moments(habits.cases)
        records += casework.work(random, council, person, worked, only=restraint.cases, prints=not silent)
    for moment in moments(habits.mail_in):
        records += mail.received(random, person, moment)
    for moment in moments(habits.mail_inside):
        records += mail.inside(random, person, moment, colleagues)
    if not silent:
        for moment in moments(habits.mail_outside):
            records += mail.outside(random, person, moment)
        records += files.printing(random, person, moments(habits.prints))
    records += files.local(random, person, moments(habits.files))
    records += files.documents(random, person, moments(habits.documents), colleagues if not silent else [])
    if random.random() < _INBOX_RULE:
        records.append(files.inbox_rule(random, person, start + habits.start * 3_600_000_000))
    return records
