"""Finds and makes the topics that the settings want."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import NoError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from streams.enrich.pseudonym import Pseudonymiser
from streams.errors import ConfigError
from streams.runtime import agreement
from streams.runtime.kafka_client import ASK_ACLS, administration, patiently, said
from streams.runtime.topic_problems import COMPARED, Brokers, Found, impossible, problems
from streams.runtime.topics import Topic, Topics
from streams.settings import Settings

_LARGEST_REQUEST = "socket.request.max.bytes"


def check_topics(settings: Settings, pseudonyms: Pseudonymiser) -> list[str]:
    """Say everything for which a worker must not start: topics, brokers' limits, the agreement.

    Within an event loop, call it in a thread.

    Raises:
        ConfigError: the brokers cannot be asked.
    """
    topics = Topics(settings)
    with administration(settings.kafka) as admin:
        found = find(admin, (topic.name for topic in topics))
        told = [*impossible(settings, find_brokers(admin)), *problems(topics, found)]
    if topics.configuration in found:
        agreed = agreement.read(settings.kafka, topics.configuration)
        told += agreement.problems(agreement.agreement(settings, pseudonyms), agreed)
    return told


def find(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, Found]:
    """Give those of the topics that there are.

    Raises:
        ConfigError: with all topics that this user may not describe.
    """
    found: dict[str, tuple[int, int]] = {}
    refused: list[str] = []
    asked_for = list(names)
    for topic in patiently(lambda: admin.describe_topics(asked_for)):
        error = for_code(topic["error_code"])
        if error is NoError:
            partitions = topic["partitions"]
            copies = min(len(partition["replica_nodes"]) for partition in partitions)
            found[topic["name"]] = len(partitions), copies
        elif error is not UnknownTopicOrPartitionError:
            refused.append(f"topic {topic['name']}: {said(error())}; {ASK_ACLS}")
    if refused:
        raise ConfigError(refused)
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, list(COMPARED)) for name in found]
    answer = patiently(lambda: admin.describe_configs(asked, config_filter="all")) if asked else {}
    configs = answer.get("topic", {})
    return {
        name: Found(*counts, {key: entry["value"] for key, entry in configs.get(name, {}).items()})
        for name, counts in found.items()
    }


def find_brokers(admin: KafkaAdminClient) -> Brokers:
    """Give what bounds the settings on the brokers' side."""
    brokers = [one for one in patiently(admin.describe_cluster)["brokers"] if not one.get("is_fenced")]
    asked = [
        ConfigResource(ConfigResourceType.BROKER, str(broker["broker_id"]), [_LARGEST_REQUEST])
        for broker in brokers
    ]
    configs = patiently(lambda: admin.describe_configs(asked, config_filter="all")).get("broker", {})
    sizes = [int(entries[_LARGEST_REQUEST]["value"]) for entries in configs.values() if entries]
    return Brokers(len(brokers), min(sizes, default=None))


def create(admin: KafkaAdminClient, topics: Iterable[Topic]) -> list[str]:
    """Make topics that are missing: all of them, or none where the brokers refuse one; give the names.

    One that somebody else has made meanwhile is left as it is, and not among them.

    Raises:
        ConfigError: with all refusals.
    """
    wanted = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": topic.replication,
            "configs": dict(topic.config),
        }
        for topic in topics
    }
    if not wanted:
        return []
    _requested(admin, wanted, validate_only=True)
    made = _requested(admin, wanted, validate_only=False)
    admin.wait_for_topics(list(wanted), timeout_ms=60_000)
    return made


def _requested(admin: KafkaAdminClient, wanted: Mapping[str, object], *, validate_only: bool) -> list[str]:
    answer = admin.create_topics(wanted, validate_only=validate_only, raise_errors=False)
    made, refused = [], []
    for topic in answer["topics"]:
        error = for_code(topic["error_code"])
        if error is NoError:
            made.append(topic["name"])
        elif error is not TopicAlreadyExistsError:
            why = topic["error_message"] or said(error())
            refused.append(f"topic {topic['name']}: the brokers do not make it: {why}")
    if refused:
        raise ConfigError(refused)
    return made


def members(admin: KafkaAdminClient, group: str) -> int:
    """Give how many workers are in a consumer group.

    Raises:
        ConfigError: the brokers do not say.
    """
    described = patiently(lambda: admin.describe_groups([group]))[group]
    if described["error"] and described["group_state"] != "Dead":
        raise ConfigError([f"group {group}: {described['error']}"])
    return len(described["members"])
