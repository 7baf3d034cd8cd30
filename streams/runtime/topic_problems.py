"""Compares the topics that the settings want with those that there are. Pure: `topic_admin` finds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from streams.runtime.kafka_client import ASK_ACLS
from streams.runtime.topics import FIXED, Topic, Topics
from streams.settings import Settings

REQUEST = 64 * 1024
"""Bytes that a request may have around a message: headers, names of topics, the transaction."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is; `replication` is that of the partition with the fewest copies.

    `config` holds what was asked for; it is empty where this user may not see it.
    """

    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Brokers:
    """How many brokers there are, and the most bytes of a request; None where this user may not see that."""

    count: int
    largest_request: int | None


def problems(wanted: Iterable[Topic], found: Mapping[str, Found]) -> list[str]:
    """Say everything that is not as it must be, and for each what to do; an empty list if all is well.

    More copies, larger messages and longer retention than wanted are fine, unless the topic has to forget.
    A raw topic may be made in any way, as long as its partitions are as many as the settings say.
    """
    told: list[str] = []
    for topic in wanted:
        if topic.name not in found:
            told.append(f"topic {topic.name}: there is none; `outfall topics create` makes it")
        else:
            told += [f"topic {topic.name}: {problem}" for problem in _differences(topic, found[topic.name])]
    return told


def impossible(settings: Settings, brokers: Brokers) -> list[str]:
    """Say which settings these brokers, or the settings themselves, cannot follow."""
    told: list[str] = []
    message, largest = settings.kafka.max_message, brokers.largest_request
    if largest is not None and message + REQUEST > largest:
        told.append(
            f"kafka.max_message: it is {message} and the brokers take requests of {largest} bytes (their"
            f" socket.request.max.bytes); set it to at most {largest - REQUEST}"
        )
    names = Counter(topic.name for topic in Topics(settings))
    told += [
        f"sources: their topics lead to {count} topics called {name}; call one of the sources' otherwise"
        for name, count in names.items()
        if count > 1
    ]
    return told


def too_few(settings: Settings, brokers: Brokers) -> list[str]:
    """Say whether topics cannot be made now; those that are there do without a broker for a while."""
    wanted, there = settings.kafka.replication, brokers.count
    if wanted <= there:
        return []
    are = "is 1 broker" if there == 1 else f"are {there} brokers"
    return [f"kafka.replication: it is {wanted} and there {are}; lower it, or wait until all are there"]


def _differences(topic: Topic, found: Found) -> Iterator[str]:
    if found.partitions != topic.partitions:
        yield _partitions(topic, found.partitions)
    if not topic.ours:
        return
    if found.replication < topic.replication:
        yield (
            f"it has {_many(found.replication, 'copy', 'copies')} and kafka.replication says"
            f" {topic.replication}; lower that, or add copies with kafka-reassign-partitions.sh"
        )
    if not found.config:
        yield f"this user may not see its configuration; {ASK_ACLS}"
        return
    for name, judge in _JUDGES.items():
        wanted, there = topic.config.get(name), found.config.get(name)
        if wanted is None or there is None:
            continue
        if said := judge(topic, there, wanted):
            yield (
                f"{name} is {there} and must be {said}; set it: kafka-configs.sh --bootstrap-server BROKER"
                f" --alter --entity-type topics --entity-name {topic.name} --add-config {name}={wanted}"
            )
    in_sync = int(found.config.get("min.insync.replicas", 1))
    if in_sync > found.replication:
        yield (
            f"min.insync.replicas is {in_sync} and it has {_many(found.replication, 'copy', 'copies')}:"
            " nothing can be written; lower the one or add to the other"
        )


def _partitions(topic: Topic, found: int) -> str:
    said = f"it has {_many(found, 'partition')} and the settings say {topic.partitions} ({topic.setting})"
    if not topic.ours:
        return f"{said}; set that to {found}"
    if topic.setting == FIXED:
        return f"{said}; something else made it: choose another kafka.prefix"
    return f"{said}; set that back to {found}, or begin anew under another kafka.prefix"


def _many(count: int, one: str, several: str = "") -> str:
    return f"{count} {one if count == 1 else several or f'{one}s'}"


def _at_least(_topic: Topic, found: str, wanted: str) -> str:
    return "" if int(found) >= int(wanted) else f"at least {wanted}"


def _retention(topic: Topic, found: str, wanted: str) -> str:
    kept, meant = int(found), int(wanted)
    if kept == meant or (not topic.forgets and (kept < 0 or kept > meant)):
        return ""
    return wanted if topic.forgets else f"at least {wanted}"


def _policy(_topic: Topic, found: str, wanted: str) -> str:
    same = {part.strip() for part in found.split(",")} == {wanted}
    return "" if same else wanted


def _exactly(_topic: Topic, found: str, wanted: str) -> str:
    return "" if found == wanted else wanted


_JUDGES = {
    "cleanup.policy": _policy,
    "max.message.bytes": _at_least,
    "message.timestamp.type": _exactly,
    "min.insync.replicas": _at_least,
    "retention.ms": _retention,
}
"""The entries that matter to what outfall promises; others are made as wanted and may be changed."""

COMPARED = tuple(_JUDGES)
