"""Look-alike, every working day: the data exchange uploads a discharge list to a partner's portal."""

from __future__ import annotations

from datetime import date

from streams.simulate import web
from streams.simulate.clients import ADULTS
from streams.simulate.document import document
from streams.simulate.incidents.story import Plot, Stage, Story
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import case_system
from streams.simulate.workdays import is_working_day, midnight


def _suits(person: Person) -> bool:
    return person.id == "svc-transfer"


def _plot(stage: Stage) -> Plot:
    partner = stage.council.partners_for(ADULTS)[0]

    def on(day: date) -> list[Record]:
        if not is_working_day(day):
            return []
        random = stage.council.random("data_exchange", day)
        clients = random.sample(stage.council.clients[ADULTS], random.randint(35, 80))
        file = document(random, f"discharge_{day:%Y%m%d}.csv", len(clients) * 412)
        start = at(midnight(day), 5, 30)
        path = f"/inbox/{file.name}"
        upload = web.upload(random, start + 20_000_000, partner.portal, path, file.size, file, method="PUT")
        return [
            case_system.exported(start, stage.actor, clients, file),
            web.proxied(stage.actor, upload),
        ]

    return Plot(on, "web", partner.portal)


STORY = Story("data_exchange", "daily transfer by a service", False, "none", _suits, _plot, routine=True)
