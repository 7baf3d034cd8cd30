"""Web traffic: what a browser does, whichever proxy then logs it."""

from __future__ import annotations

from random import Random

from streams.simulate.document import Document, everyday
from streams.simulate.exchange import Exchange
from streams.simulate.names import AGENTS, SITES, TOPICS, UPLOAD_SITES, WEBMAIL
from streams.simulate.people import Person
from streams.simulate.record import Record
from streams.simulate.sources import m365, squid, zscaler

_TYPES = ("text/html", "text/html", "application/json", "image/png", "text/css", "application/javascript")
_UPLOADING = 0.02
_TUNNELLED = 0.06
_DENIED = 0.01


def proxied(person: Person, exchange: Exchange) -> Record:
    """Give the line of the proxy that the person's traffic takes."""
    return zscaler.line(person, exchange) if person.roaming else squid.line(person, exchange)


def visits(random: Random, person: Person, moments: list[int], *, uploads: bool) -> list[Record]:
    """Browse at some moments; without `uploads` nothing but reading."""
    agent = AGENTS[int(person.number[2:]) % len(AGENTS)]
    return [proxied(person, _visit(random, moment, agent, uploads=uploads)) for moment in moments]


def upload(
    random: Random,
    time: int,
    host: str,
    path: str,
    size: int,
    file: Document | None = None,
    *,
    method: str = "POST",
) -> Exchange:
    """Send a body of so many bytes to a host; the request is a little longer than that."""
    return Exchange(
        time=time,
        method=method,
        host=host,
        path=path,
        status=200,
        sent=size + random.randint(480, 900),
        received=random.randint(300, 2_500),
        milliseconds=120 + size // 2_000,
        mime="application/json",
        server=_server(random),
        agent=AGENTS[0],
        file=file,
    )


def _visit(random: Random, time: int, agent: str, *, uploads: bool) -> Exchange:
    chance = random.random()
    if chance < _UPLOADING and uploads:
        host, path, mime, sizes = random.choice(UPLOAD_SITES)
        file = everyday(random) if "document" in path or "cv" in path else None
        sent = file.size + 700 if file else random.randint(*sizes)
        return Exchange(
            time, "POST", host, path, 200, sent, random.randint(200, 4_000), 90 + sent // 4_000, mime,
            _server(random), agent, file,
        )  # fmt: skip
    if chance < _UPLOADING + _TUNNELLED:
        host = random.choice(("www.high-street-bank.example", f"mail.{random.choice(WEBMAIL)}"))
        return Exchange(
            time, "CONNECT", host, "", 200, random.randint(900, 6_000), random.randint(4_000, 90_000),
            random.randint(200, 60_000), "-", _server(random), agent,
        )  # fmt: skip
    if chance > 1 - _DENIED:
        return Exchange(
            time,
            "GET",
            "play.arcade.example",
            "/",
            403,
            random.randint(350, 900),
            3_912,
            1,
            "text/html",
            "-",
            agent,
        )
    host = random.choice(SITES) if random.random() < 0.75 else f"{m365.TENANT}.sharepoint.com"
    path = f"/{random.choice(TOPICS)}/{random.choice(TOPICS)}-{random.randint(1, 900)}"
    received = min(4_000_000, int(random.lognormvariate(9, 1.4)))
    return Exchange(
        time, "GET", host, path, 200 if random.random() < 0.93 else 304, random.randint(350, 1_900), received,
        random.randint(8, 900), random.choice(_TYPES), _server(random), agent,
    )  # fmt: skip


def _server(random: Random) -> str:
    return f"203.0.113.{random.randint(1, 254)}"
