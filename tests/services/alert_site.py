"""Indices of alerts of a test's own, and a sink that writes into them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import uuid4

from elasticsearch import Elasticsearch

from services.alerts import alert
from streams.alert import Alert
from streams.delivery_settings import Elasticsearch as Settings
from streams.sinks import elasticsearch_client, elasticsearch_setup
from streams.sinks.alert_document import alert_of
from streams.sinks.elasticsearch import ElasticsearchSink
from streams.sinks.elasticsearch_events import EventSink, StoredEvent
from streams.sinks.sink import Refused


class Heard:
    """Takes note of what it is told."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()

    def done(self, outcome: str, items: int) -> None:
        """Count what became of items."""
        self.outcomes[outcome] += items

    def again(self, reason: str, items: int) -> None:
        """Count why items are sent again."""
        self.reasons[reason] += items

    def goes_on(self) -> None:
        """All is well."""


class Site:
    """Indices of its own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.prefix = f"t{uuid4().hex[:10]}"
        self.client = Elasticsearch(address)
        self.heard = Heard()
        parts = [*elasticsearch_setup.install(self.client, self.prefix)]
        assert all(part.fine for part in parts), parts

    def write(self, alerts: Sequence[Alert], **options: int) -> list[Refused[Alert]]:
        """Write, and make it be found."""

        async def run() -> list[Refused[Alert]]:
            async with elasticsearch_client.asynchronous(Settings(hosts=[self.address])) as client:
                sink = ElasticsearchSink(client, self.prefix, self.heard, **options)
                return await asyncio.wait_for(sink.write(alerts), 60)

        refused = asyncio.run(run())
        self.client.indices.refresh(index=f"{self.prefix}-*")
        return refused

    def write_events(self, events: Sequence[StoredEvent]) -> list[Refused[StoredEvent]]:
        """Write events, and make them be found."""

        async def run() -> list[Refused[StoredEvent]]:
            async with elasticsearch_client.asynchronous(Settings(hosts=[self.address])) as client:
                sink = EventSink(client, self.prefix, self.heard)
                return await asyncio.wait_for(sink.write(events), 60)

        refused = asyncio.run(run())
        self.client.indices.refresh(index=f"{self.prefix}-*")
        return refused

    def count(self, index: str) -> int:
        """Give how many documents an index has: `alerts`, or `revisions-*`."""
        return int(self.client.count(index=f"{self.prefix}-{index}")["count"])

    def newest(self, number: int) -> Alert:
        """Give the newest revision of an alert."""
        found = self.client.get(index=f"{self.prefix}-alerts", id=alert(number).id)
        return alert_of(found["_source"])
