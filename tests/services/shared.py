"""The servers that all tests of a run share, in however many processes they are."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from services import elasticsearch as search
from services import kafka_broker
from services.elasticsearch import elasticsearch
from services.kafka import kafka
from services.process import wait_for

GIVEN = "TEST_KAFKA"  # host:port of a broker that is there already
TESTS = Path(__file__).resolve().parents[1]


def shared(name: str, folder: Path, run: int) -> str:
    """Give the address of a server of the test run whose main process is `run`; its processes share `folder`.

    Whoever asks first starts it, in a process that belongs to none of them: each may end before the others.
    """
    if name == "kafka" and (given := os.environ.get(GIVEN)):
        return given
    _FETCHED[name]()
    address_file = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address_file.exists():
            _start(name, address_file, run)
    return address_file.read_text()


def _start(name: str, address_file: Path, run: int) -> None:
    printed = address_file.with_suffix(".printed")
    with printed.open("wb") as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "services.shared", name, address_file, str(run)],
            cwd=TESTS,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def started() -> bool:
        assert keeper.poll() is None, f"the shared {name} did not start: {printed.read_text()[-2000:]}"
        return address_file.exists()

    wait_for(f"the shared {name}", started, seconds=150)


@contextlib.contextmanager
def _kafka() -> Iterator[str]:
    with kafka() as cluster:
        yield cluster.bootstrap


@contextlib.contextmanager
def _elasticsearch() -> Iterator[str]:
    with elasticsearch() as server:
        yield server.address


_FETCHED: dict[str, Callable[[], object]] = {"kafka": kafka_broker.jars, "elasticsearch": search.program}
_STARTED = {"kafka": _kafka, "elasticsearch": _elasticsearch}


def keep(name: str, address_file: Path, run: int) -> None:
    """Run a server and write down where it is; end when the process `run` has ended, in whichever way."""
    with _STARTED[name]() as address:
        aside = address_file.with_suffix(".aside")
        aside.write_text(address)
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
    keep(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
