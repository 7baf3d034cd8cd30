"""Look-alike: the payroll service mails each employee their own payslip, to the mailbox at home."""

from __future__ import annotations

from datetime import date

from streams.simulate import mail
from streams.simulate.document import document
from streams.simulate.incidents.story import Plot, Stage, Story
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.workdays import midnight


def _suits(person: Person) -> bool:
    return person.id == "svc-payroll"


def _plot(stage: Stage) -> Plot:
    payday = stage.some_day()
    paid = [person for person in stage.council.staff if person.private_known]

    def on(day: date) -> list[Record]:
        if day != payday:
            return []
        random = stage.council.random("payroll_run", day)
        start = at(midnight(day), 7)
        records: list[Record] = []
        for place, person in enumerate(paid):
            file = document(random, f"payslip_{day:%Y%m}_{person.number}.pdf", random.randint(38_000, 44_000))
            moment = start + place * 700_000
            about = f"Your payslip {day:%B %Y}"
            records += mail.sent_outside(random, stage.actor, moment, [person.private], about, [file])
        return records

    return Plot(on, "email", "staff's private mailboxes", people=[person.number for person in paid])


STORY = Story("payroll_run", "payslips, one to each employee", False, "none", _suits, _plot)
