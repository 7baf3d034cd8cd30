"""Where a task's outcome is sent: the records of Kafka that it becomes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.alert import Alert
from streams.runtime.dead_letters import Letter
from streams.runtime.headers import Headers
from streams.runtime.topics import Topics
from streams.stages.stage import Sent

_OVERHEAD = 64 * 1024
"""What a message has besides its value, at most."""


class Record(NamedTuple):
    """One record to be written; without a partition it goes to any."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes
    headers: Headers | None = None


class Outgoing:
    """The outputs of the task that reads one partition."""

    def __init__(
        self, topics: Topics, topic: str, partition: int, *, alert_partitions: int, max_message: int
    ) -> None:
        self._topics = topics
        self._max_alert = max_message - _OVERHEAD
        self._alert_partitions = alert_partitions
        self.state = topics.state(topic)
        self.transactional_id = topics.transactional_id(topic, partition)

    def messages(self, sent: Sent, letters: Sequence[Letter]) -> Iterator[Record]:
        """Give the records that a batch has led to, except its state."""
        for topic, outputs in ((self._topics.content, sent.content), (self._topics.matches, sent.matches)):
            for partition, pieces in outputs.items():
                yield from (Record(topic, partition, None, piece) for piece in pieces)
        for alert in sent.alerts:
            fitted = alert.fitted(self._max_alert)
            sent.counts["shortened"] += fitted.shortened
            yield self._alert(fitted)
        for letter in letters:
            yield Record(self._topics.dead_letters, None, None, letter.data, letter.headers())

    def _alert(self, alert: Alert) -> Record:
        key = alert.id.encode()
        partition = zlib.crc32(key) % self._alert_partitions
        return Record(self._topics.alerts, partition, key, alert.model_dump_json().encode())
