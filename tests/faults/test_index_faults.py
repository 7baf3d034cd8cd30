"""`outfall index` while Elasticsearch goes away, refuses, or is full: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from elasticsearch import Elasticsearch as Client

from services.alert_site import Site
from services.alerts import alert
from services.elasticsearch import Elasticsearch, elasticsearch
from services.kafka import Kafka
from services.live_worker import ENVIRONMENT, OUTFALL, LiveFolder
from services.process import free_port, running, wait_for
from streams.runtime.dead_letters import Letter
from streams.settings import load

pytestmark = pytest.mark.services

ALERTS = int(os.environ.get("ALERTS", "50000"))


@pytest.fixture(scope="module")
def server() -> Iterator[Elasticsearch]:
    with elasticsearch() as made:
        yield made


@pytest.fixture
def live(server: Elasticsearch, kafka: Kafka, tmp_path: Path) -> LiveFolder:
    prefix = f"t{os.urandom(5).hex()}"
    listen = f"127.0.0.1:{free_port()}"
    more = f'[elasticsearch]\nhosts = ["{server.address}"]\nprefix = "{prefix}"\nlisten = "{listen}"\n'
    made = LiveFolder(tmp_path, kafka.bootstrap, prefix=prefix, more=more)
    (tmp_path / "rules").mkdir()
    for command in (("topics", "create"), ("elasticsearch", "setup")):
        done = made.outfall(*command)
        assert done.returncode == 0, done.stderr
    return made


def send(live: LiveFolder, alerts: int) -> None:
    """Raise two revisions of half as many alerts, the ids spread over the partitions."""

    async def run() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=live.bootstrap, acks="all", linger_ms=20)
        await producer.start()
        for revision in (1, 2):
            for number in range(alerts // 2):
                value = alert(number, revision).model_dump_json().encode()
                await producer.send(f"{live.prefix}.alerts", value, partition=number % 4)
        await producer.stop()

    asyncio.run(run())


def count(server: Elasticsearch, live: LiveFolder, index: str) -> int:
    with Client(server.address) as client:
        client.indices.refresh(index=f"{live.prefix}-*")
        return int(client.count(index=f"{live.prefix}-{index}")["count"])


def test_killed_in_the_middle(server: Elasticsearch, live: LiveFolder) -> None:
    send(live, ALERTS)
    command = [OUTFALL, "index", "--config", live.config(port=free_port())]
    begun = time.monotonic()

    def reached(share: float) -> None:
        there = lambda: count(server, live, "revisions-*") >= share * ALERTS  # noqa: E731 - short
        wait_for(f"{share:.0%} of the alerts", there, seconds=300)

    with running(command, output=live.folder / "index-1", environment=ENVIRONMENT) as process:
        reached(0.2)
        server.kill()
        wait_for("it to be seen", lambda: metric(live, 'outfall_sink_away{sink="index"}'))
        server.start()
        reached(0.5)
        assert metric(live, 'outfall_delivery_retries_total{reason="ConnectionError",sink="index"}')
        assert metric(live, 'outfall_delivered_total{outcome="created",sink="index"}')
        process.kill()
        process.wait()
    with running(command, output=live.folder / "index-2", environment=ENVIRONMENT):
        reached(1)
        wait_for("the newest ones", lambda: count(server, live, "alerts") == ALERTS // 2, seconds=60)
        time.sleep(2)
    seconds = time.monotonic() - begun
    assert count(server, live, "revisions-*") == ALERTS
    assert count(server, live, "alerts") == ALERTS // 2
    with Client(server.address) as client:
        old = client.count(index=f"{live.prefix}-alerts", query={"term": {"outfall.alert.revision": 1}})
        ids = client.search(
            index=f"{live.prefix}-revisions-*",
            size=0,
            aggs={"ids": {"cardinality": {"field": "outfall.alert.id", "precision_threshold": 40_000}}},
        )
    assert old["count"] == 0
    assert ids["aggregations"]["ids"]["value"] == pytest.approx(ALERTS // 2, rel=0.01)
    assert "refused" not in (live.folder / "index-1").read_text()
    sys.stdout.write(f"{ALERTS} alerts in {seconds:.0f} s, with two kills\n")


def test_what_is_refused_becomes_a_dead_letter_and_the_rest_goes_on(
    server: Elasticsearch, live: LiveFolder
) -> None:
    odd = alert(2, first="no time, but Mrs Jones")

    async def raised() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=live.bootstrap, acks="all")
        await producer.start()
        for value in (b"{no alert: Mrs Jones", *(one.model_dump_json().encode() for one in (odd, alert(1)))):
            await producer.send(f"{live.prefix}.alerts", value, partition=0)
        await producer.stop()

    asyncio.run(raised())
    command = [OUTFALL, "index", "--config", live.config(port=free_port())]
    printed = live.folder / "index"
    with running(command, output=printed, environment=ENVIRONMENT):
        wait_for("the good one", lambda: count(server, live, "alerts") == 1)
        wait_for("both letters", lambda: len(live.records("dead_letters")) == 2)
        labels = 'error="document_parsing_exception",source="alerts",stage="index"'
        assert metric(live, f"outfall_dead_letters_total{{{labels}}}") == 1
        assert metric(live, 'outfall_delivered_total{outcome="refused",sink="index"}') >= 1
    letters = [Letter.read(each.value, each.headers) for each in live.records("dead_letters")]
    assert [letter.error for letter in letters] == ["RecordError", "document_parsing_exception"]
    assert letters[1].data == odd.model_dump_json().encode(), "as it was"
    assert "Jones" not in "".join(letter.reason for letter in letters) + printed.read_text()


def metric(live: LiveFolder, series: str) -> float:
    """Give what `outfall index` says of itself; 0 where it says nothing."""
    address = load(live.config(), places=False).elasticsearch.listen
    with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as got:
        for line in got.read().decode().splitlines():
            name, _, value = line.rpartition(" ")
            if name == series:
                return float(value)
    return 0.0


def test_a_full_disk_is_waited_for(server: Elasticsearch) -> None:
    site = Site(server.address)
    site.write([alert(1)])
    block = {"index.blocks.read_only_allow_delete": True}
    site.client.indices.put_settings(index=f"{site.prefix}-*", settings=block)
    alerts = [alert(number) for number in range(100)]
    writing = threading.Thread(target=lambda: site.write(alerts))
    writing.start()
    wait_for("it to be refused", lambda: site.heard.reasons["cluster_block_exception"] >= 100)
    assert writing.is_alive()
    site.client.indices.put_settings(index=f"{site.prefix}-*", settings=dict.fromkeys(block))
    writing.join(60)
    assert site.count("alerts") == site.count("revisions-*") == 100


def test_too_much_at_once_and_too_large() -> None:
    limits = {"http__max_content_length": "300kb", "indexing_pressure__memory__limit": "1mb"}
    with elasticsearch(**limits) as server:
        site = Site(server.address)
        large = alert(9999, reason="x" * 400_000)
        alerts = [alert(number, 60) for number in range(600)]
        refused = site.write([*alerts, large], batch=60, requests=8)
        assert {each.item.id for each in refused} == {large.id}
        assert refused[0].error == "status_413"
        assert site.count("alerts") == site.count("revisions-*") == 600
        storm = [reason for reason in site.heard.reasons if "rejected" in reason or reason == "429"]
        assert storm, site.heard.reasons
