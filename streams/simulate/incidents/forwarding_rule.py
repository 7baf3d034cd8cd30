"""A new inbox rule sends everything that comes in on to a private mailbox outside."""

from __future__ import annotations

from streams.simulate.incidents.story import Plot, Stage, Story, bucketed, once
from streams.simulate.moment import at
from streams.simulate.people import MANAGER, Person
from streams.simulate.sources import m365
from streams.simulate.workdays import midnight


def _suits(person: Person) -> bool:
    return person.team == "revenues" and person.role != MANAGER and not person.notice


def _plot(stage: Stage) -> Plot:
    random, actor, day = stage.random, stage.actor, stage.some_day()
    rule = {
        "AlwaysDeleteOutlookRulesBlob": "False",
        "Force": "False",
        "Name": ".",
        "ForwardTo": f"smtp:{actor.private}",
        "StopProcessingRules": "True",
    }
    moment = at(midnight(day), random.randint(9, 11), random.randint(0, 59), random.randint(0, 59))
    records = [m365.inbox_rule(random, moment, actor, rule)]
    return Plot(bucketed(records), "mail_rule", actor.private, restraint=once(day))


STORY = Story("forwarding_rule", "inbox forwarded outside", True, "ticket", _suits, _plot)
