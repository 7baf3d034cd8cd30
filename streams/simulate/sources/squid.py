"""The web proxy's log: Squid's native format with the request's size at the end.

`%ts.%03tu %6tr %>a %Ss/%03>Hs %<st %rm %ru %[un %Sh/%<a %mt %>st`. The proxy opens TLS, so that it sees URLs.
"""

from __future__ import annotations

from streams.simulate.exchange import Exchange
from streams.simulate.people import Person
from streams.simulate.record import Record

_STATUS = {"GET": "TCP_MISS", "POST": "TCP_MISS", "PUT": "TCP_MISS", "CONNECT": "TCP_TUNNEL"}


def line(person: Person, exchange: Exchange) -> Record:
    """Write one request and its reply."""
    seconds, fraction = divmod(exchange.time, 1_000_000)
    result = "TCP_DENIED" if exchange.status == 403 else _STATUS[exchange.method]
    target = (
        exchange.host + ":443" if exchange.method == "CONNECT" else f"https://{exchange.host}{exchange.path}"
    )
    hierarchy = "HIER_NONE/-" if exchange.status == 403 else f"HIER_DIRECT/{exchange.server}"
    text = (
        f"{seconds}.{fraction // 1000:03} {exchange.milliseconds:6} {person.ip}"
        f" {result}/{exchange.status:03} {exchange.received} {exchange.method} {target}"
        f" {person.id} {hierarchy} {exchange.mime} {exchange.sent}"
    )
    return Record(exchange.time, "proxy", text)
