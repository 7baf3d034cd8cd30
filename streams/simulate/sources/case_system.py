"""The case system's audit, as docs/formats/case_system.md defines it. The writer numbers the entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from streams.simulate.clients import Client
from streams.simulate.document import Document
from streams.simulate.moment import to_millisecond
from streams.simulate.people import WINDOWS_DOMAIN, Person
from streams.simulate.record import Record

UNNUMBERED = b'"id":""'
"""An entry's id as it stands in its JSON before the writer counts it."""


def entry(
    time: int, person: Person, action: str, clients: Iterable[Client], file: Document | None = None
) -> Record:
    """Make one entry: an action on the records of some clients, and the file that came of it."""
    body: dict[str, Any] = {
        "time": f"{to_millisecond(time)}Z",
        "id": "",
        "actor": {"account": f"{WINDOWS_DOMAIN}\\{person.id}", "email": person.email},
        "client": {"ip": person.ip, "host": person.host},
        "action": action,
        "outcome": "success",
        "records": [client.entry() for client in clients],
    }
    if file is not None:
        body["file"] = {"name": file.name, "size": file.size, "sha256": file.sha256}
    return Record(time, "case_system", body)


def opened(time: int, person: Person, client: Client) -> Record:
    """Somebody looks at one client's record."""
    return entry(time, person, "record.opened", (client,))


def updated(time: int, person: Person, client: Client) -> Record:
    """Somebody writes into one client's record."""
    return entry(time, person, "record.updated", (client,))


def searched(time: int, person: Person, hits: Sequence[Client]) -> Record:
    """Somebody searches, and a list of clients shows."""
    return entry(time, person, "search", hits)


def exported(time: int, person: Person, clients: Sequence[Client], file: Document) -> Record:
    """Somebody writes records into a file."""
    return entry(time, person, "record.exported", clients, file)


def printed(time: int, person: Person, client: Client) -> Record:
    """Somebody prints a record out of the case system."""
    return entry(time, person, "record.printed", (client,))
