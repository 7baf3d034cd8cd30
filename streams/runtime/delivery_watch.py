"""Tells metrics, health and the log how a delivery is going."""

from __future__ import annotations

import time
from collections.abc import Iterable

from streams import log
from streams.metrics import Metrics
from streams.runtime.health import PATIENCE, STARTING, Health

logger = log.get(__name__)
_AWAY = "sink"


class DeliveryWatch:
    """How delivery to one sink is going; `name` is `index`, `index-events` or `page`."""

    def __init__(self, name: str, metrics: Metrics, health: Health) -> None:
        self._name = name
        self._metrics = metrics
        self._health = health
        self._read = time.monotonic()
        self._metrics.set("outfall_sink_away", 0, sink=name)

    def connected(self) -> None:
        """Take note that records are read."""
        self._health.ready(STARTING)
        logger.info("delivering", sink=self._name)

    def beat(self) -> None:
        """Take note that the event loop turns."""
        self._health.beat()

    def reads(self) -> None:
        """Take note that Kafka is there: records are being read, or there are none."""
        self._read = time.monotonic()

    def alive(self) -> bool:
        """Tell whether records have been read just now."""
        return time.monotonic() - self._read < PATIENCE

    def lags(self, topic: str, partition: int, records: int) -> None:
        """Take note of how many records of a partition wait."""
        self._metrics.set("outfall_consumer_lag_records", records, topic=topic, partition=partition)

    def done(self, outcome: str, items: int) -> None:
        """Take note of what became of what was sent."""
        self._metrics.count("outfall_delivered_total", items, sink=self._name, outcome=outcome)

    def again(self, reason: str, items: int) -> None:
        """Take note of what must be sent again."""
        self._metrics.count("outfall_delivery_retries_total", items, sink=self._name, reason=reason)
        self._metrics.set("outfall_sink_away", 1, sink=self._name)
        self._health.not_ready(_AWAY, f"{self._name}: what is sent is not taken: {reason}")
        logger.warning("not taken; it is sent again", sink=self._name, reason=reason, count=items)

    def goes_on(self) -> None:
        """Take note that the sink takes what it is sent."""
        self._metrics.set("outfall_sink_away", 0, sink=self._name)
        self._health.ready(_AWAY)

    def delivered(self, ages: Iterable[float]) -> None:
        """Take note of what is safe in the sink, and of the seconds since each was appended."""
        for age in ages:
            self._metrics.observe("outfall_delivery_seconds", max(0.0, age), sink=self._name)

    def buried(self, source: str, error: str) -> None:
        """Take note of one of `alerts` or `events` that became a dead letter."""
        self._metrics.count("outfall_dead_letters_total", source=source, stage=self._name, error=error)
