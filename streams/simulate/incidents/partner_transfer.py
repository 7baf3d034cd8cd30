"""Look-alike: three hundred people's records go to a partner, well under what the agreement allows."""

from __future__ import annotations

from streams.simulate import mail
from streams.simulate.clients import ADULTS
from streams.simulate.document import document
from streams.simulate.incidents.story import Plot, Stage, Story, bucketed, once
from streams.simulate.moment import at
from streams.simulate.people import MANAGER, Person
from streams.simulate.sources import case_system
from streams.simulate.workdays import midnight

PEOPLE = 300


def _suits(person: Person) -> bool:
    return person.team == "adult social care" and person.role == MANAGER


def _plot(stage: Stage) -> Plot:
    random, actor, day = stage.random, stage.actor, stage.some_day()
    partner = stage.council.partners_for(ADULTS)[0]
    clients = random.sample(stage.council.clients[ADULTS], PEOPLE)
    file = document(random, "winter_discharge_plan.xlsx", 61_447)
    start = at(midnight(day), 10, random.randint(5, 50), random.randint(0, 59))
    box = f"{partner.mailboxes[0]}@{partner.domain}"
    records = [
        case_system.exported(start, actor, clients, file),
        *mail.sent_outside(random, actor, start + 300_000_000, [box], "Winter discharge planning", [file]),
    ]
    return Plot(bucketed(records), "email", box, clients, restraint=once(day))


STORY = Story("partner_transfer", "transfer under an agreement", False, "none", _suits, _plot)
