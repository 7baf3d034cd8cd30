"""Workers on a real broker, disturbed in many ways: the alerts are those of the pipeline in one piece.

Beside that each hop between topics is held to exactly-once, and offsets to positions (`services/ledger.py`,
`services/tail.py`). The same at length: `soak_workers.py`, by `make soak`.
"""

from __future__ import annotations

from random import Random

import pytest

from services.chaos import Run, disturbed
from services.council import Council, council
from services.kafka import Kafka
from services.kafka import kafka as own_kafka
from services.workers import Live
from streams.alert import Alert

pytestmark = pytest.mark.services

PEOPLE = 40


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Council:
    return council(tmp_path_factory.mktemp("council"), people=PEOPLE)


@pytest.fixture(scope="module")
def expected(day: Council) -> list[Alert]:
    return day.replayed(Live(day, Kafka("127.0.0.1:9092")).written().settings)


@pytest.fixture
def live(day: Council, kafka: Kafka) -> Live:
    return Live(day, kafka).make()


def chance(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - repeatable, not secret


def test_a_day_gives_the_alerts_of_a_replay(live: Live, expected: list[Alert]) -> None:
    assert max(alert.exposure.people for alert in expected) >= 400
    figures = disturbed(live, expected)
    assert figures["ended themselves"] == figures["read again"] == 0


def test_partitions_that_come_and_go_before_anything_is_committed(live: Live, expected: list[Alert]) -> None:
    with live.produced():
        pass

    def intrude(run: Run) -> None:
        for _ in range(8):
            run.intrude()

    disturbed(live, expected, intrude, produce=None)


def test_killed_workers(live: Live, expected: list[Alert]) -> None:
    chosen = chance(1)

    def kill(run: Run) -> None:
        for _ in range(4):
            run.pause(chosen, 1, 2.5)
            run.workers.kill(chosen)

    figures = disturbed(live, expected, kill, workers=2, produce=("--rate", "700"))
    assert figures["killed"] == 4


def test_a_worker_that_wakes_up_to_find_its_partitions_gone(live: Live, expected: list[Alert]) -> None:
    chosen = chance(2)

    def freeze(run: Run) -> None:
        run.pause(chosen, 1, 2)
        run.freeze(chosen)

    disturbed(live, expected, freeze, workers=2, produce=("--rate", "700"))


def test_a_broker_that_is_killed_and_comes_back(day: Council, expected: list[Alert]) -> None:
    with own_kafka() as cluster:
        (broker,) = cluster.brokers

        def restart(run: Run) -> None:
            run.pause(chance(3), 2, 3)
            broker.kill()
            broker.start()
            cluster.wait()

        disturbed(Live(day, cluster).make(), expected, restart, produce=("--rate", "700"))


def test_workers_that_are_asked_to_stop_commit_what_they_did(live: Live, expected: list[Alert]) -> None:
    def stop(run: Run) -> None:
        run.pause(chance(4), 2, 3)
        for status, seconds in run.workers.end():
            assert status == 0
            assert seconds < 30
        run.workers.start()

    figures = disturbed(live, expected, stop, workers=2, produce=("--rate", "700"))
    assert figures["read again"] == 0
    assert figures["killed"] == figures["ended themselves"] == 0
