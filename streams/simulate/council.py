"""The council: who works there, whom it looks after, with whom it shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from random import Random

from streams.simulate.clients import ADULTS, CHILDREN, PUBLIC, Client, register
from streams.simulate.habits import CASELOAD, CLIENTS_A_HEAD, LEAST_CLIENTS
from streams.simulate.partners import Partner, partners
from streams.simulate.people import MANAGER, Person, hire, services

CLIENTS_OF_TEAM = {"adult social care": ADULTS, "children's services": CHILDREN, "public health": PUBLIC}


@dataclass(frozen=True, slots=True, eq=False)
class Council:
    """Everything that stays the same from day to day. `seed` is what it was made from."""

    seed: int
    staff: tuple[Person, ...]
    services: dict[str, Person]
    clients: dict[str, tuple[Client, ...]]
    partners: tuple[Partner, ...]

    def team(self, name: str) -> list[Person]:
        """Give a team's staff."""
        return [person for person in self.staff if person.team == name]

    def partners_for(self, group: str) -> list[Partner]:
        """Give the partners that may get data about a group of clients."""
        return [partner for partner in self.partners if group in partner.groups]

    def random(self, *purpose: object) -> Random:
        """Give a generator for one purpose, so that no purpose disturbs another's numbers."""
        return Random("/".join(str(part) for part in (self.seed, *purpose)))  # noqa: S311 - wants repetition


def found(seed: int, people: int, start: date) -> Council:
    """Make the council of a seed with so many employees, as it stands on its first day."""
    random = Random(f"{seed}/council")  # noqa: S311 - wants repetition
    clients = register(random, max(LEAST_CLIENTS, CLIENTS_A_HEAD * people))
    grouped = {
        group: tuple(client for client in clients if client.group == group)
        for group in (ADULTS, CHILDREN, PUBLIC)
    }
    staff = hire(random, people, start)
    return Council(
        seed=seed,
        staff=tuple(_with_caseloads(random, staff, grouped)),
        services={account.id: account for account in services(len(staff))},
        clients=grouped,
        partners=tuple(partners(start, people)),
    )


def _with_caseloads(
    random: Random, staff: list[Person], clients: dict[str, tuple[Client, ...]]
) -> list[Person]:
    """Give every care worker clients, round and round, so that some have two workers.

    Managers have none, nor have reviewing officers and analysts, whose work is across all cases.
    """
    next_client = dict.fromkeys(clients, 0)
    shuffled = {group: random.sample(members, len(members)) for group, members in clients.items()}
    given = []
    for person in staff:
        group = CLIENTS_OF_TEAM.get(person.team)
        if group is None or person.role in (MANAGER, "reviewing officer", "analyst"):
            given.append(person)
            continue
        members, first = shuffled[group], next_client[group]
        size = random.randint(*CASELOAD)
        own = tuple(members[(first + place) % len(members)] for place in range(size))
        next_client[group] = first + size
        given.append(replace(person, caseload=own))
    return given
