"""The faults of `test_worker_faults.py` at length; `make soak` runs it, `make test` does not collect it.

`KILLS`, `FREEZES` and `RESTARTS` in the environment say how often; by default as often as we promise.
"""

from __future__ import annotations

import os

import pytest
from test_worker_faults import chance

from services.chaos import Run, disturbed
from services.council import Council, council
from services.kafka import Kafka
from services.kafka import kafka as own_kafka
from services.workers import Live
from streams.alert import Alert

pytestmark = pytest.mark.services

KILLS = int(os.environ.get("KILLS", "100"))
FREEZES = int(os.environ.get("FREEZES", "20"))
RESTARTS = int(os.environ.get("RESTARTS", "3"))
PEOPLE = 200
LONG = 600.0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Council:
    return council(tmp_path_factory.mktemp("council"), people=PEOPLE)


@pytest.fixture(scope="module")
def expected(day: Council) -> list[Alert]:
    return day.replayed(Live(day, Kafka("127.0.0.1:9092")).written().settings)


def paced(day: Council, seconds: float) -> tuple[str, str]:
    """Send the day so slowly that it lasts as long as the disturbance."""
    return "--rate", str(max(20, int(day.records / seconds)))


def test_many_killed_workers(day: Council, expected: list[Alert]) -> None:
    chosen = chance(11)

    def kill(run: Run) -> None:
        for _ in range(KILLS):
            run.pause(chosen, 1, 4)
            run.workers.kill(chosen)

    with own_kafka() as cluster:
        live = Live(day, cluster).make()
        figures = disturbed(live, expected, kill, workers=3, produce=paced(day, 2.5 * KILLS), seconds=LONG)
    assert figures["killed"] == KILLS


def test_many_workers_that_wake_up_late(day: Council, expected: list[Alert]) -> None:
    chosen = chance(12)

    def freeze(run: Run) -> None:
        for _ in range(FREEZES):
            run.pause(chosen, 8, 12)  # until the group has settled: one that joins is waited for long
            run.freeze(chosen)

    with own_kafka() as cluster:
        live = Live(day, cluster).make()
        disturbed(live, expected, freeze, workers=3, produce=paced(day, 16.0 * FREEZES), seconds=LONG)


def test_a_broker_that_is_killed_again_and_again(day: Council, expected: list[Alert]) -> None:
    with own_kafka() as cluster:
        (broker,) = cluster.brokers

        def restart(run: Run) -> None:
            for _ in range(RESTARTS):
                run.pause(chance(13), 5, 10)
                broker.kill()
                broker.start()
                cluster.wait()

        live = Live(day, cluster).make()
        disturbed(live, expected, restart, workers=2, produce=paced(day, 15.0 * RESTARTS), seconds=LONG)


def test_one_of_three_brokers_is_lost(day: Council, expected: list[Alert]) -> None:
    with own_kafka(3) as cluster:

        def lose(run: Run) -> None:
            run.pause(chance(14), 5, 10)
            cluster.brokers[1].kill()
            run.pause(chance(15), 20, 30)

        live = Live(day, cluster).make()
        disturbed(live, expected, lose, workers=2, produce=paced(day, 45.0), seconds=LONG)
