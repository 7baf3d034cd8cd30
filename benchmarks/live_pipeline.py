"""How fast workers take raw records to matches and alerts, for `live.py`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from live_kafka import Cluster
from live_worker import Sample, Setup, worker

STEPS = ("read", "trace", "correlate")
_POLL = 0.5
_BEGIN, _END = 0.1, 0.95
"""What is timed, as shares of the records: without the start, and without waiting for the last batches."""
_STUCK = 60.0


@dataclass(frozen=True)
class Figures:
    """Records a second, and microseconds of processor time for each record.

    `busy` is the share of the time that each worker's core was busy with it, `broker_busy` the broker's.
    `transactions` are those of each step, for a thousand records.
    """

    records_s: float
    worker_us: float
    broker_us: float
    busy: list[float]
    broker_busy: float
    transactions: dict[str, float]


def measure(setup: Setup, cluster: Cluster, records: int, cores: Sequence[int]) -> Figures:
    """Let as many workers as cores are named read what is in the raw topics."""
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(worker(setup, cluster, core, number)) for number, core in enumerate(cores)
        ]
        for one in workers:
            one.until_ready()
        begun = before = [one.sample() for one in workers]
        moved = time.monotonic()
        while True:
            time.sleep(_POLL)
            samples = [one.sample() for one in workers]
            if _events(samples) > _events(before):
                moved = time.monotonic()
            if _events(before) < _BEGIN * records <= _events(samples) < _END * records:
                begun = samples
            if _events(samples) >= _END * records:
                return _figures(begun, samples)
            if time.monotonic() > moved + _STUCK:
                raise RuntimeError(f"only {_events(samples):.0f} of {records} records were read")
            before = samples


def _events(samples: Sequence[Sample]) -> float:
    return sum(sample.events for sample in samples)


def _figures(begun: Sequence[Sample], ended: Sequence[Sample]) -> Figures:
    pairs = list(zip(begun, ended, strict=True))
    records = _events(ended) - _events(begun)
    seconds = [after.at - before.at for before, after in pairs]
    used = [after.worker - before.worker for before, after in pairs]
    broker = ended[0].broker - begun[0].broker
    return Figures(
        records_s=sum(
            (after.events - before.events) / passed
            for (before, after), passed in zip(pairs, seconds, strict=True)
        ),
        worker_us=1e6 * sum(used) / records,
        broker_us=1e6 * broker / records,
        busy=[one / passed for one, passed in zip(used, seconds, strict=True)],
        broker_busy=broker / seconds[0],
        transactions={
            step: 1e3 * sum(after.batches(step) - before.batches(step) for before, after in pairs) / records
            for step in STEPS
        },
    )
