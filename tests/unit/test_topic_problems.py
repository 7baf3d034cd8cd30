"""What is said of topics that are not as the settings want them, and of what is fine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.live import Live
from streams.runtime.topic_problems import Brokers, Found, impossible, problems, too_few
from streams.runtime.topics import Topic

CASE = "replication = 3\npartitions = 4"


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return Live(tmp_path, "127.0.0.1:9092", "outfall").write(CASE)


def as_wanted(topics: list[Topic]) -> dict[str, Found]:
    return {topic.name: Found(topic.partitions, topic.replication, dict(topic.config)) for topic in topics}


def told(live: Live, name: str, **changes: Any) -> list[str]:
    """Give what is said when one topic is otherwise; `config` is laid over its configuration."""
    topics = list(live.topics)
    found = as_wanted(topics)
    changes["config"] = {**found[name].config, **changes.get("config", {})}
    return problems(topics, found | {name: replace(found[name], **changes)})


def test_topics_that_are_as_wanted_are_fine(live: Live) -> None:
    topics = list(live.topics)
    assert problems(topics, as_wanted(topics)) == []


def test_each_missing_topic_is_told(live: Live) -> None:
    topics = list(live.topics)
    said = problems(topics, {})
    assert [line.split(":")[0] for line in said] == [f"topic {topic.name}" for topic in topics]
    assert all("`outfall topics create` makes it" in line for line in said)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("outfall-raw", {"replication": 1}),
        ("outfall-raw", {"config": {"cleanup.policy": "compact", "retention.ms": "1"}}),
        ("outfall.matches", {"replication": 5}),
        ("outfall.matches", {"config": {"retention.ms": "-1", "max.message.bytes": "99999999"}}),
        ("outfall.alerts", {"config": {"retention.ms": "9999999999"}}),
        ("outfall.alerts", {"config": {"segment.ms": "1", "min.insync.replicas": "3"}}),
        ("outfall.configuration", {"config": {"retention.ms": "1"}}),
    ],
)
def test_what_may_be_otherwise(live: Live, name: str, changes: dict[str, Any]) -> None:
    assert told(live, name, **changes) == []


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        (
            "outfall-raw",
            {"partitions": 6},
            ["6 partitions", "say 2 (partitions of source proxy)", "set that to 6"],
        ),
        (
            "outfall.matches",
            {"partitions": 8},
            ["8 partitions", "4 (kafka.partitions)", "another kafka.prefix"],
        ),
        ("outfall.content", {"partitions": 2}, ["2 partitions", "1 (always one)", "another kafka.prefix"]),
        (
            "outfall.state.outfall-raw",
            {"partitions": 1},
            ["1 partition and", "2 (partitions of source proxy)"],
        ),
        ("outfall.alerts", {"replication": 2}, ["2 copies", "kafka.replication says 3"]),
        (
            "outfall.alerts",
            {"replication": 1},
            ["min.insync.replicas is 2 and it has 1 copy", "nothing can be"],
        ),
        ("outfall.alerts", {"config": {"min.insync.replicas": "1"}}, ["at least 2", "min.insync.replicas=2"]),
        ("outfall.alerts", {"config": {"max.message.bytes": "1048588"}}, ["is 1048588", "at least 16777216"]),
        ("outfall.alerts", {"config": {"retention.ms": "1000"}}, ["is 1000", "at least 2592000000"]),
        ("outfall.alerts", {"config": {"message.timestamp.type": "CreateTime"}}, ["must be LogAppendTime"]),
        ("outfall.alerts", {"config": {"cleanup.policy": "compact"}}, ["is compact", "must be delete"]),
        (
            "outfall.state.outfall.content",
            {"config": {"cleanup.policy": "compact,delete"}},
            ["must be compact"],
        ),
        ("outfall.dead-letters", {"config": {"retention.ms": "-1"}}, ["is -1", "must be 2592000000"]),
        ("outfall.dead-letters", {"config": {"retention.ms": "1"}}, ["is 1 ", "must be 2592000000"]),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    live: Live, name: str, changes: dict[str, Any], words: list[str]
) -> None:
    said = told(live, name, **changes)
    assert all(line.startswith(f"topic {name}: ") for line in said)
    for word in words:
        assert any(word in line for line in said), said


def test_a_configuration_that_may_not_be_seen_is_one_problem(live: Live) -> None:
    topics = list(live.topics)
    found = as_wanted(topics) | {"outfall.alerts": Found(4, 3, {})}
    (problem,) = problems(topics, found)
    assert problem.startswith(
        "topic outfall.alerts: this user may not see its configuration; `outfall topics acls`"
    )


@pytest.mark.parametrize("largest", [100 << 20, None])
def test_what_the_brokers_can_follow(live: Live, largest: int | None) -> None:
    assert impossible(live.settings, Brokers(1, largest)) == []
    assert too_few(live.settings, Brokers(3, largest)) == []


def test_a_message_must_fit_into_a_request(live: Live) -> None:
    (problem,) = impossible(live.settings, Brokers(3, 16 << 20))
    assert problem.startswith("kafka.max_message: it is 16777216 and the brokers take requests of 16777216")
    assert "set it to at most 16711680" in problem


@pytest.mark.parametrize(
    ("count", "words"), [(2, "there are 2 brokers; lower"), (1, "there is 1 broker; lower")]
)
def test_copies_need_brokers(live: Live, count: int, words: str) -> None:
    (problem,) = too_few(live.settings, Brokers(count, None))
    assert problem.startswith(f"kafka.replication: it is 3 and {words}")


def test_two_topics_of_one_name_are_refused(live: Live) -> None:
    sources = '[[sources]]\nname = "proxy"\nkind = "kafka"\ntopic = "outfall.matches"\n'
    live.write(CASE, source=sources)
    (problem,) = impossible(live.settings, Brokers(3, None))
    assert "2 topics called outfall.matches" in problem
