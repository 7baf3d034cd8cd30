"""Runs workers over a council's day, disturbs them, and holds what they did to an undisturbed run."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from episodes import same
from services.ledger import Ledger
from services.process import wait_for
from services.tail import Tail
from services.workers import Live, Workers
from streams.alert import Alert

ASSIGNED = '"partitions assigned"'
AGAIN = '"records read again"'


@dataclass(frozen=True)
class Run:
    """A run under way: its workers, who reads along, and whether records are still being sent."""

    workers: Workers
    tail: Tail
    sending: Callable[[], bool]

    def pause(self, chance: Random, least: float, most: float) -> bool:
        """Let the workers work for a while; tell whether records are still being sent after it."""
        end = time.monotonic() + chance.uniform(least, most)
        while self.sending() and time.monotonic() < end:
            time.sleep(0.05)
        return self.sending()

    def freeze(self, chance: Random) -> None:
        """Stop one of several workers until the others have its partitions, then let it wake up."""
        process = chance.choice(
            wait_for("two workers", lambda: len(self.workers.alive) > 1 and self.workers.alive)
        )
        process.send_signal(signal.SIGSTOP)
        before = len(self.workers.said(ASSIGNED))
        try:
            wait_for("others to take over", lambda: len(self.workers.said(ASSIGNED)) > before, seconds=60)
        finally:
            process.send_signal(signal.SIGCONT)

    def intrude(self) -> None:
        """Take partitions away for a moment, as a worker does that comes and goes without doing anything."""
        live = self.workers.live

        async def come_and_go() -> None:
            consumer = AIOKafkaConsumer(
                *live.topics.inputs,
                bootstrap_servers=live.kafka.bootstrap,
                group_id=live.topics.group,
                enable_auto_commit=False,
                partition_assignment_strategy=[StickyPartitionAssignor],
            )
            try:
                await consumer.start()
            finally:
                await consumer.stop()

        asyncio.run(come_and_go())


def disturbed(
    live: Live,
    expected: Sequence[Alert],
    disturb: Callable[[Run], None] = lambda _: None,
    *,
    workers: int = 1,
    produce: Sequence[str] | None = (),
    seconds: float = 120,
) -> dict[str, int]:
    """Run so many workers over the day while `disturb` does its worst; check everything, and give figures.

    `disturb` begins when one has partitions, and records are being sent; with `produce` None the day has been
    sent before. What it needs further is that all is done `seconds` after it has ended and all has been sent.
    """
    with Tail(live) as tail, Workers(live, workers) as running:
        try:
            wait_for("a worker", lambda: running.said(ASSIGNED) or running.unexpected, seconds=60)
            if produce is None:
                disturb(Run(running, tail, lambda: False))
            else:
                with live.produced(*produce) as producer:
                    disturb(Run(running, tail, lambda: producer.poll() is None))
            tail.wait_until_done(seconds)
            assert not running.unexpected, running.unexpected
        except BaseException:
            sys.stderr.write(running.tails())
            raise
        again = sum(json.loads(line)["records"] for line in running.said(AGAIN))
        figures = {
            "killed": running.statuses[-signal.SIGKILL],
            "ended themselves": running.statuses[4],
            "rebalances": len(running.said(ASSIGNED)),
            "looks at offsets": tail.looks,
            "read again": again,
        }
    ledger = Ledger(live, tail)
    figures |= ledger.check()
    same(ledger.alerts(), expected)
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in figures.items()) + "\n")
    return figures
