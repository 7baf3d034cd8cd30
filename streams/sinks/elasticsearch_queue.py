"""Alerts in Elasticsearch for those who work on them: the newest revision of each, and what was done.

What people do is a document of its own, which no later revision overwrites.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from elasticsearch import Elasticsearch

from streams.sinks.alert_document import ECS_VERSION, action_index, alert_of, state_index
from streams.sinks.handling import Action, Handling, Stored, check_prefix, found_one

PAGE = 500
_MOST_ACTIONS = 10_000
"""Of a page of alerts; the server gives no more at once."""


class ElasticsearchQueue:
    """The alerts of the indices that begin with `prefix`.

    Each method raises ApiError or TransportError where the server refuses or does not answer.
    """

    def __init__(self, client: Elasticsearch, prefix: str) -> None:
        self._client = client
        self._alerts = state_index(prefix)
        self._actions = action_index(prefix)

    def newest(self) -> Iterator[Stored]:
        """Give all alerts, the newest first."""
        after: list[Any] | None = None
        while True:
            found = self._client.search(
                index=self._alerts,
                size=PAGE,
                sort=[{"@timestamp": "desc"}, {"outfall.alert.id": "asc"}],
                search_after=after,
                source_includes=["outfall.alert"],
            )["hits"]["hits"]
            if not found:
                return
            after = found[-1]["sort"]
            yield from self._stored(found)

    def find(self, prefix: str) -> Stored:
        """Give the one alert whose id begins so.

        Raises:
            OutfallError: there is none, or several, or nothing is said.
        """
        check_prefix(prefix)
        query = {"prefix": {"outfall.alert.id": prefix}}
        found = self._client.search(index=self._alerts, size=2, query=query)["hits"]["hits"]
        return self._stored([found_one(prefix, found)])[0]

    def act(self, stored: Stored, action: Action, *, by: str, text: str | None, at: str) -> None:
        """Keep what somebody did about an alert; `at` is RFC 3339."""
        document = {
            "@timestamp": at,
            "ecs": {"version": ECS_VERSION},
            "event": {
                "kind": "event",
                "action": action.value,
                "module": "outfall",
                "dataset": "outfall.actions",
            },
            "user": {"name": by},
            "message": text,
            "outfall": {"alert": {"id": stored.alert.id, "revision": stored.alert.revision}},
        }
        self._client.index(index=self._actions, document=document, op_type="create", refresh="wait_for")

    def _stored(self, found: Sequence[dict[str, Any]]) -> list[Stored]:
        alerts = [alert_of(hit["_source"]) for hit in found]
        acts = self._client.search(
            index=self._actions,
            size=_MOST_ACTIONS,
            query={"terms": {"outfall.alert.id": [alert.id for alert in alerts]}},
            sort=[{"@timestamp": "asc"}],
            seq_no_primary_term=True,
        )["hits"]["hits"]
        # Within a second the order of writing tells, which cannot be sorted by.
        acts = sorted(acts, key=lambda hit: (hit["_source"]["@timestamp"], hit["_seq_no"]))
        handled: dict[str, list[Handling]] = {}
        for source in (hit["_source"] for hit in acts):
            about = source["outfall"]["alert"]
            handled.setdefault(about["id"], []).append(
                Handling(
                    Action(source["event"]["action"]),
                    source["user"]["name"],
                    source["message"],
                    about["revision"],
                    source["@timestamp"],
                )
            )
        return [Stored(alert, tuple(handled.get(alert.id, ()))) for alert in alerts]
