"""Four hundred vulnerable adults' records, exported and mailed to one's own mailbox at home."""

from __future__ import annotations

from streams.simulate import mail
from streams.simulate.clients import ADULTS
from streams.simulate.document import document
from streams.simulate.incidents.story import Plot, Stage, Story, bucketed, once
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.sources import case_system, windows
from streams.simulate.workdays import midnight

PEOPLE = 400


def _suits(person: Person) -> bool:
    return person.team == "adult social care" and person.carer and person.private_known and not person.notice


def _plot(stage: Stage) -> Plot:
    random, actor, day = stage.random, stage.actor, stage.some_day()
    # The day's other work is on the worker's own clients among these, so that it adds nobody.
    own = [client for client in actor.caseload if client.vulnerable]
    rest = [
        client
        for client in stage.council.clients[ADULTS]
        if client.vulnerable and client not in actor.caseload
    ]
    clients = own + random.sample(rest, PEOPLE - len(own))
    file = document(random, "care_review.xlsx", 48_231)
    start = at(midnight(day), random.randint(14, 15), random.randint(2, 40), random.randint(0, 59))
    path = windows.home(actor, "Downloads", file.name)
    records = [
        case_system.exported(start, actor, clients, file),
        windows.created(start + 2_000_000, actor, path, windows.BROWSER),
        windows.downloaded(start + 2_100_000, actor, path, file),
        *mail.sent_outside(random, actor, start + 410_000_000, [actor.private], "notes for tomorrow", [file]),
    ]
    return Plot(bucketed(records), "email", actor.private, clients, restraint=once(day, own))


STORY = Story("mail_home", "export mailed to the own private mailbox", True, "page", _suits, _plot)
