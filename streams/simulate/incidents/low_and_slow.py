"""Thirty records a day on twenty working days, exported and mailed to a webmail address that nobody knows."""

from __future__ import annotations

from datetime import date

from streams.simulate import mail
from streams.simulate.clients import CHILDREN, Client
from streams.simulate.day import Restraint
from streams.simulate.document import document
from streams.simulate.incidents.story import Plot, Stage, Story
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import case_system
from streams.simulate.workdays import is_weekend, midnight

A_DAY, DAYS = 30, 20
_DESTINATION = "archive.boxroom71@gmail.com"


def _suits(person: Person) -> bool:
    return person.role == "reviewing officer" and not person.notice


def _plot(stage: Stage) -> Plot:
    clients = stage.random.sample(stage.council.clients[CHILDREN], A_DAY * DAYS)
    weekdays = [day for day in stage.days if not is_weekend(day)][:DAYS]
    share = {day: clients[place * A_DAY : (place + 1) * A_DAY] for place, day in enumerate(weekdays)}

    def on(day: date) -> list[Record]:
        return _evening(stage, day, share[day]) if day in share else []

    return Plot(
        on,
        "email",
        _DESTINATION,
        clients,
        restraint=Restraint(present=frozenset(weekdays), cases=tuple(clients)),
    )


def _evening(stage: Stage, day: date, clients: list[Client]) -> list[Record]:
    random = stage.council.random("low_and_slow", day)
    start = at(midnight(day), 16, random.randint(5, 50), random.randint(0, 59))
    file = document(random, f"reviews_{day:%d%m}.xlsx", random.randint(9_000, 14_000))
    return [
        case_system.exported(start, stage.actor, clients, file),
        *mail.sent_outside(random, stage.actor, start + 240_000_000, [_DESTINATION], "reviews", [file]),
    ]


STORY = Story("low_and_slow", "a few exports a day to webmail", True, "page", _suits, _plot, least_days=28)
