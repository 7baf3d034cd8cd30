"""The council's staff and its service accounts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from streams.simulate.clients import Client
from streams.simulate.habits import (
    LEAST_PEOPLE,
    MANAGERS,
    PRIVATE_ADDRESS_KNOWN,
    ROAMING,
    TEAMS,
    UNDER_NOTICE,
    Habits,
)
from streams.simulate.names import FIRST_NAMES, SURNAMES, WEBMAIL

DOMAIN = "northmoor.example"
WINDOWS_DOMAIN = "COUNTY"
MANAGER = "team manager"
_CERTAIN = 3
_LEAST_IN_TEAM = LEAST_PEOPLE // len(TEAMS)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """An employee or a service account. `id` is the canonical one, the account's name.

    `caseload` are the clients in their care. `private` is the mailbox at home, known to the council or not.
    """

    id: str
    number: str
    name: str
    email: str
    team: str
    role: str
    host: str
    ip: str
    sid: str
    private: str
    private_known: bool = True
    roaming: bool = False
    service: bool = False
    notice: date | None = None
    leaves: date | None = None
    caseload: tuple[Client, ...] = field(default=())

    @property
    def habits(self) -> Habits:
        """What their team does in a day."""
        return TEAMS[self.team]

    @property
    def carer(self) -> bool:
        """Whether they have a caseload of their own."""
        return bool(self.caseload)

    @property
    def exempt(self) -> bool:
        """Whether their work goes beyond a caseload: managers, advisers, reviewers, services."""
        return self.service or not self.caseload


SERVICES = {
    "svc-backup": ("backup service", "it", "backup"),
    "svc-payroll": ("payroll service", "payroll and hr", "payroll"),
    "svc-transfer": ("data exchange service", "adult social care", "data.exchange"),
    "svc-newsletter": ("newsletter service", "it", "newsletter"),
    "svc-casework": ("case system notifications", "it", "case.system"),
}
"""Service accounts: role, owning team, mailbox."""


def hire(random: Random, people: int, start: date) -> list[Person]:
    """Make the staff, team by team, a team's managers first. A team that cares has a leaver."""
    staff: list[Person] = []
    taken: set[str] = set()
    for team, size in _sizes(people).items():
        habits = TEAMS[team]
        managers = max(1, size // MANAGERS)
        for place in range(size):
            role = MANAGER if place < managers else habits.roles[(place - managers) % len(habits.roles)]
            person = _person(random, len(staff), team, role, taken)
            # The first workers of each team are as the stories need them, however small the team is.
            worker = place - managers
            if worker == 0:
                person = replace(person, private_known=True)
            leaving = worker == 1 if worker < _CERTAIN else random.random() < UNDER_NOTICE
            if leaving and (habits.care or worker >= _CERTAIN):
                notice = start - timedelta(random.randint(3, 20))
                person = replace(person, notice=notice, leaves=notice + timedelta(60))
            staff.append(person)
    return staff


def services(start: int) -> list[Person]:
    """Make the service accounts; `start` is the number of the first."""
    return [
        Person(
            id=account,
            number=f"E-{900_000 + index}",
            name=role,
            email=f"{mailbox}@{DOMAIN}",
            team=team,
            role=role,
            host=f"SRV-{account[4:].upper()}",
            ip=f"10.20.0.{40 + index}",
            sid=_sid(start + index),
            private="",
            private_known=False,
            service=True,
        )
        for index, (account, (role, team, mailbox)) in enumerate(SERVICES.items())
    ]


def _person(random: Random, index: int, team: str, role: str, taken: set[str]) -> Person:
    first, last = random.choice(FIRST_NAMES), random.choice(SURNAMES)
    account = _free(f"{first[0]}{last}".lower(), taken)
    suffix = account[len(first[0] + last) :]
    private = f"{first}.{last}{random.randint(60, 99)}{suffix}@{random.choice(WEBMAIL)}".lower()
    return Person(
        id=account,
        number=f"E-{100_000 + index * 7 + random.randint(0, 6)}",
        name=f"{first} {last}",
        email=f"{first}.{last}{suffix}@{DOMAIN}".lower(),
        team=team,
        role=role,
        host=f"WS-{index + 1:05}",
        ip=f"10.{40 + index // 60_000}.{index // 240 % 250}.{index % 240 + 10}",
        sid=_sid(index),
        private=private,
        private_known=random.random() < PRIVATE_ADDRESS_KNOWN,
        roaming=random.random() < ROAMING,
    )


def _free(account: str, taken: set[str]) -> str:
    found, number = account, 1
    while found in taken:
        number += 1
        found = f"{account}{number}"
    taken.add(found)
    return found


def _sid(index: int) -> str:
    return f"S-1-5-21-1004336348-1177238915-682003330-{20_000 + index}"


def _sizes(people: int) -> dict[str, int]:
    """Share the staff out among the teams by largest remainders, with a few at least in each."""
    spare = people - _LEAST_IN_TEAM * len(TEAMS)
    exact = {team: habits.share * spare for team, habits in TEAMS.items()}
    sizes = {team: _LEAST_IN_TEAM + int(size) for team, size in exact.items()}
    by_remainder = sorted(TEAMS, key=lambda team: exact[team] % 1, reverse=True)
    for team in by_remainder[: people - sum(sizes.values())]:
        sizes[team] += 1
    return sizes
