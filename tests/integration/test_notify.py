"""`outfall notify`: who is told of breaches on one machine, how often, and what when they are away."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from services.alerts import alert
from services.live_worker import ENVIRONMENT, OUTFALL
from services.process import lasting_port, running, wait_for
from streams.alert import Alert, Status
from streams.runtime.store import Store

SETTINGS = """
state = "state"
[worker]
log = "json"
[notify]
pagerduty_key_file = "key"
pagerduty_url = "http://127.0.0.1:{pagerduty}"
apprise_file = "apprise"
[[sources]]
name = "proxy"
kind = "file"
path = "x"
format = "squid"
"""


class Service:
    """What listens in PagerDuty's place, or in a chat's: keeps what it is told, and answers as it should."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: list[dict[str, Any]] = []
        self.statuses: list[int] = []

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = service.statuses.pop(0) if service.statuses else 202
                if status == 202:
                    service.told.append(content)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


class Site:
    """A store, and who is told of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pagerduty, self.chat = Service(lasting_port()), Service(lasting_port())
        (folder / "key").write_text("the-key\n")
        (folder / "apprise").write_text(f"json://127.0.0.1:{self.chat.port}/room\n")
        (folder / "outfall.toml").write_text(SETTINGS.format(pagerduty=self.pagerduty.port))
        self.store = Store(folder / "state")

    def raised(self, *alerts: Alert) -> None:
        with self.store.transaction():
            self.store.alerts.write(alerts)

    def notify(self) -> subprocess.CompletedProcess[str]:
        command = [OUTFALL, "notify", "--once", "--config", self.folder / "outfall.toml"]
        return subprocess.run(
            command, capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
        )

    @property
    def events(self) -> list[tuple[str, str]]:
        told = self.pagerduty.told
        return [(event["event_action"], event["dedup_key"].rpartition("-")[2]) for event in told]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.store:
        yield made


def paging(revision: int, pages: int, **changes: Any) -> Alert:
    detected = f"2026-03-02T10:{revision:02d}:00Z"
    return alert(1, revision, **({"page": True, "pages": pages, "tier": 10, "detected": detected} | changes))


def test_a_breach_is_told_once_and_again_at_a_further_tier_until_it_is_over(site: Site) -> None:
    site.raised(alert(2), paging(1, 1), paging(2, 1, page=False), paging(3, 2, tier=100))
    with site.pagerduty.listening(), site.chat.listening():
        assert site.notify().returncode == 0
        assert site.events == [("trigger", "1"), ("trigger", "2"), ("resolve", "1")]
        site.raised(paging(4, 2, page=False, status=Status.CLOSED))
        for _ in range(2):
            assert site.notify().returncode == 0
    assert site.events[3:] == [("resolve", "2")], "once, though it was started twice"
    assert {event["routing_key"] for event in site.pagerduty.told} == {"the-key"}
    payload = site.pagerduty.told[0]["payload"]
    assert payload["severity"] == "error"
    assert "1 person" in payload["summary"]
    assert len(site.chat.told) == 4
    said = json.dumps([site.pagerduty.told, site.chat.told])
    assert "actor-" not in said, "nobody is named"
    assert "k1:" not in said


def test_who_is_away_is_told_later_and_holds_up_nobody(site: Site) -> None:
    site.raised(paging(1, 1))
    command = [OUTFALL, "notify", "--config", site.folder / "outfall.toml"]
    site.pagerduty.statuses = [503, 429]
    printed = site.folder / "printed"
    with site.pagerduty.listening():
        with running(command, output=printed, environment=ENVIRONMENT) as process:
            wait_for("PagerDuty to be told", lambda: site.events == [("trigger", "1")])
            wait_for("the chat to be tried", lambda: "apprise reports a failure" in printed.read_text())
            process.kill()
            process.wait()
        with site.chat.listening():
            assert site.notify().returncode == 0
    assert len(site.chat.told) == 1
    assert site.events == [("trigger", "1")], "and PagerDuty not again"
    assert "the-key" not in printed.read_text()


def test_what_is_refused_for_good_does_not_hold_up_what_follows(site: Site) -> None:
    site.raised(paging(1, 1), paging(2, 2, tier=100))
    site.pagerduty.statuses = [400]
    with site.pagerduty.listening(), site.chat.listening():
        done = site.notify()
    assert "page refused" in done.stderr
    assert site.events == [("trigger", "2"), ("resolve", "1")]


def test_mistakes_in_the_settings_are_told_without_secrets(site: Site) -> None:
    (site.folder / "apprise").write_text("json://127.0.0.1:1/x\nnonsense://secret-token\n")
    done = site.notify()
    assert done.returncode == 2
    assert "number 2" in done.stderr
    assert "secret-token" not in done.stderr
    sources = SETTINGS[SETTINGS.index("[[sources]]") :]
    (site.folder / "outfall.toml").write_text(sources)
    assert "nobody is to be told" in site.notify().stderr
