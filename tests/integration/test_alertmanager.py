"""Our routes of Alertmanager, and `outfall page` with a real one: who is told, how often, until when."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from services.alertmanager import CONFIGURATION, Alertmanager, alertmanager, amtool
from services.alerts import alert
from services.kafka import Kafka
from services.live_worker import ENVIRONMENT, OUTFALL, LiveFolder
from services.process import free_port, running, wait_for
from streams.alert import Alert, Status

pytestmark = pytest.mark.services

SETTINGS = """
[paging]
alertmanagers = ["http://127.0.0.1:1", "{address}"]
repeat = "1s"
least = "3s"
expires = "1m"
listen = ""
alert_url = "https://kibana.example/alert/{{id}}"
"""


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ({"severity": "critical"}, "data-protection-officer,on-call"),
        (
            {"severity": "high", "team": "Adult Social Care"},
            "data-protection-officer,adult-social-care,on-call",
        ),
        ({"severity": "medium"}, "soc"),
        ({"alertname": "OutfallWorkerDown", "source": "prometheus"}, "operators"),
        ({"alertname": "OutfallDeadMansSwitch", "severity": "none"}, "dead-mans-switch"),
        ({"alertname": "SomethingElse", "source": "prometheus"}, "soc"),
    ],
)
def test_routes(labels: dict[str, str], receivers: str) -> None:
    given = {"alertname": "PersonalDataLeaving", "source": "outfall", "breach": "b"} | labels
    words = [f"{name}={value}" for name, value in given.items()]
    options = [f"--config.file={CONFIGURATION}", f"--verify.receivers={receivers}"]
    done = amtool("config", "routes", "test", *options, *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_is_valid() -> None:
    done = amtool("check-config", CONFIGURATION)
    assert done.returncode == 0, done.stdout + done.stderr


class Site:
    """A topic of alerts, an Alertmanager, and who is paged."""

    def __init__(self, manager: Alertmanager, kafka: Kafka, folder: Path) -> None:
        self.manager = manager
        more = SETTINGS.format(address=manager.address)
        self.live = LiveFolder(folder, kafka.bootstrap, prefix=f"t{os.urandom(5).hex()}", more=more)
        (folder / "rules").mkdir()
        done = self.live.outfall("topics", "create")
        assert done.returncode == 0, done.stderr
        self.config = self.live.config(port=free_port())
        self._runs = 0

    def page(self) -> Any:
        self._runs += 1
        command = [OUTFALL, "page", "--config", self.config]
        return running(command, output=self.live.folder / f"page-{self._runs}", environment=ENVIRONMENT)

    def raised(self, *alerts: Alert) -> None:
        async def run() -> None:
            producer = AIOKafkaProducer(bootstrap_servers=self.live.bootstrap)
            await producer.start()
            for each in alerts:
                value = each.model_dump_json().encode()
                await producer.send(f"{self.live.prefix}.alerts", value, partition=int(each.id, 16) % 4)
            await producer.stop()

        asyncio.run(run())

    def told(self, count: int, *, resolved: bool = False) -> list[dict[str, str]]:
        receiver = self.manager.receiver
        wait_for(
            f"{count} {'resolved' if resolved else ''} pages",
            lambda: len(receiver.of("on-call", resolved=resolved)) >= count,
        )
        return [one.labels for one in receiver.of("on-call", resolved=resolved)]


@pytest.fixture
def site(kafka: Kafka, tmp_path: Path) -> Iterator[Site]:
    with alertmanager(tmp_path / "alertmanager") as manager:
        yield Site(manager, kafka, tmp_path)


def paging(number: int, revision: int, tier: int, pages: int, **changes: Any) -> Alert:
    """Give a revision that pages, of the breach that alert 1 began."""
    detected = f"2026-11-26T10:{revision:02d}:00Z"
    breach = alert(1).id
    return alert(
        number, revision, page=True, pages=pages, tier=tier, breach=breach, detected=detected, **changes
    )


def test_a_breach_pages_once_and_again_at_a_further_tier_until_it_is_over(site: Site) -> None:
    with site.page():
        site.raised(alert(5), paging(1, 1, 10, 1))
        (first,) = site.told(1)
        assert first["breach"] == alert(1).id[:12]
        assert (first["tier"], first["severity"], first["page"]) == ("10", "high", "1")
        more = paging(1, 2, 10, 1).model_copy(update={"page": False})
        site.raised(more, more.model_copy(update={"revision": 3}))
        site.raised(paging(2, 4, 100, 1))
        site.told(2)
        assert [labels["tier"] for labels in site.told(1, resolved=True)] == ["10"], "the tier before is over"
        closed = more.model_copy(update={"revision": 5, "status": Status.CLOSED})
        site.raised(closed)
        site.raised(paging(2, 6, 100, 1).model_copy(update={"page": False, "status": Status.CLOSED}))
        over = site.told(2, resolved=True)
        assert [labels["tier"] for labels in over] == ["10", "100"]
        assert len(site.told(2)) == 2, "and nobody was told a second time"
    told = site.manager.receiver.told
    text = repr(told)
    assert "actor-" not in text, "nobody is named"
    assert "k1:" not in text
    assert site.manager.receiver.of("dead-mans-switch"), "the dead-man's switch is held"


def test_killed_in_between_it_pages_under_the_same_key(site: Site) -> None:
    with site.page() as process:
        site.raised(paging(1, 1, 10, 1))
        (first,) = site.told(1)
        site.manager.kill()
        site.manager.start()
        again = site.told(2)
        assert again == [first, first], "Alertmanager had forgotten it"
        process.kill()
        process.wait()
    site.raised(paging(1, 2, 100, 2))
    # While nobody pages, the breach goes on and ends.
    site.raised(paging(1, 3, 100, 2).model_copy(update={"page": False, "status": Status.CLOSED}))
    with site.page():
        told = site.told(3)
        assert told[2] == first | {"tier": "100", "page": "2"}
        over = site.told(2, resolved=True)
        assert {labels["tier"] for labels in over} == {"10", "100"}


def test_a_page_waits_for_alertmanager(site: Site) -> None:
    site.manager.kill()
    with site.page() as process:
        site.raised(paging(1, 1, 10, 1))
        printed = site.live.folder / "page-1"
        wait_for("it to be sent again", lambda: "not taken" in printed.read_text())
        process.kill()
        process.wait()
    site.manager.start()
    with site.page():
        assert len(site.told(1)) == 1
