"""What all workers of a prefix must have in common, and the record in which it is written down.

Workers that read one source differently, or make pseudonyms with different keys, would give other alerts
than one of them alone. The record is compacted: key `agreement` in topic `PREFIX.configuration`. Rules are
not part of it, since two rule books may run side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.enrich.pseudonym import Pseudonymiser
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import PATIENCE, client_arguments
from streams.runtime.reading import reading, wait_for
from streams.setting_types import say_duration
from streams.settings import Settings
from streams.source_settings import KafkaSource

KEY = b"agreement"
_WHAT_TO_DO = "set what was agreed, or stop all workers and let `outfall topics create --change` replace it"
_NOTHING = "nothing"
_CANONICAL = orjson.OPT_SORT_KEYS


def agreement(settings: Settings, pseudonyms: Pseudonymiser) -> dict[str, Any]:
    """Give `{"settings": {part: {name: value}}, "sha256": {part: …}}`; a part is a table of the settings."""
    parts: dict[str, dict[str, Any]] = {
        "": {"clock_skew": say_duration(settings.clock_skew)},
        "kafka": {"prefix": settings.kafka.prefix, "partitions": settings.kafka.partitions},
        "limits": settings.limits.model_dump(),
        "pseudonym_key": {"id": pseudonyms.key_id, "check": pseudonyms.key_check},
    }
    for source in settings.sources:
        if isinstance(source, KafkaSource):
            parts[f"sources.{source.name}"] = {
                "topic": source.topic,
                "partitions": source.partitions,
                "format": source.format,
                "zone": str(source.zone),
                "lateness": say_duration(source.lateness),
            }
    return {"settings": parts, "sha256": {name: _sha256(part) for name, part in parts.items()}}


def digest(agreed: Mapping[str, Any]) -> str:
    """Give the hash by which alerts and metrics name what was agreed."""
    return hashlib.sha256(orjson.dumps(agreed, option=_CANONICAL)).hexdigest()


def differences(ours: Mapping[str, Any], theirs: object) -> list[str]:
    """Say each setting that is not as agreed: its name, what is set here, what was agreed.

    `theirs` is what `read` gave; where it is no agreement, that alone is said.
    """
    if not _sound(theirs):
        return ["its record is not as outfall writes it, or was changed by hand"]
    here, there = dict(_flat(ours)), dict(_flat(theirs))
    return [
        f"{name}: {here.get(name, _NOTHING)} is set here, and {there.get(name, _NOTHING)} was agreed"
        for name in sorted(here.keys() | there.keys())
        if here.get(name) != there.get(name)
    ]


def problems(ours: Mapping[str, Any], theirs: object) -> list[str]:
    """Say for what a worker must not start, and what to do."""
    if theirs is None:
        return ["agreement: there is none; `outfall topics create` writes down what is set here"]
    return [f"agreement: {difference}; {_WHAT_TO_DO}" for difference in differences(ours, theirs)]


def read(kafka: Kafka, topic: str) -> object:
    """Give the last agreement that was written, None if there is none; it may be anything.

    Within an event loop, call it in a thread.

    Raises:
        ConfigError: it cannot be read.
    """
    last = wait_for(f"topic {topic}: the agreement cannot be read", _last(kafka, topic), PATIENCE)
    if last is None:
        return None
    try:
        return orjson.loads(last)
    except orjson.JSONDecodeError:
        return {}


def write(kafka: Kafka, topic: str, agreed: Mapping[str, Any]) -> None:
    """Write an agreement, in place of the one that was there. Within an event loop, call it in a thread.

    Raises:
        ConfigError: the brokers do not take it.
    """
    wait_for(f"topic {topic}: the agreement cannot be written", _put(kafka, topic, agreed), PATIENCE)


async def _last(kafka: Kafka, topic: str) -> bytes | None:
    place = TopicPartition(topic, 0)
    last: bytes | None = None
    async with reading(kafka, isolation_level="read_committed") as consumer:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        end = (await consumer.end_offsets([place]))[place]
        while await consumer.position(place) < end:
            for record in (await consumer.getmany(place, timeout_ms=500)).get(place, ()):
                last = record.value if record.key == KEY else last
    return last


async def _put(kafka: Kafka, topic: str, agreed: Mapping[str, Any]) -> None:
    producer = AIOKafkaProducer(**client_arguments(kafka), enable_idempotence=True)
    try:
        await producer.start()
        await producer.send_and_wait(topic, orjson.dumps(agreed, option=_CANONICAL), KEY, 0)
    finally:
        await producer.stop()


def _flat(agreed: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for part, settings in agreed["settings"].items():
        for name, value in settings.items():
            yield (f"{part}.{name}" if part else name), value


def _sound(agreed: object) -> TypeGuard[dict[str, Any]]:
    match agreed:
        case {"settings": dict(parts), "sha256": dict(digests)}:
            named = all(isinstance(part, dict) for part in parts.values())
            return named and digests == {name: _sha256(part) for name, part in parts.items()}
    return False


def _sha256(part: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(part, option=_CANONICAL)).hexdigest()
