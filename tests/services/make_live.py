"""`make live`: a Kafka of its own, workers, and a simulated council whose alerts are shown as they come.

Everything runs on loopback, in a temporary folder, and is gone at the end or at Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from rich.console import Console

from services.kafka import kafka
from services.process import free_port, running, wait_for
from streams.simulate.run import Simulation, simulate
from streams.simulate.sources import SOURCES

CHECKOUT = Path(__file__).resolve().parents[2]
OUTFALL = Path(sys.executable).with_name("outfall")
console = Console(stderr=True, highlight=False)


def main() -> None:
    """Read the arguments, and play until the day is over."""
    parser = argparse.ArgumentParser(description="A live outfall on this machine.")
    parser.add_argument("--people", type=int, default=200, help="employees of the council")
    parser.add_argument("--speed", type=float, default=1800, help="so many times faster than it happens")
    parser.add_argument("--workers", type=int, default=2)
    wanted = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        play(wanted.people, wanted.speed, wanted.workers)


def play(people: int, speed: float, workers: int) -> None:
    """Start everything, send a day, and wait until the workers have read it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outfall-live-")))
        console.print(f"A council of {people} people writes its logs", style="dim")
        simulate(Simulation(1, people, 1), folder, CHECKOUT / "rules")
        console.print("Kafka starts", style="dim")
        broker = stack.enter_context(kafka())
        environment = os.environ | {
            "OUTFALL_CONFIG": str(folder / "live.toml"),
            "OUTFALL_KAFKA__BOOTSTRAP": json.dumps([broker.bootstrap]),
        }
        called(["topics", "create"], environment, stdout=subprocess.DEVNULL)
        for number in range(workers):
            port = free_port()
            console.print(f"Worker {number + 1} starts: http://127.0.0.1:{port}/metrics", style="dim")
            settings = environment | {"OUTFALL_WORKER__LISTEN": f"127.0.0.1:{port}"}
            output = folder / f"worker-{number + 1}.log"
            stack.enter_context(running([OUTFALL, "worker"], output=output, environment=settings))
            wait_for("the worker to have partitions", lambda log=output: assigned(log), seconds=60)
        watching = subprocess.Popen([OUTFALL, "alerts", "watch"], env=environment)
        stack.callback(ended, watching)
        hours = f"the day passes in {86_400 / speed:.0f} s"
        console.print(f"{hours}; every alert is shown when its severity rises", style="dim")
        logs = [f"{name}={folder / 'logs' / source.file}" for name, source in SOURCES.items()]
        sent = ["produce", f"--speed={speed}", "--let-pass=2h", *logs]
        called(sent, environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the workers to have read everything", lambda: waiting(environment) < 100, seconds=60)
        console.print(f"{waiting(environment)} records wait; the day is over", style="dim")


def assigned(log: Path) -> bool:
    """Tell whether a worker has said that it has partitions."""
    return "partitions assigned" in log.read_text(encoding="utf-8")


def waiting(environment: dict[str, str]) -> int:
    """Give how many records, and marks of transactions, the workers have not read yet."""
    done = subprocess.run([OUTFALL, "lag"], env=environment, capture_output=True, check=True)
    return sum(json.loads(line).get("lag") or 0 for line in done.stdout.splitlines())


def called(
    arguments: list[str], environment: dict[str, str], *, stdout: int | IO[bytes], stderr: int | None = None
) -> None:
    """Run a command of ours to its end."""
    subprocess.run([OUTFALL, *arguments], env=environment, stdout=stdout, stderr=stderr, check=True)


def ended(process: subprocess.Popen[bytes]) -> None:
    """End the process that shows alerts."""
    process.terminate()
    process.wait(10)


if __name__ == "__main__":
    main()
