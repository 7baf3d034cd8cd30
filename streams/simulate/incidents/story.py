"""What every incident and look-alike is: who plays it, what they do, and what the truth about it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random

from streams.simulate.clients import Client
from streams.simulate.council import Council
from streams.simulate.day import Restraint
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.workdays import DAY, midnight, working_days


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a story is set: the council, the one who plays it, the days of the simulation."""

    council: Council
    actor: Person
    days: list[date]
    random: Random

    def some_day(self) -> date:
        """Pick a working day for something that happens once; the first working day of a short simulation."""
        leaves = self.actor.leaves
        working = working_days([day for day in self.days if leaves is None or day <= leaves])
        return working[0] if len(working) < 3 else self.random.choice(working[1:-1])


@dataclass(frozen=True, slots=True)
class Plot:
    """What happens: each day's records, whose data they are about, what they ask of the actor's other work.

    `subjects` are the clients whose data the story is about, each once; `people` are ids of others (staff).
    """

    on: Callable[[date], Sequence[Record]]
    channel: str
    destination: str
    subjects: Sequence[Client] = ()
    people: Sequence[str] = ()
    restraint: Restraint = field(default_factory=Restraint)


@dataclass(frozen=True, slots=True)
class Story:
    """An incident or, when not `malicious`, a look-alike.

    `expect` is what outfall should make of it: `page`, `ticket` or `none`. `least_days` is how long a
    simulation it needs. A `routine` story is part of the council's life and always told.
    """

    name: str
    kind: str
    malicious: bool
    expect: str
    suits: Callable[[Person], bool]
    plot: Callable[[Stage], Plot]
    least_days: int = 1
    routine: bool = False


def bucketed(records: Sequence[Record]) -> Callable[[date], list[Record]]:
    """Give the records of each day out of all records of a short story."""

    def on(day: date) -> list[Record]:
        start = midnight(day)
        return [record for record in records if start <= record.time < start + DAY]

    return on


def once(day: date, cases: Iterable[Client] = ()) -> Restraint:
    """Ask the actor to be there on a day, to send nothing else out on it, and to open no cases but some."""
    days = frozenset({day})
    return Restraint(present=days, silent=days, cases=tuple(cases))
