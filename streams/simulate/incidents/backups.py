"""Look-alike, every night: backups of gigabytes go to the processor that keeps them."""

from __future__ import annotations

from datetime import date

from streams.simulate import web
from streams.simulate.incidents.story import Plot, Stage, Story
from streams.simulate.moment import at
from streams.simulate.partners import BACKUP_HOST
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.workdays import midnight

_PARTS = 24


def _suits(person: Person) -> bool:
    return person.id == "svc-backup"


def _plot(stage: Stage) -> Plot:
    def on(day: date) -> list[Record]:
        random = stage.council.random("backups", day)
        start = at(midnight(day), 1)
        records = []
        for part in range(_PARTS):
            moment = start + part * 290_000_000 + random.randint(0, 60_000_000)
            path, size = f"/snapshots/{day:%Y%m%d}/part-{part:03}", random.randint(400_000_000, 1_900_000_000)
            records.append(
                web.proxied(stage.actor, web.upload(random, moment, BACKUP_HOST, path, size, method="PUT"))
            )
        return records

    return Plot(on, "web", BACKUP_HOST)


STORY = Story("backups", "nightly backups", False, "none", _suits, _plot, routine=True)
