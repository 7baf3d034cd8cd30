"""A request on the web with its reply, before a proxy logs it."""

from __future__ import annotations

from dataclasses import dataclass

from streams.simulate.document import Document


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with its reply. `sent` and `received` are bytes, headers included."""

    time: int
    method: str
    host: str
    path: str
    status: int
    sent: int
    received: int
    milliseconds: int
    mime: str
    server: str
    agent: str
    file: Document | None = None
