"""Look-alike: a manager opens a hundred and eighty records for a quarterly review; nothing leaves."""

from __future__ import annotations

from streams.simulate.clients import CHILDREN
from streams.simulate.incidents.story import Plot, Stage, Story, bucketed, once
from streams.simulate.moment import at, working_moments
from streams.simulate.people import MANAGER, Person
from streams.simulate.sources import case_system
from streams.simulate.workdays import midnight

PEOPLE = 180


def _suits(person: Person) -> bool:
    return person.team == "children's services" and person.role == MANAGER


def _plot(stage: Stage) -> Plot:
    random, actor, day = stage.random, stage.actor, stage.some_day()
    clients = random.sample(stage.council.clients[CHILDREN], PEOPLE)
    moments = working_moments(random, at(midnight(day), 0), 9, 16, PEOPLE)
    records = [
        case_system.opened(moment, actor, client) for moment, client in zip(moments, clients, strict=True)
    ]
    return Plot(bucketed(records), "case_system", "", clients, restraint=once(day))


STORY = Story("bulk_review", "a manager's quarterly review", False, "none", _suits, _plot)
