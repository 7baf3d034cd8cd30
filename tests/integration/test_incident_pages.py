"""The planted incident, from raw records to who is paged: once when nothing fails, and over in the end."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from services.alertmanager import Receiver, alertmanager
from services.council import council
from services.kafka import Kafka
from services.process import running, wait_for
from services.tail import Tail
from services.workers import ENVIRONMENT, OUTFALL, Live, Workers
from streams.alert import Alert

pytestmark = pytest.mark.services

PAGING = """
[paging]
alertmanagers = ["{address}"]
repeat = "1s"
least = "5s"
listen = ""
"""
SETTLED = 5.0
"""Seconds in which nobody is told anything more."""


class Heard:
    """Looks whether all that on-call was told is over, and nothing more comes."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._since = time.monotonic()
        self._count = 0

    def settled(self) -> bool:
        """Look, now and then."""
        pages = [one.labels for one in self._receiver.of("on-call")]
        over = [one.labels for one in self._receiver.of("on-call", resolved=True)]
        if len(pages) > self._count or any(page not in over for page in pages):
            self._since, self._count = time.monotonic(), len(pages)
        return time.monotonic() - self._since > SETTLED


def test_the_planted_incident_pages_once_and_is_over_in_the_end(kafka: Kafka, tmp_path: Path) -> None:
    day = council(tmp_path / "council", people=40)
    with alertmanager(tmp_path / "alertmanager") as manager:
        live = Live(day, kafka, more=PAGING.format(address=manager.address)).make()
        command = [OUTFALL, "page", "--config", live.config]
        with (
            running(command, output=tmp_path / "page", environment=ENVIRONMENT),
            Tail(live) as tail,
            Workers(live, 1),
        ):
            with live.produced():
                pass
            tail.wait_until_done()
            live.let_pass("4d")
            tail.wait_until_done()
            heard = Heard(manager.receiver)
            wait_for("all pages to be over", heard.settled, seconds=90)
        raised = [
            Alert.model_validate_json(record.value)
            for records in tail.of(live.topics.alerts).values()
            for record in records
        ]
    breaches = {alert.breach for alert in raised if alert.exposure.people >= 400 and alert.page}
    assert len(breaches) == 1, "\n".join(
        f"{one.rule.name}: {one.actor.id}, {one.exposure.people} people, page {one.page}, pages {one.pages}"
        for one in raised
        if one.exposure.people >= 100 or one.pages
    )
    incident = breaches.pop()
    assert incident is not None
    told = Counter(
        (one.receiver, one.labels["alert"], one.labels["page"])
        for one in manager.receiver.told
        if not one.resolved and one.labels["alertname"] == "PersonalDataLeaving"
    )
    assert set(told.values()) == {1}, "nobody is told the same twice"
    pages = [one for one in manager.receiver.of("on-call") if one.labels.get("breach") == incident[:12]]
    assert pages
    tiers = [int(one.labels["tier"]) for one in pages]
    assert tiers == sorted(set(tiers)), "each tier once, in their order"
    highest = max(alert.paged_tier or 0 for alert in raised if alert.breach == incident)
    assert tiers[-1] == highest >= 100
    ended = manager.receiver.of("on-call", resolved=True)
    assert {(one.labels["alert"], one.labels["page"]) for one in pages} <= {
        (one.labels["alert"], one.labels["page"]) for one in ended
    }
