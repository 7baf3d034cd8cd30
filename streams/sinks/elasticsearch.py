"""Alerts in Elasticsearch: every revision once and for ever, and the newest one of each.

A revision's `_id` is its digest, and it is only ever created: a conflict (409) says that exactly this
document is there. The newest one of each alert has the revision as its external version: an older one is
refused (409). So what is sent again after a crash changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from elasticsearch import AsyncElasticsearch

from streams.alert import Alert
from streams.sinks.alert_document import document, revision_index, state_index
from streams.sinks.bulk import Bulk, Item
from streams.sinks.sink import Refused, Told

_FIELDS = ("outfall", "event", "rule", "threat", "user", "destination", "@timestamp", "message", "tags")


class ElasticsearchSink:
    """Writes alerts; indices and templates have `prefix` and a hyphen before their names.

    With `kibana`, its address, each document links to the events that the alert is made of.
    """

    def __init__(
        self,
        client: AsyncElasticsearch,
        prefix: str,
        told: Told,
        *,
        kibana: str | None = None,
        batch: int = 500,
        requests: int = 4,
    ) -> None:
        self._bulk: Bulk[Alert] = Bulk(client, told, fields=_FIELDS, batch=batch, requests=requests)
        self._prefix = prefix
        self._kibana = kibana

    async def write(self, alerts: Sequence[Alert]) -> list[Refused[Alert]]:
        """Return when all alerts are safe, except those that are given back, each once."""
        newest = {alert.id: alert for alert in sorted(alerts, key=lambda one: one.revision)}
        items = [*map(self._revision, alerts), *map(self._state, newest.values())]
        refused = await self._bulk.write(items)
        return [*{(each.item.id, each.item.revision): each for each in reversed(refused)}.values()]

    def _revision(self, alert: Alert) -> Item[Alert]:
        content = document(alert, self._kibana)
        where = {"_index": revision_index(self._prefix, alert), "_id": content["event"]["id"]}
        return Item.of(alert, "create", where, content)

    def _state(self, alert: Alert) -> Item[Alert]:
        version = {"version": alert.revision, "version_type": "external"}
        where = {"_index": state_index(self._prefix), "_id": alert.id, **version}
        return Item.of(alert, "index", where, document(alert, self._kibana))
