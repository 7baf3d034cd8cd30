"""How fast `outfall rules backtest` runs: beside `outfall match` on the same records, which only matches.

`match` takes one log of one format at a time and neither enriches nor correlates; its time is the sum over
the logs of a simulated council, without that of starting it. Both are run as commands.
Usage: `python benchmarks/backtest.py [--json] [--quick] [--people N] [--days N] [--processes N …]`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
from live import Row, show
from live_worker import ENVIRONMENT, OUTFALL

from streams.simulate.run import Simulation, simulate
from streams.simulate.sources import SOURCES

RULES = Path(__file__).resolve().parents[1] / "rules"


def main() -> None:
    """Measure, and print a table or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true", help="print a JSON line for each row")
    parser.add_argument("--quick", action="store_true", help="one small day: whether it runs")
    parser.add_argument("--people", type=int, default=1000, help="who work at the council")
    parser.add_argument("--days", type=int, default=30, help="that are simulated")
    parser.add_argument(
        "--processes", type=int, nargs="+", default=[1, 2, os.cpu_count() or 1], help="to try"
    )
    said = parser.parse_args()
    people, days = (60, 1) if said.quick else (said.people, said.days)
    with tempfile.TemporaryDirectory() as name:
        council = Path(name) / "council"
        simulate(Simulation(7004, people, days), council, RULES)
        rows = [*measured(council, said.processes)]
    if said.json:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(row) + b"\n")
    else:
        show(rows)


def measured(council: Path, numbers: Sequence[int]) -> list[Row]:
    """Run both over a council's logs."""
    nothing = ["match", "--rules", str(RULES), "--format", "ecs", os.devnull]
    timed(council, nothing)  # compiles the rules, which are kept from then on
    starting = min(timed(council, nothing) for _ in range(3))
    matching = 0.0
    for source in SOURCES.values():
        command = ["match", "--rules", str(RULES), "--format", source.format, f"logs/{source.file}"]
        matching += timed(council, command) - starting
    records = sum(path.read_bytes().count(b"\n") for path in (council / "logs").iterdir())
    rows: list[Row] = [_row("outfall match", records, matching, matching)]
    for processes in sorted(set(numbers)):
        command = ["rules", "backtest", "--rules", str(RULES), "--processes", str(processes)]
        seconds = timed(council, command) - starting
        rows.append(_row(f"backtest, {processes} processes", records, seconds, matching))
    return rows


def _row(name: str, records: int, seconds: float, yardstick: float) -> Row:
    return {
        "measured": name,
        "records": records,
        "records_s": round(records / seconds),
        "ratio": round(yardstick / seconds, 2),
    }


def timed(council: Path, arguments: Sequence[str]) -> float:
    """Give the seconds that a command of ours takes."""
    begun = time.perf_counter()
    done = subprocess.run(  # noqa: S603 - our own command
        [OUTFALL, *arguments],
        cwd=council,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
