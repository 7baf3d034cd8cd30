"""The broker that all tests of a run share, in however many processes they are."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from services.kafka import Kafka, kafka
from services.kafka_broker import jars
from services.process import wait_for

GIVEN = "TEST_KAFKA"  # host:port of a broker that is there already
TESTS = Path(__file__).resolve().parents[1]


def shared_kafka(folder: Path, run: int) -> Kafka:
    """Give the broker of the test run whose main process is `run` and whose processes share `folder`.

    Whoever asks first starts it, in a process that belongs to none of them: each may end before the others.
    """
    if address := os.environ.get(GIVEN):
        return Kafka(address)
    jars()
    address_file = folder / "kafka"
    with (folder / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address_file.exists():
            _start(address_file, run)
    return Kafka(address_file.read_text())


def _start(address_file: Path, run: int) -> None:
    printed = address_file.with_suffix(".printed")
    with printed.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "services.shared_kafka", address_file, str(run)],
            cwd=TESTS,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def started() -> bool:
        assert keeper.poll() is None, f"the shared broker did not start: {printed.read_text()[-2000:]}"
        return address_file.exists()

    wait_for("the shared broker", started, seconds=120)


def keep(address_file: Path, run: int) -> None:
    """Run a broker and write down where it is; end when the process `run` has ended, in whichever way."""
    with kafka() as cluster:
        aside = address_file.with_suffix(".aside")
        aside.write_text(cluster.bootstrap)
        aside.rename(address_file)
        while _exists(run):
            time.sleep(0.2)


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    keep(Path(sys.argv[1]), int(sys.argv[2]))
