"""The topics of raw records as they are in Kafka, for those who send to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from streams.errors import ConfigError
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import admin
from streams.source_settings import KafkaSource

_LARGEST = "max.message.bytes"
_USUAL = 1024 * 1024 + 12
"""The largest batch, in bytes, that Kafka takes where nobody has set another."""


class RawTopic(NamedTuple):
    """A topic, how many partitions it has, and the largest batch of records, in bytes, that it takes."""

    name: str
    partitions: int
    largest: int


def raw_topics(kafka: Kafka, sources: Iterable[KafkaSource]) -> dict[str, RawTopic]:
    """Look up the topics of some sources, by the name of the source.

    Raises:
        ConfigError: no broker answers, or with every topic that is not there or may not be looked at.
    """
    names = {source.topic: source.name for source in sources}
    client = admin(kafka)
    try:
        found = {topic["name"]: topic for topic in client.describe_topics(list(names))}
        problems = [_problem(name, source, found) for name, source in names.items()]
        if any(problems):
            raise ConfigError([problem for problem in problems if problem])
        largest = _largest(client, names)
    except KafkaError as error:
        raise ConfigError([f"the topics cannot be looked at: {error}"]) from None
    finally:
        client.close()
    return {
        source: RawTopic(name, len(found[name]["partitions"]), largest.get(name, _USUAL))
        for name, source in names.items()
    }


def _problem(name: str, source: str, found: dict[str, Any]) -> str | None:
    code = found.get(name, {}).get("error_code", 3)
    if code == 3:  # UNKNOWN_TOPIC_OR_PARTITION
        return f"source {source}: there is no topic {name}; `outfall topics create` makes it"
    if code:
        return f"source {source}: topic {name} cannot be used (Kafka's error {code}); see its ACLs"
    return None


def _largest(client: KafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Ask how large batches may be; who may not ask gets no answer."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, [_LARGEST]) for name in names]
    try:
        answers = client.describe_configs(asked, config_filter="all").get("topic", {})
    except KafkaError:
        return {}
    return {name: int(answer[_LARGEST]["value"]) for name, answer in answers.items() if _LARGEST in answer}
