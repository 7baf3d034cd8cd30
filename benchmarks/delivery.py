"""How fast alerts reach people: into Elasticsearch, and to who is paged, beside real servers on this machine.

* indexing: so many revisions wait in the topic, and `outfall index` writes them; the yardstick is the same
  documents sent by the client's own bulk helper, which makes sure of nothing. As many events wait in theirs,
  and `outfall index --events` writes them: one document each, where a revision is two larger ones
* delay: raw records come at a steady rate, `outfall worker` raises alerts of some; from a record's append to
  Kafka until its alert is found by a search (indices are refreshed every second), and until Alertmanager's
  webhook has told of it (with `group_wait` 0; what that waits is a choice, not a cost)

All of it shares the cores of this machine with the servers.
Usage: `python benchmarks/delivery.py [--json] [--quick] [--revisions N] [--rate N] [--seconds N]`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import live_delay
import live_records
import orjson
import proxy_workload
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from elasticsearch import AsyncElasticsearch, helpers
from live import Row, show
from live_kafka import Cluster, cluster
from live_worker import ENVIRONMENT, OUTFALL, Setup, many_rules, setup, worker

from services.alertmanager import Alertmanager, receiving
from services.alerts import alert
from services.elasticsearch import Elasticsearch, elasticsearch
from services.process import running, wait_for
from streams.sinks.alert_document import document
from streams.sinks.elasticsearch_setup import install

_POLL = 0.05
_QUIET = 6.0
"""Seconds after the last record in which its alert may still come."""
_PATIENCE = 300.0
SETTINGS = """
[elasticsearch]
hosts = ["{elasticsearch}"]
prefix = "{prefix}"
listen = ""
[paging]
alertmanagers = ["{alertmanager}"]
listen = ""
"""
EVENT: dict[str, Any] = {
    "event": {"action": "upload", "outcome": "success", "dataset": "squid_extended"},
    "http": {"request": {"bytes": 48213, "method": "POST"}, "response": {"bytes": 812, "status_code": 200}},
    "outfall": {
        "actor": {"id": "j.smith", "kind": "person", "known": True, "role": "social worker", "team": "a"},
        "bytes": 48213,
        "channel": "web",
        "destination": {"class": "cloud_storage", "name": ["files.example"]},
        "egress": True,
        "verdict": "allowed",
    },
    "source": {"ip": "10.20.30.40"},
    "url": {"domain": "files.example", "full": "https://files.example/upload/17", "path": "/upload/17"},
    "user": {"name": "j.smith"},
}
"""What a proxy's upload becomes."""
SEVERITY = Path(__file__).resolve().parents[1] / "rules" / "severity.yml"


