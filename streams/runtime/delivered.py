"""What is delivered: alerts, or events; where it comes from and how its records are read."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic

from pydantic import ValidationError

from streams.alert import Alert
from streams.errors import ConfigError, RecordError
from streams.runtime.topics import Topics
from streams.sinks.elasticsearch_events import StoredEvent, read_event
from streams.sinks.sink import T


@dataclass(frozen=True, slots=True)
class Delivered(Generic[T]):
    """`name` is what dead letters say instead of a source's; of what has the same `key` the last one counts.

    `read` raises RecordError where a record is none.
    """

    name: str
    topic: str
    read: Callable[[Any], T]
    key: Callable[[T], Hashable]


def alerts(topics: Topics) -> Delivered[Alert]:
    """Give the revisions of alerts."""
    return Delivered("alerts", topics.alerts, _alert, lambda alert: (alert.id, alert.revision))


def events(topics: Topics) -> Delivered[StoredEvent]:
    """Give the events as the rules saw them.

    Raises:
        ConfigError: workers write none.
    """
    if topics.events is None:
        raise ConfigError(["kafka.events is off, so that workers write no events that could be indexed"])
    return Delivered("events", topics.events, _event, lambda event: event.id)


def _alert(record: Any) -> Alert:
    try:
        return Alert.model_validate_json(record.value or b"")
    except ValidationError as error:
        # Where it is none, and not what stands there.
        places = [".".join(map(str, problem["loc"])) or problem["type"] for problem in error.errors()]
        raise RecordError(f"not an alert: {', '.join(places[:5])}") from None


def _event(record: Any) -> StoredEvent:
    return read_event(record.key, record.value, record.offset, record.timestamp / 1000)
