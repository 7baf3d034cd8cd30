"""An export zipped, renamed to look like a picture, and uploaded to cloud storage."""

from __future__ import annotations

from streams.simulate import web
from streams.simulate.clients import CHILDREN
from streams.simulate.document import document
from streams.simulate.incidents.story import Plot, Stage, Story, bucketed, once
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.sources import case_system, windows
from streams.simulate.workdays import midnight

PEOPLE = 180
_SITE = "mega.nz"


def _suits(person: Person) -> bool:
    return person.team == "children's services" and person.carer and not person.notice


def _plot(stage: Stage) -> Plot:
    random, actor, day = stage.random, stage.actor, stage.some_day()
    rest = [client for client in stage.council.clients[CHILDREN] if client not in actor.caseload]
    clients = [*actor.caseload, *random.sample(rest, PEOPLE - len(actor.caseload))]
    export = document(random, "q3_placements.xlsx", 231_904)
    packed = document(random, "q3_placements.zip", 142_377)
    picture = document(random, "IMG_2041.jpg", packed.size)
    start = at(midnight(day), 13, random.randint(5, 50), random.randint(0, 59))
    downloads = windows.home(actor, "Downloads", export.name)
    zipped = windows.home(actor, "Downloads", packed.name)
    # Moving a file to another volume is a copy and a deletion, which Windows both logs.
    moved = rf"D:\{picture.name}"
    later = [start + seconds * 1_000_000 for seconds in (2, 190, 191, 260, 261, 420, 424)]
    records = [
        case_system.exported(start, actor, clients, export),
        windows.created(later[0], actor, downloads, windows.BROWSER),
        windows.downloaded(later[0] + 90_000, actor, downloads, export),
        windows.accessed(random, later[1], actor, downloads, windows.ZIPPER, windows.READ),
        windows.created(later[2], actor, zipped, windows.ZIPPER),
        windows.created(later[3], actor, moved, windows.EXPLORER),
        windows.accessed(random, later[4], actor, zipped, windows.EXPLORER, windows.DELETE),
        windows.accessed(random, later[5], actor, moved, windows.BROWSER, windows.READ),
        web.proxied(actor, web.upload(random, later[6], _SITE, "/upload/ul/9c1f", picture.size, picture)),
    ]
    return Plot(bucketed(records), "web", _SITE, clients, restraint=once(day, clients))


STORY = Story("zip_upload", "export zipped, renamed and uploaded", True, "page", _suits, _plot)
