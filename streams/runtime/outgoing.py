"""Where a task's outcome is sent: the records of Kafka that it becomes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import orjson

from streams.alert import Alert
from streams.event import Event
from streams.runtime.dead_letters import Letter
from streams.runtime.headers import Headers
from streams.runtime.stored_event import kept
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
        self, topics: Topics, topic: str, partition: int, *, partitions: int, max_message: int
    ) -> None:
        self._topics = topics
        self._most = max_message - _OVERHEAD
        self._partitions = partitions
        self.state = topics.state(topic)
        self.transactional_id = topics.transactional_id(topic, partition)

    def messages(self, sent: Sent, letters: Sequence[Letter]) -> Iterator[Record]:
        """Give the records that a batch has led to, except its state."""
        for topic, outputs in ((self._topics.content, sent.content), (self._topics.matches, sent.matches)):
            for partition, pieces in outputs.items():
                yield from (Record(topic, partition, None, piece) for piece in pieces)
        if self._topics.events is not None:
            yield from (self._event(self._topics.events, event) for event in sent.events)
        for alert in sent.alerts:
            fitted = alert.fitted(self._most)
            sent.counts["shortened"] += fitted.shortened
            yield self._alert(fitted)
        for letter in letters:
            kept = self._fitted(letter)
            yield Record(self._topics.dead_letters, None, None, kept.data, kept.headers())

    def _fitted(self, letter: Letter) -> Letter:
        """Cut off what no message holds: a compressed record may be larger than its topic's limit."""
        size = len(letter.data)
        if size <= self._most:
            return letter
        reason = f"{letter.reason}; of its {size} bytes the first {self._most} are kept here"
        return replace(letter, data=letter.data[: self._most], reason=reason)

    def _event(self, topic: str, event: Event) -> Record:
        key = event.id.encode()
        return Record(topic, self._spread(key), key, orjson.dumps(kept(event)))

    def _alert(self, alert: Alert) -> Record:
        key = alert.id.encode()
        return Record(self._topics.alerts, self._spread(key), key, alert.model_dump_json().encode())

    def _spread(self, key: bytes) -> int:
        """Give the partition of a key: all that is said of one alert, or event, stays in its order."""
        return zlib.crc32(key) % self._partitions
