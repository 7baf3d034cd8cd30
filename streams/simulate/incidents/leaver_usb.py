"""Somebody who has given notice copies exported files to a USB stick."""

from __future__ import annotations

from streams.simulate.clients import PUBLIC
from streams.simulate.council import CLIENTS_OF_TEAM
from streams.simulate.document import document
from streams.simulate.habits import TEAMS
from streams.simulate.incidents.story import Plot, Stage, Story, bucketed, once
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.sources import case_system, windows
from streams.simulate.workdays import midnight

FILES, PEOPLE = 3, 120


def _suits(person: Person) -> bool:
    return TEAMS[person.team].care and person.notice is not None


def _plot(stage: Stage) -> Plot:
    random, actor, day = stage.random, stage.actor, stage.some_day()
    group = CLIENTS_OF_TEAM.get(actor.team, PUBLIC)
    rest = [client for client in stage.council.clients[group] if client not in actor.caseload]
    clients = [*actor.caseload, *random.sample(rest, PEOPLE - len(actor.caseload))]
    start = at(midnight(day), 12, random.randint(2, 30), random.randint(0, 59))
    records = []
    for number in range(FILES):
        part = clients[number::FILES]
        file = document(random, f"clients_part{number + 1}.xlsx", 40_000 + random.randint(0, 30_000))
        moment = start + number * 95_000_000
        path = windows.home(actor, "Downloads", file.name)
        stick = start + (900 + number * 6) * 1_000_000
        records += [
            case_system.exported(moment, actor, part, file),
            windows.created(moment + 2_000_000, actor, path, windows.BROWSER),
            windows.downloaded(moment + 2_100_000, actor, path, file),
            windows.accessed(random, stick, actor, path, windows.EXPLORER, windows.READ),
            windows.written_to_stick(random, stick + 300_000, actor, file, windows.EXPLORER),
        ]
    return Plot(bucketed(records), "removable", "USB stick", clients, restraint=once(day, clients))


STORY = Story("leaver_usb", "a leaver's USB stick", True, "page", _suits, _plot)
