"""The people whom the council looks after: the data subjects."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

ADULTS, CHILDREN, PUBLIC = "adults", "children", "public"
_SHARES = ((ADULTS, 0.55), (CHILDREN, 0.30), (PUBLIC, 0.15))
_WITH_NHS_NUMBER = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A person known to the case system.

    `person` is the id by which every source knows them: an NHS number, if any, else the council's own.
    """

    person: str
    record: str
    group: str
    categories: tuple[str, ...]
    vulnerable: bool

    def entry(self) -> dict[str, object]:
        """Give the client as the case system's audit lists them."""
        return {
            "record": self.record,
            "person": self.person,
            "categories": list(self.categories),
            "vulnerable": self.vulnerable,
        }


def register(random: Random, count: int) -> list[Client]:
    """Make so many clients; no two share an id."""
    clients = []
    taken: set[str] = set()
    for index in range(count):
        group = _group(index / count)
        clients.append(
            Client(
                person=_nhs_number(random, taken)
                if random.random() < _WITH_NHS_NUMBER
                else f"P-{1_000_000 + index * 3 + random.randint(0, 2)}",
                record=f"CR-{200_000 + index * 2 + random.randint(0, 1)}",
                group=group,
                categories=_categories(random, group),
                vulnerable=random.random() < 0.85 if group == ADULTS else group == CHILDREN,
            )
        )
    return clients


def _group(place: float) -> str:
    for group, share in _SHARES:
        place -= share
        if place < 0:
            return group
    return PUBLIC


def _categories(random: Random, group: str) -> tuple[str, ...]:
    if group == ADULTS:
        return ("care", "contact", "financial") if random.random() < 0.5 else ("care", "contact")
    return ("care", "child") if group == CHILDREN else ("health", "contact")


def _nhs_number(random: Random, taken: set[str]) -> str:
    """Make an NHS number of those beginning with 999, which are for tests and belong to nobody.

    The check digit makes the weighted sum a multiple of 11 (NHS Data Dictionary, "NHS NUMBER").
    """
    while True:
        digits = f"999{random.randrange(1_000_000):06}"
        check = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=True)) % 11
        number = f"{digits}{check}"
        if check < 10 and number not in taken:
            taken.add(number)
            return number
