"""Events in Elasticsearch, for hunting: each as the rules saw it last, by the day of its own time.

The `_id` is the event's, as an alert's evidence names it; its external version is the offset in the topic. So
what is sent again, or late by one who has been replaced, changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch, Elasticsearch, NotFoundError

from streams.errors import RecordError
from streams.sinks.bulk import Bulk, Item
from streams.sinks.sink import Refused, Told

OLDEST, NEWEST = dt.timedelta(days=30), dt.timedelta(days=1)
"""How far an event's time may be from its arrival: others are kept by the day on which they arrived.

Who writes logs could else make as many indices as there are days, more than a cluster bears.
"""
_FIELDS = ("outfall", "event", "user", "destination", "source", "email", "file", "url", "http", "@timestamp")


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it stands in its topic: at which offset, and of which day its index is."""

    id: str
    offset: int
    day: str
    document: dict[str, Any]


def read_event(key: bytes | None, value: bytes | None, offset: int, arrived: float) -> StoredEvent:
    """Read a record of the topic of events; `arrived` is in seconds since the epoch.

    Raises:
        RecordError: it is none; the reason tells nothing of its content.
    """
    try:
        document = orjson.loads(value or b"")
        moment = dt.datetime.fromisoformat(document["@timestamp"][:19] + "+00:00")
        identity = (key or b"").decode()
    except (ValueError, TypeError, LookupError) as error:
        raise RecordError(f"not an event: {type(error).__name__}") from None
    if not identity:
        raise RecordError("not an event: the record has no key, which is its id")
    now = dt.datetime.fromtimestamp(arrived, dt.UTC)
    if not now - OLDEST <= moment <= now + NEWEST:
        moment = now
    return StoredEvent(identity, offset, f"{moment:%Y.%m.%d}", document)


class EventSink:
    """Writes events; names of indices begin with `prefix` and `-events-`."""

    def __init__(
        self, client: AsyncElasticsearch, prefix: str, told: Told, *, batch: int = 500, requests: int = 4
    ) -> None:
        self._bulk: Bulk[StoredEvent] = Bulk(client, told, fields=_FIELDS, batch=batch, requests=requests)
        self._prefix = prefix

    async def write(self, events: Sequence[StoredEvent]) -> list[Refused[StoredEvent]]:
        """Return when all events are safe, except those that are given back."""
        return await self._bulk.write([*map(self._item, events)])

    def _item(self, event: StoredEvent) -> Item[StoredEvent]:
        where = {
            "_index": f"{self._prefix}-events-{event.day}",
            "_id": event.id,
            "version": event.offset,
            "version_type": "external",
        }
        return Item.of(event, "index", where, event.document)


def prepare(client: Elasticsearch, prefix: str, today: dt.date) -> str | None:
    """See that indices of events come of our template, of which there must be one; say what hinders it.

    Raises:
        ApiError: the server refuses something.
        TransportError: it does not answer.
    """
    alias = f"{prefix}-events"
    try:
        mappings = client.indices.get_mapping(index=alias)
    except NotFoundError:
        index = f"{alias}-{today:%Y.%m.%d}"
        client.options(ignore_status=400).indices.create(index=index)  # 400: another one was faster
        mappings = client.indices.get_mapping(index=index)
    odd = [name for name, each in mappings.items() if each["mappings"].get("dynamic") != "false"]
    if odd:
        return f"index {min(odd)} was made without our template, and takes any field: delete it first"
    return None
