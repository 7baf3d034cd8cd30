"""The dead-man's switch of `outfall page` tells the truth: it is let go when no alert could come."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from services.alertmanager import alertmanager
from services.kafka import kafka as own_kafka
from services.live_worker import ENVIRONMENT, OUTFALL, LiveFolder
from services.process import free_port, running, wait_for

pytestmark = pytest.mark.services

QUIET = 4.0
"""Seconds without it: it is told every second."""


def test_it_is_let_go_while_kafka_is_away(tmp_path: Path) -> None:
    with own_kafka() as cluster, alertmanager(tmp_path / "alertmanager") as manager:
        paging = f'[paging]\nalertmanagers = ["{manager.address}"]\nrepeat = "1s"\nlisten = ""\n'
        live = LiveFolder(tmp_path, cluster.bootstrap, more=paging)
        (tmp_path / "rules").mkdir()
        made = live.outfall("topics", "create")
        assert made.returncode == 0, made.stderr
        command = [OUTFALL, "page", "--config", live.config(port=free_port())]

        def held() -> bool:
            return any(labels["alertname"] == "OutfallDeadMansSwitch" for labels in manager.firing())

        with running(command, output=tmp_path / "page", environment=ENVIRONMENT) as process:
            wait_for("the switch", held)
            (broker,) = cluster.brokers
            broker.kill()
            wait_for("the switch to be let go", lambda: not held(), seconds=60)
            time.sleep(QUIET)
            assert not held()
            assert process.poll() is None, "it waits for Kafka"
            broker.start()
            cluster.wait()
            wait_for("the switch to be held again", held, seconds=60)
