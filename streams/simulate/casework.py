"""A care worker's day in the case system: opening, searching, writing, sometimes exporting a few records."""

from __future__ import annotations

from random import Random

from streams.simulate import habits, mail
from streams.simulate.clients import Client
from streams.simulate.council import CLIENTS_OF_TEAM, Council
from streams.simulate.document import document, size
from streams.simulate.moment import MINUTE
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import case_system, windows

_SEARCHED = 0.25
_UPDATED = 0.4
_PRINTED = 0.05
_MAILED = 0.6


def work(
    random: Random,
    council: Council,
    person: Person,
    moments: list[int],
    *,
    only: tuple[Client, ...] | None,
    prints: bool,
) -> list[Record]:
    """Open a case at each moment. Where `only` some clients are allowed, nothing is exported either."""
    if only is not None:
        chosen = [(moment, random.choice(only)) for moment in moments if only]
        return [
            line
            for moment, client in chosen
            for line in _looked_at(random, person, moment, client, prints=prints)
        ]
    records: list[Record] = []
    pool = _others(council, person)
    on_duty = random.random() < habits.ON_DUTY
    spare = habits.MOST_OUTSIDE
    duty = set(random.sample(range(len(moments)), min(len(moments), random.randint(*habits.DUTY_CASES))))
    for place, moment in enumerate(moments):
        other = random.random() < habits.CURIOUS or (on_duty and place in duty)
        if other and spare and person.carer:
            client = random.choice(pool)
            spare -= 1
        else:
            client = random.choice(person.caseload or pool)
        records += _looked_at(random, person, moment, client, prints=prints)
    if moments and person.carer:
        records += _small_exports(random, council, person, moments[-1] + MINUTE)
    return records


def _others(council: Council, person: Person) -> tuple[Client, ...]:
    group = CLIENTS_OF_TEAM.get(person.team)
    if group is not None:
        return council.clients[group]
    return tuple(client for members in council.clients.values() for client in members[:400])


def _looked_at(random: Random, person: Person, moment: int, client: Client, *, prints: bool) -> list[Record]:
    records = [case_system.opened(moment, person, client)]
    if random.random() < _SEARCHED:
        records.append(case_system.searched(moment - random.randint(4, 40) * 1_000_000, person, (client,)))
    if random.random() < _UPDATED:
        records.append(case_system.updated(moment + random.randint(30, 400) * 1_000_000, person, client))
    if prints and random.random() < _PRINTED:
        later = moment + random.randint(20, 90) * 1_000_000
        records.append(case_system.printed(later, person, client))
        pages = random.randint(1, 6)
        records.append(
            windows.printed(
                random, later + 2_000_000, person, f"{client.record} summary", pages * 48_000, pages
            )
        )
    return records


def _small_exports(random: Random, council: Council, person: Person, moment: int) -> list[Record]:
    """Send one to four people's records to a partner; very rarely one to a client's own mailbox."""
    records: list[Record] = []
    if random.random() < habits.SMALL_EXPORT:
        clients = random.sample(person.caseload, random.randint(1, 4))
        name = f"{clients[0].record}_{random.choice(('careplan', 'referral', 'assessment'))}.pdf"
        file = document(random, name, size(random, 90_000))
        records.append(case_system.exported(moment, person, clients, file))
        partners = council.partners_for(clients[0].group)
        if random.random() < _MAILED:
            partner = random.choice(partners)
            box = f"{random.choice(partner.mailboxes)}@{partner.domain}"
            records += mail.sent_outside(
                random, person, moment + 3 * MINUTE, [box], mail.subject(random), [file]
            )
    if random.random() < habits.MAIL_TO_FAMILY:
        client = random.choice(person.caseload)
        file = document(random, f"{client.record}_careplan.pdf", size(random, 90_000))
        records.append(case_system.exported(moment + 6 * MINUTE, person, (client,), file))
        family = mail.stranger(random).partition("@")[0] + "@gmail.com"
        records += mail.sent_outside(random, person, moment + 9 * MINUTE, [family], "Your care plan", [file])
    return records
