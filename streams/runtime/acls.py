"""What each role must be allowed on Kafka, and no more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from streams.errors import ConfigError
from streams.runtime.topics import Topics

CLUSTER = "kafka-cluster"
"""What Kafka calls the one cluster that there is."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations on a resource, in Kafka's words; `prefixed` where the name is only how names begin.

    Reading and writing imply describing.
    """

    resource: str
    name: str
    operations: tuple[str, ...]
    prefixed: bool = False


def worker(topics: Topics) -> Iterator[Grant]:
    """Give what `outfall worker` must be allowed: transactions included, making topics not.

    Brokers since 2.8 let who may write also write idempotently.
    """
    for topic in topics.sources:
        yield Grant("TOPIC", topic, ("READ",))
    for topic in (topics.content, topics.matches, *map(topics.state, topics.inputs)):
        yield Grant("TOPIC", topic, ("READ", "WRITE", "DESCRIBE_CONFIGS"))
    for topic in filter(None, (topics.events, topics.alerts, topics.dead_letters)):
        yield Grant("TOPIC", topic, ("WRITE", "DESCRIBE_CONFIGS"))
    yield Grant("TOPIC", topics.configuration, ("READ", "DESCRIBE_CONFIGS"))
    yield Grant("GROUP", topics.group, ("READ",))
    yield Grant("TRANSACTIONAL_ID", f"{topics.prefix}/", ("WRITE",), prefixed=True)


def producer(topics: Topics) -> Iterator[Grant]:
    """Give what those must be allowed who bring raw records: they cannot read any.

    `outfall produce` asks how large a record the topic takes.
    """
    for topic in topics.sources:
        yield Grant("TOPIC", topic, ("WRITE", "DESCRIBE_CONFIGS"))


def _reading(topics: Topics, topic: str) -> Iterator[Grant]:
    yield Grant("TOPIC", topic, ("READ",))
    yield Grant("GROUP", f"{topics.prefix}.", ("READ",), prefixed=True)


def reader(topics: Topics) -> Iterator[Grant]:
    """Give what those must be allowed who take alerts, with consumer groups that begin with `PREFIX.`."""
    yield from _reading(topics, topics.alerts)


def deliverer(topics: Topics) -> Iterator[Grant]:
    """Give what `outfall index` and `outfall page` must be allowed: what readers are, and dead letters.

    For `outfall index --events` also what hunters are.
    """
    yield from reader(topics)
    if topics.events is not None:
        yield Grant("TOPIC", topics.events, ("READ",))
    yield Grant("TOPIC", topics.dead_letters, ("WRITE",))


def hunter(topics: Topics) -> Iterator[Grant]:
    """Give what those must be allowed who take events: the same as readers, of another topic.

    Raises:
        ConfigError: workers write no events.
    """
    if topics.events is None:
        raise ConfigError(["hunter: kafka.events is off, so that there are no events to read"])
    yield from _reading(topics, topics.events)


def operator(topics: Topics) -> Iterator[Grant]:
    """Give what people must be allowed who make topics, publish rules, watch the lag, handle dead letters.

    They read no records but the dead ones, which they may send once more to where they came from. Purging
    those needs `DELETE`, which Kafka does not tell from deleting the topic.
    """
    making = ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS")
    resent = filter(None, (topics.alerts, topics.events))
    also: dict[str, tuple[str, ...]] = dict.fromkeys(
        (*topics.sources, topics.content, topics.matches, *resent), ("WRITE",)
    )
    also |= {topics.configuration: ("READ", "WRITE"), topics.dead_letters: ("READ", "WRITE", "DELETE")}
    for topic in topics:
        yield Grant("TOPIC", topic.name, (*making, *also.get(topic.name, ())))
    yield Grant("GROUP", topics.group, ("DESCRIBE",))
    for name in (topics.publisher, topics.dead_letters):
        yield Grant("TRANSACTIONAL_ID", name, ("WRITE",))
    yield Grant("CLUSTER", CLUSTER, ("DESCRIBE", "DESCRIBE_CONFIGS"))


ROLES: dict[str, Callable[[Topics], Iterable[Grant]]] = {
    "worker": worker,
    "producer": producer,
    "reader": reader,
    "deliverer": deliverer,
    "hunter": hunter,
    "operator": operator,
}


def apply(admin: KafkaAdminClient, granted: Iterable[tuple[str, Grant]]) -> int:
    """Create the ACLs that allow principals what they are granted, and give how many; repeating is harmless.

    Raises:
        ConfigError: with all refusals.
    """
    acls = [
        ACL(
            principal=principal,
            host="*",
            operation=ACLOperation[operation],
            permission_type=ACLPermissionType.ALLOW,
            resource_pattern=ResourcePattern(
                ResourceType[grant.resource],
                grant.name,
                ACLResourcePatternType.PREFIXED if grant.prefixed else ACLResourcePatternType.LITERAL,
            ),
        )
        for principal, grant in granted
        for operation in grant.operations
    ]
    failed = {error.__name__ for error in admin.create_acls(acls)["failed"]}
    if failed:
        raise ConfigError([f"kafka: the brokers do not create ACLs: {name}" for name in sorted(failed)])
    return len(acls)
