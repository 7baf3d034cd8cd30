"""What machines do by themselves every day, besides the routine stories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from streams.simulate import mail
from streams.simulate.council import Council
from streams.simulate.document import document
from streams.simulate.moment import at
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import m365, postfix
from streams.simulate.workdays import is_working_day, midnight

_MAILBOX_CHANGES = 0.02
_FRIDAY = 4


def routines(council: Council, day: date, at_work: Sequence[Person]) -> list[Record]:
    """Mail each care worker a list of tasks, the pension fund its members; change a few mailboxes."""
    random = council.random("services", day)
    account = council.services["svc-casework"]
    start = at(midnight(day), 7, 30)
    records: list[Record] = []
    for person in at_work:
        if person.carer:
            moment = start + random.randint(0, 1_200) * 1_000_000
            records += postfix.relayed(
                random, moment, account, [person.email], identity=mail.identity(random), size=6_310
            )
    admins = [person for person in at_work if person.team == "it"]
    for person in at_work:
        if admins and random.random() < _MAILBOX_CHANGES:
            moment = at(midnight(day), random.randint(9, 16), random.randint(0, 59))
            quota = {"ProhibitSendQuota": "50GB"}
            records.append(m365.mailbox_setting(random, moment, random.choice(admins), person.email, quota))
    if is_working_day(day) and day.weekday() == _FRIDAY:
        fund = next(partner for partner in council.partners if "pension" in partner.domain)
        file = document(random, f"contributions_{day:%Y%m%d}.csv", 210 * len(council.staff))
        box, moment = f"{fund.mailboxes[0]}@{fund.domain}", at(midnight(day), 11, 15)
        sender = council.services["svc-payroll"]
        records += mail.sent_outside(random, sender, moment, [box], "Contributions", [file])
    return records