class Delivery:
    """The servers, and topics and indices that begin with `name`."""

    def __init__(self, cluster: Cluster, server: Elasticsearch, manager: Alertmanager, folder: Path) -> None:
        self._cluster = cluster
        self._server = server
        self._manager = manager
        self._folder = folder

    def indexing(self, revisions: int) -> Iterator[Row]:
        """Measure revisions a second, and those of the yardstick."""
        made = self._setup()
        alerts = [alert(number, revision) for revision in (1, 2) for number in range(revisions // 2)]

        asyncio.run(self._fill(made.alerts, (each.model_dump_json().encode() for each in alerts)))
        with self._program("index", made):
            begun = self._until(made, "revisions", revisions * 0.05)
            ended = self._until(made, "revisions", revisions)
        bare = asyncio.run(self._bare(made.prefix, alerts[: revisions // 2]))
        speed = 0.95 * revisions / (ended - begun)
        yield {"measured": "bulk helper, documents", "documents_s": round(bare), "ratio": 1.0}
        yield {
            "measured": "outfall index, revisions",
            "revisions_s": round(speed),
            "documents_s": round(speed * 2),
            "ratio": round(speed * 2 / bare, 2),
        }
        speed = self._events(made, revisions)
        yield {
            "measured": "outfall index --events, events",
            "documents_s": round(speed),
            "ratio": round(speed / bare, 2),
        }

    def _events(self, made: Setup, count: int) -> float:
        """Give events a second; they are of one proxy, and of today."""
        today = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        more = {"OUTFALL_KAFKA__EVENTS": "true", "OUTFALL_ELASTICSEARCH__EVENTS_LISTEN": ""}
        create = [OUTFALL, "topics", "create", "--config", made.settings]
        subprocess.run(create, env=ENVIRONMENT | more, check=True, capture_output=True, timeout=60)  # noqa: S603 - our own
        documents = (orjson.dumps({"@timestamp": today, **EVENT}) for _ in range(count))
        asyncio.run(self._fill(f"{made.prefix}.events", documents))
        with self._program("index", made, "--events", **more):
            begun = self._until(made, "events", count * 0.05)
            return 0.95 * count / (self._until(made, "events", count) - begun)

    async def _fill(self, topic: str, values: Iterable[bytes]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._cluster.bootstrap, linger_ms=20)
        await producer.start()
        for number, value in enumerate(values):
            partition = number % live_records.PARTITIONS
            await producer.send(topic, value, f"{number:032x}".encode(), partition=partition)
        await producer.stop()

    def delays(self, rate: float, seconds: float, warm: float) -> Row:
        """Measure delays at so many records a second."""
        made = self._setup()
        raw = f"{made.prefix}.raw"
        count = int(1.2 * rate * (seconds + warm) / len(proxy_workload.FORMATS)) + 1000
        streams = [
            live_delay.Stream(f"{raw}.{form}", number, iter(log))
            for form in proxy_workload.FORMATS
            for number, log in enumerate(live_records.partitions(form, count, origins=False))
        ]
        with (
            worker(made, self._cluster, self._cluster.cores.worker) as working,
            self._program("index", made),
            self._program("page", made),
        ):
            working.until_ready()
            found, appended, sent = asyncio.run(self._run(made, streams, rate, seconds, warm))
        return {"measured": f"delay at {sent:.0f} records/s", **self._figures(found, appended)}

    def _figures(self, found: Found, appended: live_delay.Appended) -> Row:
        begins = {
            identity: at
            for identity, evidence in found.alerts.items()
            if (at := live_delay.appended_at(evidence, appended)) is not None
        }
        pages = [one for one in self._manager.receiver.told if "alert" in one.labels]
        told = {one.labels["alert"]: one.at for one in reversed(pages)}
        searchable = sorted(at - begins[name] for name, at in found.searchable.items() if name in begins)
        paged = sorted(told[name[:12]] - at for name, at in begins.items() if name[:12] in told)
        return {
            "alerts": len(begins),
            **{f"search_{label}_ms": _share(searchable, share) for label, share in SHARES.items()},
            "pages": len(paged),
            **{f"webhook_{label}_ms": _share(paged, share) for label, share in SHARES.items()},
        }

    async def _run(
        self, made: Setup, streams: list[live_delay.Stream], rate: float, seconds: float, warm: float
    ) -> tuple[Found, live_delay.Appended, float]:
        found = Found()
        consumer = AIOKafkaConsumer(
            made.alerts,
            bootstrap_servers=self._cluster.bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        async with AsyncElasticsearch(self._server.address) as client:
            watching = [asyncio.create_task(found.raised(consumer))]
            watching.append(asyncio.create_task(found.searched(client, f"{made.prefix}-alerts")))
            try:
                appended, sent, passed = await live_delay.produce(self._cluster, streams, rate, seconds, warm)
                await asyncio.sleep(_QUIET)
            finally:
                for task in watching:
                    task.cancel()
                await consumer.stop()
        return found, appended, sent / passed

    def _setup(self) -> Setup:
        prefix = f"delivery{uuid4().hex[:8]}"
        raw = f"{prefix}.raw"
        rules = many_rules().replace("page: false", "page: true")
        made = setup(self._folder / prefix, self._cluster, prefix, raw, rules)
        text = SEVERITY.read_text(encoding="utf-8").replace("page_from: high", "page_from: informational")
        (made.folder / "severity.yml").write_text(text, encoding="utf-8")
        more = SETTINGS.format(
            elasticsearch=self._server.address, prefix=prefix, alertmanager=self._manager.address
        )
        with made.settings.open("a", encoding="utf-8") as settings:
            settings.write(more)
        with self._server.client() as client:
            for _ in install(client, prefix):
                pass
        return made

    def _program(self, name: str, made: Setup, *options: str, **environment: str) -> Any:
        command = [OUTFALL, name, *options, "--config", made.settings]
        printed = made.folder / "-".join((name, *options))
        return running(command, output=printed, environment=ENVIRONMENT | environment)

    def _until(self, made: Setup, index: str, count: float) -> float:
        with self._server.client() as client:

            def there() -> bool:
                client.indices.refresh(index=f"{made.prefix}-*")
                return int(client.count(index=f"{made.prefix}-{index}-*")["count"]) >= count

            wait_for("the index", there, seconds=_PATIENCE)
        return time.perf_counter()

    async def _bare(self, prefix: str, alerts: list[Any]) -> float:
        index = f"{prefix}-revisions-bare"
        actions = ({"_index": index, "_source": document(each)} for each in alerts)
        async with AsyncElasticsearch(self._server.address) as client:
            begun = time.perf_counter()
            await helpers.async_bulk(client, actions, chunk_size=500)
            return len(alerts) / (time.perf_counter() - begun)


class Found:
    """What has been raised, and when a search found it."""

    def __init__(self) -> None:
        self.alerts: dict[str, Any] = {}
        self.searchable: dict[str, float] = {}

    @property
    def missing(self) -> list[str]:
        """What no search has found yet."""
        return [identity for identity in self.alerts if identity not in self.searchable]

    async def raised(self, consumer: AIOKafkaConsumer) -> None:
        """Take note of new alerts, for ever."""
        async for record in consumer:
            content = orjson.loads(record.value)
            if content["revision"] == 1:
                self.alerts[content["id"]] = content["evidence"][0]

    async def searched(self, client: AsyncElasticsearch, index: str) -> None:
        """Search for what is missing, for ever."""
        while True:
            await asyncio.sleep(_POLL)
            missing = self.missing[:500]
            if missing:
                query = {"terms": {"outfall.alert.id": missing}}
                answer = await client.search(index=index, query=query, size=500, source=False)
                now = time.time()
                for hit in answer["hits"]["hits"]:
                    self.searchable.setdefault(hit["_id"], now)


SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def _share(values: list[float], share: float) -> int | None:
    return round(1000 * values[int(share * len(values))]) if values else None


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each row")
    parser.add_argument("--quick", action="store_true", help="as little as can be: whether it runs")
    parser.add_argument("--revisions", type=int, default=40_000, help="that are indexed")
    parser.add_argument("--rate", type=float, default=2000.0, help="raw records a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="that are measured")
    said = parser.parse_args()
    revisions, seconds, warm = (2000, 3.0, 1.0) if said.quick else (said.revisions, said.seconds, 5.0)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tries again; what matters is raised
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        manager = Alertmanager(folder / "alertmanager", stack.enter_context(receiving()), wait="0s")
        manager.start()
        stack.callback(manager.kill)
        server = stack.enter_context(elasticsearch())
        delivery = Delivery(stack.enter_context(cluster()), server, manager, folder)
        rows = []
        for row in (*delivery.indexing(revisions), delivery.delays(said.rate, seconds, warm)):
            rows.append(row)
            if said.json:
                sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
                sys.stdout.buffer.flush()
    if not said.json:
        show([row for row in rows if "ratio" in row])
        show([row for row in rows if "ratio" not in row])


if __name__ == "__main__":
    main()
