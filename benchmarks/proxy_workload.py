"""A council's web traffic as two proxies log it, of a fixed seed, for `live_path.py`.

Hundreds of people, thousands of hosts of which a few have most of the requests, mostly GETs, some uploads and
tunnels; `RATE` requests a second. Addresses of pages are seldom seen twice. Now and then a page bears the
word that a generated rule of `workload` is about.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate

import orjson
import workload

from streams.event import Origin, RawRecord
from streams.simulate.council import Council
from streams.simulate.document import everyday
from streams.simulate.exchange import Exchange
from streams.simulate.moment import at, to_second
from streams.simulate.names import TOPICS, UPLOAD_SITES, WEBMAIL
from streams.simulate.people import DOMAIN, WINDOWS_DOMAIN, Person
from streams.simulate.run import START
from streams.simulate.sources import zscaler
from streams.simulate.workdays import MICROSECONDS, midnight

HOSTS = 4_000
RATE = 100
UPLOADS, TUNNELS, DENIED, INSIDE, MASKED = 0.02, 0.06, 0.01, 0.05, 0.02
"""Shares of the requests. Masked are those of which the proxy knows no user."""

_ENDINGS = ("example", "example.com", "example.net", "co.uk", "org.uk", "gov.uk", "io", "invalid")
_NAMES = ("www", "cdn", "api", "static", "img.eu", "login")
_TYPES = ("text/html;%20charset=utf-8", "application/json", "image/png", "text/css", "image/webp", "-")
_CATEGORIES = ("Business/Economy", "Technology/Internet", "News/Media", "Web Ads/Analytics", "none")
_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0"
_AGENTS = [_AGENT.format(version) + " Safari/537.36" for version in range(120, 150)]


def records(name: str, count: int, council: Council, part: int = 0) -> list[RawRecord]:
    """Give a part of a log: so many records, after a line that states its columns if the format has one."""
    head = _HEADS.get(name, b"")
    lines = [head] if head else []
    lines += [FORMATS[name](person, exchange) for person, exchange in _exchanges(count, council, part)]
    return [
        RawRecord(line, Origin("proxy", "4f9a", 500 * number, number), 1000 * _BEGIN)
        for number, line in enumerate(lines, start=part * count)
    ]


def _exchanges(count: int, council: Council, part: int) -> Iterator[tuple[Person, Exchange]]:
    """Tell requests in the order of time; each part goes on where the one before it ends."""
    source = random.Random("hosts")  # noqa: S311 - repeatable, not secret
    hosts = [_host(source, number) for number in range(HOSTS)]
    # By Zipf's law: the hundredth host has a hundredth of the requests of the first.
    weights = [*accumulate(1 / place for place in range(1, HOSTS + 1))]
    source = random.Random(f"part {part}")  # noqa: S311 - as above
    chosen = source.choices(hosts, cum_weights=weights, k=count)
    for number, (host, server) in enumerate(chosen, start=part * count):
        yield (
            source.choice(council.staff),
            _exchange(source, _BEGIN + number * MICROSECONDS // RATE, host, server),
        )


def _host(source: random.Random, number: int) -> tuple[str, str]:
    """Give a host's name and address."""
    name = f"{source.choice(_NAMES)}.{source.choice(TOPICS)}{number}.{source.choice(_ENDINGS)}"
    return name, f"203.0.{source.randrange(256)}.{source.randrange(1, 255)}"


def _exchange(source: random.Random, moment: int, host: str, server: str) -> Exchange:
    chance, method, mime, file = source.random(), "GET", source.choice(_TYPES), None
    word, status = workload.word(source), 200 if source.random() < 0.93 else 304
    path = f"/{source.choice(TOPICS)}/{word}/{source.getrandbits(40):x}"
    if source.random() < 0.3:
        path += f"?id={source.getrandbits(32)}&page={source.randrange(90)}"
    sent = source.randint(350, 1_900)
    if chance < UPLOADS:
        host, path, _, sizes = source.choice(UPLOAD_SITES)
        method, sent, file = "POST", source.randint(*sizes), everyday(source)
    elif chance < UPLOADS + TUNNELS:
        host, path, method = f"mail.{source.choice(WEBMAIL)}", "", "CONNECT"
        sent, mime = source.randint(900, 90_000), "-"
    elif chance < UPLOADS + TUNNELS + DENIED:
        status = 403
    elif chance < UPLOADS + TUNNELS + DENIED + INSIDE:
        host, server = f"intranet.{DOMAIN}", "10.20.0.80"
    return Exchange(
        time=moment,
        method=method,
        host=host,
        path=path,
        status=status,
        sent=sent,
        received=min(4_000_000, int(source.lognormvariate(9, 1.4))),
        milliseconds=source.randint(8, 900),
        mime=mime,
        server=server,
        agent=source.choice(_AGENTS),
        file=file,
    )


def _proxysg(person: Person, exchange: Exchange) -> bytes:
    """Write a line of `bcreportermain_v1`."""
    path, mark, query = exchange.path.partition("?")
    denied, tunnel = exchange.status == 403, exchange.method == "CONNECT"
    user = f"{WINDOWS_DOMAIN}\\{person.id}" if exchange.milliseconds > 8 + 892 * MASKED else "-"
    date, _, clock = to_second(exchange.time).partition("T")
    ending = path.rpartition("/")[2].rpartition(".")[2] if "." in path else "-"
    category = _CATEGORIES[len(exchange.host) % len(_CATEGORIES)]
    return (
        f"{date} {clock} {exchange.milliseconds} {person.ip} {user} - {'policy_denied' if denied else '-'}"
        f' {"DENIED" if denied else "OBSERVED"} "{category}" - {exchange.status}'
        f" {'TCP_DENIED' if denied else 'TCP_TUNNELED' if tunnel else 'TCP_NC_MISS'} {exchange.method}"
        f" {exchange.mime} {'tcp' if tunnel else 'https'} {exchange.host} 443 {path or '/'}"
        f' {mark + query or "-"} {ending} "{exchange.agent}" 10.20.0.30 {exchange.received} {exchange.sent}'
        f' - "none" "none" - {exchange.server}'
    ).encode()


def _zscaler(person: Person, exchange: Exchange) -> bytes:
    return orjson.dumps(zscaler.line(person, exchange).body)


_BEGIN = at(midnight(START), 9)
FORMATS: dict[str, Callable[[Person, Exchange], bytes]] = {"proxysg": _proxysg, "zscaler_web": _zscaler}
_HEADS = {
    "proxysg": (
        b"#Fields: date time time-taken c-ip cs-username cs-auth-group x-exception-id sc-filter-result"
        b" cs-categories cs(Referer) sc-status s-action cs-method rs(Content-Type) cs-uri-scheme cs-host"
        b" cs-uri-port cs-uri-path cs-uri-query cs-uri-extension cs(User-Agent) s-ip sc-bytes cs-bytes"
        b" x-virus-id x-bluecoat-application-name x-bluecoat-application-operation"
        b" x-bluecoat-transaction-uuid r-ip"
    ),
}
