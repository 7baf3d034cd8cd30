"""Topics as they are in Kafka, for those who read them or send to them without a consumer group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from streams.errors import ConfigError
from streams.kafka_settings import Kafka
from streams.runtime.kafka_client import ASK_ACLS, administration

_LARGEST = "max.message.bytes"
_USUAL = 1024 * 1024 + 12
"""The largest batch, in bytes, that Kafka takes where nobody has set another."""


class FoundTopic(NamedTuple):
    """A topic, how many partitions it has, and the largest batch of records, in bytes, that it takes."""

    name: str
    partitions: int
    largest: int


def find_topics(kafka: Kafka, wanted: Mapping[str, str]) -> dict[str, FoundTopic]:
    """Look topics up; `wanted` has the topic of each user, such as a source, and so has what is given.

    Raises:
        ConfigError: no broker answers, or with every topic that is not there or may not be looked at.
    """
    names = sorted(set(wanted.values()))
    with administration(kafka) as client:
        described = {topic["name"]: topic for topic in client.describe_topics(names)}
        largest = _largest(client, names)
    problems = [_problem(user, name, described.get(name, {})) for user, name in wanted.items()]
    if any(problems):
        raise ConfigError([problem for problem in problems if problem])
    return {
        user: FoundTopic(name, len(described[name]["partitions"]), largest.get(name, _USUAL))
        for user, name in wanted.items()
    }


def _problem(user: str, name: str, described: Mapping[str, Any]) -> str | None:
    code = described.get("error_code", 3)
    if code == 3:  # UNKNOWN_TOPIC_OR_PARTITION
        return f"{user}: there is no topic {name}; `outfall topics create` makes it"
    if code:
        return f"{user}: topic {name} cannot be used (Kafka's error {code}); {ASK_ACLS}"
    return None


def _largest(client: KafkaAdminClient, names: Iterable[str]) -> dict[str, int]:
    """Ask how large batches may be; who may not ask gets no answer."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, [_LARGEST]) for name in names]
    try:
        answers = client.describe_configs(asked, config_filter="all").get("topic", {})
    except KafkaError:
        return {}
    return {name: int(answer[_LARGEST]["value"]) for name, answer in answers.items() if _LARGEST in answer}
