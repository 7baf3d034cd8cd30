"""Look-alike, every week: the newsletter goes to thousands outside, and is about nobody."""

from __future__ import annotations

from datetime import date

from streams.simulate import mail
from streams.simulate.habits import MOST_READERS, NEWSLETTER_READERS
from streams.simulate.incidents.story import Plot, Stage, Story
from streams.simulate.moment import at
from streams.simulate.names import CORRESPONDENTS, FIRST_NAMES, SURNAMES, WEBMAIL
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import postfix
from streams.simulate.workdays import midnight, working_days

_BATCH = 50


def _suits(person: Person) -> bool:
    return person.id == "svc-newsletter"


def _plot(stage: Stage) -> Plot:
    random = stage.random
    domains = (*WEBMAIL, *CORRESPONDENTS)
    readers = [
        f"{random.choice(FIRST_NAMES)}{random.choice(SURNAMES)}{number}@{random.choice(domains)}".lower()
        for number in range(min(MOST_READERS, NEWSLETTER_READERS * len(stage.council.staff)))
    ]
    # The first working day of each week, which `reversed` leaves standing.
    weekly = {day.isocalendar()[:2]: day for day in reversed(working_days(stage.days))}

    def on(day: date) -> list[Record]:
        if day not in weekly.values():
            return []
        today = stage.council.random("newsletter", day)
        start = at(midnight(day), 10)
        records: list[Record] = []
        for place in range(0, len(readers), _BATCH):
            batch, moment = readers[place : place + _BATCH], start + place // _BATCH * 8_000_000
            records += postfix.relayed(
                today, moment, stage.actor, batch, identity=mail.identity(today), size=184_220
            )
        return records

    return Plot(on, "email", "readers of the newsletter")


STORY = Story("newsletter", "newsletter to thousands", False, "none", _suits, _plot, routine=True)
