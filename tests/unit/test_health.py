"""What a worker answers when asked how it is, over real connections."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from services.process import wait_for
from streams.errors import ConfigError
from streams.metrics import Metrics
from streams.runtime.health import STARTING, Health
from streams.runtime.web import Answer, Web


def ask(port: int, path: str, *, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str]:
    """Give the status and the body of an answer."""
    connection = http.client.HTTPConnection(host, port, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@dataclass
class Worker:
    """A worker that is asked; `now` is its clock."""

    now: float = 100.0
    health: Health = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(Metrics(), "127.0.0.1:0", clock=lambda: self.now)

    def ask(self, path: str) -> tuple[int, str]:
        assert self.health.port
        return ask(self.health.port, path)


@pytest.fixture
def worker() -> Iterator[Worker]:
    asked = Worker()
    with asked.health:
        yield asked


def test_it_is_ready_when_no_reason_is_left(worker: Worker) -> None:
    assert worker.ask("/readyz") == (503, '["starting"]\n')
    worker.health.not_ready("assignment", "no partitions assigned")
    worker.health.not_ready("restore outfall.matches/3", "restoring outfall.matches/3: 0%")
    worker.health.not_ready("restore outfall.matches/3", "restoring outfall.matches/3: 40%")
    worker.health.ready(STARTING)
    status, body = worker.ask("/readyz")
    assert (status, json.loads(body)) == (503, ["no partitions assigned", "restoring outfall.matches/3: 40%"])
    assert "outfall_ready 0.0" in worker.ask("/metrics")[1].splitlines()

    worker.health.ready("assignment")
    worker.health.ready("restore outfall.matches/3")
    worker.health.ready("what never was a reason")
    assert worker.ask("/readyz") == (200, "[]\n")
    assert worker.health.reasons == {}
    assert "outfall_ready 1.0" in worker.ask("/metrics")[1].splitlines()


def test_it_is_alive_as_long_as_the_event_loop_turns(worker: Worker) -> None:
    worker.now += 1000
    assert worker.ask("/healthz") == (200, "ok\n"), "it has not begun to turn: rules may take long to load"
    worker.health.beat()
    worker.now += 30
    assert worker.ask("/healthz") == (200, "ok\n")
    worker.now += 1
    assert worker.ask("/healthz") == (503, "the event loop has not turned for 31 s\n")
    assert "outfall_beat_age_seconds 31.0" in worker.ask("/metrics")[1].splitlines()
    worker.health.beat()
    assert worker.ask("/healthz") == (200, "ok\n")


def test_not_being_ready_is_no_reason_to_be_started_anew(worker: Worker) -> None:
    worker.health.not_ready("breaker proxy", "breaker open: proxy")
    assert worker.ask("/healthz")[0] == 200


def test_a_server_is_not_needed() -> None:
    with Health(Metrics(), "") as health:
        health.beat()
        assert health.port is None
        assert health.reasons == {STARTING: "starting"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics?name=x", 200),
        ("HEAD", "/healthz", 200),
        ("GET", "/", 404),
        ("GET", "/metrics/", 404),
        ("POST", "/metrics", 501),
        ("GET", "/" + "x" * 70_000, 414),
    ],
)
def test_only_what_is_there_is_answered(worker: Worker, method: str, path: str, status: int) -> None:
    assert worker.health.port
    answered, body = ask(worker.health.port, path, method=method)
    assert answered == status
    assert (method == "HEAD") == (body == "")


def test_a_port_that_is_taken_is_a_problem_of_the_configuration() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigError, match=listen), Health(Metrics(), listen):
            pass


@pytest.mark.parametrize("listen", ["127.0.0.1:99999", "no.such.host.invalid:0", "192.0.2.1:0"])
def test_where_nobody_can_listen_is_told(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"worker\.listen"), Health(Metrics(), listen):
        pass


def test_it_listens_on_ipv6() -> None:
    try:
        with Health(Metrics(), "[::1]:0") as health:
            assert health.port
            assert ask(health.port, "/healthz", host="::1") == (200, "ok\n")
    except ConfigError as error:
        pytest.skip(f"did not run: {error}")


def test_the_port_is_free_afterwards() -> None:
    with Web("127.0.0.1:0", {"/": lambda: Answer(b"first")}) as first:
        port = first.port
        assert ask(port, "/") == (200, "first")
    with pytest.raises(ConnectionRefusedError):
        ask(port, "/")
    with Web(f"127.0.0.1:{port}", {"/": lambda: Answer(b"second")}):
        assert ask(port, "/") == (200, "second")


def test_whoever_asks_slowly_is_cut_off_and_nobody_waits_for_them() -> None:
    with Web("127.0.0.1:0", {"/": lambda: Answer(b"here")}, deadline=1) as web:
        with contextlib.ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection(("127.0.0.1", web.port))) for _ in range(16)]
            for each in slow:
                each.settimeout(10)
                each.sendall(b"GET / HT")
            time.sleep(0.2)
            with pytest.raises((http.client.HTTPException, OSError)):
                ask(web.port, "/")  # all sixteen places are taken
            slow[0].sendall(b"TP")  # going on slowly does not help
            assert slow[0].recv(1) == b""
        wait_for("a place", lambda: _answers(web.port), seconds=10)


def _answers(port: int) -> bool:
    try:
        return ask(port, "/") == (200, "here")
    except (http.client.HTTPException, OSError):
        return False


def test_pages_are_made_while_others_are() -> None:
    with Web("127.0.0.1:0", {"/": lambda: Answer(b"x" * 1_000_000)}) as web, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ask(web.port, "/"), range(64)))
    assert {(status, len(body)) for status, body in answers} == {(200, 1_000_000)}


def test_a_page_that_fails_costs_only_its_answer() -> None:
    def fail() -> Answer:
        raise RuntimeError("no")

    with Web("127.0.0.1:0", {"/": fail, "/other": lambda: Answer(b"other")}) as web:
        with pytest.raises(http.client.HTTPException):
            ask(web.port, "/")
        assert ask(web.port, "/other") == (200, "other")
