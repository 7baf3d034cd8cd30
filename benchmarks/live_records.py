"""What `live.py` writes into raw topics: two proxies' logs, dealt out over partitions."""

from __future__ import annotations

from collections.abc import Iterator

import proxy_workload

from streams.event import Origin
from streams.runtime.headers import origin_header
from streams.simulate.council import Council, found
from streams.simulate.run import START

SEED, PEOPLE = 1, 600
PARTITIONS = 4
"""Of each raw topic."""
JSON = "zscaler_web"
"""The format whose lines are JSON: the yardstick reads those."""

Record = tuple[bytes, list[tuple[str, bytes]]]
"""A record's value and headers."""


def council() -> Council:
    """Give the council whose people the records are of."""
    return found(SEED, PEOPLE, START)


def lines(name: str, count: int) -> list[bytes]:
    """Give so many lines of a format, without what heads its log."""
    return [record.data for record in proxy_workload.records(name, count, council())][-count:]


def partitions(name: str, count: int, *, origins: bool, part: int = 0) -> list[list[Record]]:
    """Give so many records, each partition a log of its own: the records of all are in the order of time.

    With `origins` each record says where it was read, as `outfall produce` does. Each `part`, all of them of
    one size, goes on where the one before it ends.
    """
    records = proxy_workload.records(name, count, council(), part)
    head = [record.data for record in records[: len(records) - count]]
    found = [record.data for record in records[len(records) - count :]]
    return [
        list(_log(f"{part:08x}{number:08x}", [*head, *found[number::PARTITIONS]], origins=origins))
        for number in range(PARTITIONS)
    ]


def _log(stream: str, texts: list[bytes], *, origins: bool) -> Iterator[Record]:
    offset = 0
    for number, text in enumerate(texts):
        headers = [origin_header(Origin("", stream, offset, number))] if origins else []
        yield text, headers
        offset += len(text) + 1
