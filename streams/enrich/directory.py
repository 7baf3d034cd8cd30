"""The directory: who there is, under which accounts and addresses, and how a spelling leads to a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    r"""One entry of the directory. Accounts (`essex\jsmith`), emails and private addresses are in lower case.

    `private_addresses` are the person's own mailboxes and computers at home (mail addresses, hosts, IPs).
    """

    id: str
    accounts: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    team: str | None = None
    role: str | None = None
    service_account: bool = False
    notice_date: dt.date | None = None
    leaver_date: dt.date | None = None
    private_addresses: frozenset[str] = frozenset()
    caseload_exempt: bool = False

    def leaving(self, day: dt.date) -> bool:
        """Tell whether, on that day, notice had been given or the person should have left."""
        noticed = self.notice_date is not None and day >= self.notice_date
        return noticed or (self.leaver_date is not None and day >= self.leaver_date)


class Directory:
    """Finds people by any of their spellings, and only where a spelling means exactly one of them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.by_id: dict[str, Person] = {}
        self._exact: dict[str, Person | None] = {}
        self._anywhere: dict[str, Person | None] = {}
        self._bare: dict[str, Person | None] = {}
        self._locals: dict[str, Person | None] = {}
        for person in people:
            self.by_id[person.id] = person
            for spelling in spellings(person):
                _note(self._exact, spelling, person)
            for account in person.accounts:
                domain, slash, name = account.partition("\\")
                if slash:
                    _note(self._exact, f"{domain.partition('.')[0]}\\{name}", person)
                    _note(self._bare, name, person)
                elif "@" not in account:
                    _note(self._anywhere, account, person)
            for email in person.emails:
                _note(self._locals, email.rpartition("@")[0], person)

    def exact(self, spelling: str) -> Person | None:
        """Find by id, account or address, in lower case."""
        return self._exact.get(spelling)

    def qualified(self, domain: str, name: str) -> Person | None:
        """Find by an account with its domain; one that the directory lists without a domain is of any."""
        return (
            self._exact.get(f"{domain}\\{name}")
            or self._exact.get(f"{domain.partition('.')[0]}\\{name}")
            or self._exact.get(f"{name}@{domain}")
            or self._anywhere.get(name)
        )

    def bare(self, name: str) -> Person | None:
        """Find by a name without domain: an account's, else what stands before the @ of an address."""
        for index in (self._exact, self._bare, self._locals):
            if name in index:
                return index[name]
        return None

    def knows(self, name: str) -> bool:
        """Tell whether a name without domain is anybody's, be it of several."""
        return name in self._exact or name in self._bare or name in self._locals


def spellings(person: Person) -> Iterator[str]:
    """Give each way in which the directory itself writes a person, in lower case."""
    yield person.id.lower()
    yield from person.accounts
    yield from person.emails


def _note(index: dict[str, Person | None], key: str, person: Person) -> None:
    index[key] = person if index.get(key, person) is person else None
