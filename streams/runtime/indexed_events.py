"""The events in Elasticsearch, in the order of their times, to run rules on again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from elasticsearch import ApiError, Elasticsearch, TransportError

from streams.errors import ConfigError, RecordError
from streams.event import RawRecord, rfc3339
from streams.runtime.stored_event import event_of
from streams.sinks.elasticsearch_client import said
from streams.stages.reader import Prepared

_PAGE = 2000
"""Events that are asked for together."""
_KEEP = "5m"


def indexed_events(
    client: Elasticsearch,
    prefix: str,
    sources: Collection[str],
    since: int | None,
    until: int | None,
    begin: Callable[[int], object],
) -> Iterator[Prepared]:
    """Give the events of `PREFIX-events`, those of a time by their ids; `begin` is told how many there are.

    `since` and `until` are nanoseconds since the epoch, by the events' own times. Each event is as enriched
    as it was; only what rules and correlations do is still to be done.

    Raises:
        ConfigError: the server refuses or is not there, or an event is of no source of the settings.
    """
    try:
        yield from _read(client, prefix, sources, _query(since, until), begin)
    except (ApiError, TransportError) as error:
        raise ConfigError([f"{prefix}-events: cannot be read: {said(error)}"]) from None


def _query(since: int | None, until: int | None) -> dict[str, Any]:
    ends = {name: rfc3339(time) for name, time in (("gte", since), ("lt", until)) if time is not None}
    return {"range": {"@timestamp": ends}} if ends else {"match_all": {}}


def _read(
    client: Elasticsearch,
    prefix: str,
    sources: Collection[str],
    query: dict[str, Any],
    begin: Callable[[int], object],
) -> Iterator[Prepared]:
    index = f"{prefix}-events"
    begin(client.count(index=index, query=query)["count"])
    point = client.open_point_in_time(index=index, keep_alive=_KEEP)["id"]
    after: list[Any] | None = None
    try:
        while True:
            found = client.search(
                pit={"id": point, "keep_alive": _KEEP},
                query=query,
                sort=[{"@timestamp": "asc"}, {"event.id": {"order": "asc", "missing": "_last"}}],
                search_after=after,
                size=_PAGE,
                track_total_hits=False,
            )
            hits = found["hits"]["hits"]
            point = found["pit_id"]
            if not hits:
                return
            after = hits[-1]["sort"]
            for hit in hits:
                yield _prepared(hit, sources)
    finally:
        client.close_point_in_time(id=point)


def _prepared(hit: dict[str, Any], sources: Collection[str]) -> Prepared:
    try:
        event = event_of(hit["_id"], hit["_source"])
    except RecordError as error:
        raise ConfigError([f"{hit['_index']}/{hit['_id']}: {error}"]) from None
    if event.origin.source not in sources:
        named = f"its source {event.origin.source!r} is not in the settings"
        raise ConfigError([f"{hit['_index']}/{hit['_id']}: {named}"])
    return Prepared(RawRecord(b"", event.origin), event)
