r"""Who is behind an event: one id for `ESSEX\jsmith`, `jsmith@essex.gov.uk` and `jsmith`.

Where the directory knows a spelling, its id is the actor's. Otherwise the normal form is: lower case; a
domain prefix dropped; a mail domain dropped if it is internal, else the full address; a SID as it is. A
spelling with a domain that the directory does not list keeps it where the bare name is somebody else's there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from streams.enrich.directory import Directory, Person
from streams.event import NANOSECONDS, Fields, Value, first
from streams.memo import ENTRIES, LONGEST

_SID = re.compile(r"S-1-[0-9]{1,3}(-[0-9]{1,20}){1,15}", re.IGNORECASE)
_SERVICE_SIDS = re.compile(r"S-1-5-(7|18|19|20|(80|90|96)(-[0-9]{1,20})*)", re.IGNORECASE)
"""Well-known SIDs of services: https://learn.microsoft.com/windows-server/identity/ad-ds/manage/understand-security-identifiers."""
_SERVICE_DOMAINS = frozenset({"nt authority", "nt service", "window manager", "font driver host"})
_SERVICE_NAMES = frozenset(
    {"system", "local service", "network service", "anonymous logon", "dlpagent", "app@sharepoint"}
)
_DAY = 24 * 3600 * NANOSECONDS
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is `person`, `service`, or `machine` where a source knows no more than an address."""

    id: str
    kind: str
    person: Person | None = None

    def fields(self, day: dt.date) -> Fields:
        """Give the fields of docs/architecture.md as they stand on that day."""
        fields: Fields = {
            "outfall.actor.id": self.id,
            "outfall.actor.kind": self.kind,
            "outfall.actor.known": self.person is not None,
        }
        if self.person is not None:
            fields["outfall.actor.leaver"] = self.person.leaving(day)
            if self.person.team is not None:
                fields["outfall.actor.team"] = self.person.team
            if self.person.role is not None:
                fields["outfall.actor.role"] = self.person.role
            if self.person.leaver_date is not None:
                fields["outfall.actor.leaves"] = self.person.leaver_date.isoformat()
        return fields


class Actors:
    """Finds the actor of an event; `internal` tells whether a mail domain is one of our own."""

    def __init__(self, directory: Directory, internal: Callable[[str], bool]) -> None:
        self._directory = directory
        self._internal = internal
        self._remembered = lru_cache(maxsize=ENTRIES)(self._meant)

    def of(self, fields: Fields) -> Actor | None:
        """Give the actor, or None where the event names nobody.

        That is the user; for mail the user who logged in to send it, else the sender; on the web, where
        the proxy asks for no names, the machine.
        """
        user, channel = self._account(fields), fields.get("outfall.channel")
        if channel == "email":
            sender = self.spelled(_text(fields.get("email.from.address")) or "")
            inbound = first(fields.get("email.direction")) == "inbound"
            found = [sender, user] if inbound else [user, sender]
            actors = [actor for actor in found if actor is not None]
            return min(actors, key=_mere_service, default=None)
        if user is None and channel == "web" and (ip := _text(fields.get("source.ip"))):
            return Actor(f"ip:{ip.lower()}", "machine")
        return user

    def spelled(self, spelling: str) -> Actor | None:
        """Give the actor whom one spelling means: account, address, bare name or SID; None for blank text."""
        text = spelling.strip()
        if "@" in text:
            return self._one(None, None, text, None)
        domain, slash, name = text.partition("\\")
        return self._one(name, domain, None, None) if slash else self._one(text, None, None, None)

    def _account(self, fields: Fields) -> Actor | None:
        name, domain = _text(fields.get("user.name")), _text(fields.get("user.domain"))
        email, identity = _text(fields.get("user.email")), _text(fields.get("user.id"))
        if len(name or "") + len(domain or "") + len(email or "") + len(identity or "") > LONGEST:
            return self._meant(name, domain, email, identity)
        return self._remembered(name, domain, email, identity)

    def _meant(
        self, name: str | None, domain: str | None, email: str | None, identity: str | None
    ) -> Actor | None:
        if name is not None and "\\" in name:
            domain, _, name = name.partition("\\")
        if name is not None and "@" in name and name.lower() not in _SERVICE_NAMES:
            name, email = None, email or name
        return self._one(name, domain, email, identity)

    def _one(
        self, name: str | None, domain: str | None, email: str | None, identity: str | None
    ) -> Actor | None:
        """Try each spelling in the directory, then take the normal form of the first."""
        name, domain, email = ((part or "").strip().lower() for part in (name, domain, email))
        sid = (identity or "").strip()
        if name and _SID.fullmatch(name):
            name, sid = "", name.upper()
        person = self._known(name, domain, email, sid.lower())
        if person is not None:
            return Actor(person.id, "service" if person.service_account else "person", person)
        form = self._normal(name, domain, email, sid)
        if not form:
            return None
        service = (
            name.endswith("$")
            or name in _SERVICE_NAMES
            or domain in _SERVICE_DOMAINS
            or _SERVICE_SIDS.fullmatch(sid) is not None
        )
        return Actor(form, "service" if service else "person")

    def _known(self, name: str, domain: str, email: str, identity: str) -> Person | None:
        """Find the person; an account of a domain that the directory does not list is nobody there."""
        found = self._directory.exact(email) if email else None
        if found is None and email:
            local, _, mail_domain = email.rpartition("@")
            found = self._directory.bare(local) if self._internal(mail_domain) else None
        if found is None and name and domain:
            found = self._directory.qualified(domain, name)
        elif found is None and name:
            found = self._directory.bare(name)
        return found or (self._directory.exact(identity) if identity else None)

    def _normal(self, name: str, domain: str, email: str, identity: str) -> str:
        if email:
            local, _, mail_domain = email.rpartition("@")
            bare = local if local and self._internal(mail_domain) else ""
            return bare if bare and not self._directory.knows(bare) else email
        if name:
            return f"{domain}\\{name}" if domain and self._directory.knows(name) else name
        return identity if _SID.fullmatch(identity) else identity.lower()


def _mere_service(actor: Actor) -> bool:
    return actor.person is None and actor.kind == "service"


def day_of(time: int) -> dt.date:
    """Give the day, in UTC, of a time in nanoseconds since the epoch."""
    return _day(time // _DAY)


@lru_cache(maxsize=64)
def _day(number: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=number)


def _text(value: Value) -> str | None:
    """Give a field's first value as text; None for null, blank, and `-`, many logs' word for nothing."""
    if value is None:
        return None
    item = first(value)
    text = "" if item is None or isinstance(item, bool) else str(item).strip()
    return text if text not in ("", "-") else None
