"""What all workers of a prefix must have in common, and the record in which it is written down.

Workers that read one source differently, or make pseudonyms with different keys, would give other alerts
than one of them alone. The record is compacted: key `agreement` in topic `PREFIX.configuration`. Rules are
not part of it, since two rule books may run side by side.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, TypeGuard

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from streams.enrich import EnrichConfig
from streams.errors import ConfigError
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import PATIENCE, said, short_arguments
from streams.setting_types import say_duration
from streams.settings import Settings
from streams.source_settings import KafkaSource

KEY = b"agreement"
_WHAT_TO_DO = "set what was agreed, or stop all workers and let `outfall topics create --change` replace it"
_NOTHING = "nothing"
_CANONICAL = orjson.OPT_SORT_KEYS


def agreement(settings: Settings, enrichment: EnrichConfig) -> dict[str, Any]:
    """Give `{"settings": {part: {name: value}}, "sha256": {part: …}}`; a part is a table of the settings."""
    parts: dict[str, dict[str, Any]] = {
        "": {"clock_skew": say_duration(settings.clock_skew)},
        "kafka": {"prefix": settings.kafka.prefix, "partitions": settings.kafka.partitions},
        "limits": settings.limits.model_dump(),
        "pseudonym_key": {
            "id": enrichment.pseudonyms.key_id,
            "check": enrichment.pseudonyms.key_check,
        },
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

    Raises:
        ConfigError: it cannot be read.
    """
    place = TopicPartition(topic, 0)
    last: bytes | None = None
    try:
        with closing(KafkaConsumer(**short_arguments(kafka), enable_auto_commit=False)) as consumer:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            end = consumer.end_offsets([place])[place]
            patience = time.monotonic() + PATIENCE
            while consumer.position(place) < end:
                batch = consumer.poll(timeout_ms=1000).get(place, ())
                last = next((record.value for record in reversed(batch) if record.key == KEY), last)
                if batch:
                    patience = time.monotonic() + PATIENCE
                elif time.monotonic() > patience:
                    raise ConfigError([f"topic {topic}: the brokers do not give the record `agreement`"])
    except KafkaError as error:
        raise ConfigError([f"topic {topic}: the agreement cannot be read: {said(error)}"]) from None
    if last is None:
        return None
    try:
        return orjson.loads(last)
    except orjson.JSONDecodeError:
        return {}


def write(kafka: Kafka, topic: str, agreed: Mapping[str, Any]) -> None:
    """Write an agreement, in place of the one that was there.

    Raises:
        ConfigError: the brokers do not take it.
    """
    try:
        with closing(KafkaProducer(**short_arguments(kafka), max_block_ms=PATIENCE * 1000)) as producer:
            producer.send(topic, key=KEY, value=orjson.dumps(agreed, option=_CANONICAL), partition=0).get(
                PATIENCE
            )
    except KafkaError as error:
        raise ConfigError([f"topic {topic}: the agreement cannot be written: {said(error)}"]) from None


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
