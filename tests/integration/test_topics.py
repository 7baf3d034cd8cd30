"""The topics on a real broker: made once, checked, described, and how far workers are behind in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.structs import OffsetAndMetadata

from services.kafka import Kafka, admin
from services.live import SOURCE, Live
from services.outfall import OUTFALL
from services.process import free_port, wait_for
from services.terminal import plain, shown
from streams.runtime import agreement

pytestmark = pytest.mark.services


@pytest.fixture
def live(tmp_path: Path, kafka: Kafka) -> Live:
    return Live(tmp_path, kafka.bootstrap).write()


@pytest.fixture
def made(live: Live) -> Live:
    assert live.run("topics", "create").status == 0
    return live


@pytest.fixture
def broker(kafka: Kafka) -> Iterator[KafkaAdminClient]:
    with admin(**kafka.client()) as client:
        yield client


def send(kafka: Kafka, topic: str, value: bytes, key: bytes | None = None) -> None:
    with closing(KafkaProducer(**kafka.client())) as producer:
        producer.send(topic, value, key).get(10)


def test_what_is_missing_is_made_and_the_rest_is_left(live: Live) -> None:
    names = [topic.name for topic in live.topics]
    before = live.run("topics", "check")
    assert before.status == 1
    assert [line.split(": ")[0] for line in before.complaints.splitlines()] == [
        f"topic {name}" for name in names
    ]
    first = live.run("topics", "create")
    assert (first.status, first.complaints) == (0, "")
    *topics, agreed = first.lines
    assert [(line["topic"], line["made"]) for line in topics] == [(name, True) for name in names]
    assert agreed == {"agreement": "written"}
    assert live.run("topics", "check").status == 0
    *topics, agreed = live.run("topics", "create").lines
    assert not any(line["made"] for line in topics)
    assert agreed == {"agreement": "as it was"}


def test_they_are_made_as_described(made: Live) -> None:
    lines = {line["topic"]: line for line in made.run("topics", "describe").lines}
    assert lines.keys() == {topic.name for topic in made.topics}
    for topic in made.topics:
        line = lines[topic.name]
        assert line["exists"]
        assert line["found"]["partitions"] == line["partitions"] == topic.partitions == len(line["offsets"])
        assert line["found"]["replication"] == line["replication"] == 1
        found = line["found"]["config"]
        assert {name: found[name] for name in topic.config if name in found}.items() <= topic.config.items()
    content = lines[made.topics.configuration]
    assert (content["offsets"], content["records_at_most"]) == ([{"begin": 0, "end": 1}], 1)
    assert content["bytes"] > 100
    assert lines[made.raw]["bytes"] == 0


def test_on_a_terminal_there_are_tables(made: Live) -> None:
    command = [OUTFALL, "topics", "describe", "--config", made.config]
    status, screen = shown(command)
    assert status == 0
    assert made.topics.dead_letters in plain(screen)
    assert "raw records of source proxy" in plain(screen)
    status, screen = shown([OUTFALL, "lag", "--config", made.config])
    assert status == 0
    assert plain(screen).splitlines()[1].split() == ["all", "0", "0"]


def test_before_they_are_made_they_are_described_as_missing(live: Live) -> None:
    lines = live.run("topics", "describe").lines
    assert {(line["exists"], line["found"], line["offsets"]) for line in lines} == {(False, None, None)}
    assert live.run("lag").status == 2


def test_all_problems_are_told_at_once_and_nothing_is_made(live: Live, broker: KafkaAdminClient) -> None:
    topics = live.topics
    broker.create_topics(
        {live.raw: {"num_partitions": 3}, topics.matches: {"num_partitions": 2}, topics.alerts: {}},
        wait_for_metadata=True,
    )
    live.write("replication = 2\nmax_message = 200000000")
    said = live.run("topics", "create")
    assert (said.status, said.lines) == (1, [])
    for words in (
        "kafka.replication: it is 2 and there is 1 broker",
        "kafka.max_message: it is 200000000 and the brokers take requests of 104857600 bytes",
        f"topic {live.raw}: it has 3 partitions and the settings say 2",
        f"topic {topics.matches}: it has 2 partitions and the settings say 8 (kafka.partitions)",
        f"topic {topics.alerts}: max.message.bytes is 16777216 and must be at least 200000000",
        f"topic {topics.alerts}: message.timestamp.type is CreateTime and must be LogAppendTime",
        "nothing was made or changed",
    ):
        assert words in said.complaints
    assert topics.dead_letters not in broker.list_topics()


def test_a_raw_topic_may_be_made_otherwise(live: Live, broker: KafkaAdminClient) -> None:
    config = {"retention.ms": "1000", "message.timestamp.type": "CreateTime"}
    broker.create_topics({live.raw: {"num_partitions": 2, "configs": config}}, wait_for_metadata=True)
    assert live.run("topics", "create").status == 0
    assert live.run("topics", "check").status == 0


def test_what_the_brokers_refuse_is_told_and_nothing_is_made(live: Live, broker: KafkaAdminClient) -> None:
    source = SOURCE.replace("{prefix}-raw", "{prefix}_raw")
    broker.create_topics({live.raw.replace("-raw", ".raw"): {}}, wait_for_metadata=True)
    said = live.write(source=source).run("topics", "create")
    assert said.status == 2
    assert f"topic {live.prefix}_raw: the brokers do not make it: Topic" in said.complaints
    assert live.topics.matches not in broker.list_topics()


def test_a_changed_configuration_is_found(made: Live, broker: KafkaAdminClient) -> None:
    changes = {
        made.topics.dead_letters: {"retention.ms": "-1"},
        made.topics.matches: {"cleanup.policy": "compact"},
    }
    broker.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name, config) for name, config in changes.items()]
    )
    wait_for("both changes", lambda: made.run("topics", "check").complaints.count("set it:") == 2)
    for command in ("check", "create"):
        said = made.run("topics", command)
        assert said.status == 1
        assert "retention.ms is -1 and must be 2592000000; set it: kafka-configs.sh" in said.complaints
        assert "cleanup.policy is compact and must be delete" in said.complaints


def test_the_agreement_is_changed_only_when_asked_and_no_worker_runs(made: Live, kafka: Kafka) -> None:
    made.write(more='clock_skew = "1m"')
    for command in ("check", "create"):
        said = made.run("topics", command)
        assert said.status == 1
        assert "agreement: clock_skew: 1m is set here, and 5m was agreed" in said.complaints
    send(kafka, made.raw, b"record")
    group = {"group_id": made.topics.group, "auto_offset_reset": "earliest"}
    with closing(KafkaConsumer(made.raw, **kafka.client(), **group)) as worker:
        assert next(worker).value == b"record"
        said = made.run("topics", "create", "--change")
        assert said.status == 1
        assert f"group {made.prefix}: 1 worker runs with what was agreed" in said.complaints
    said = made.run("topics", "create", "--change")
    assert said.status == 0
    assert said.complaints == "agreement: clock_skew: 1m is set here, and 5m was agreed\n"
    assert said.lines[-1] == {"agreement": "changed"}
    assert made.run("topics", "check").status == 0
    assert "5m is set here, and 1m was agreed" in made.write().run("topics", "check").complaints


def test_a_record_that_is_no_agreement_is_told_and_replaced(made: Live, kafka: Kafka) -> None:
    send(kafka, made.topics.configuration, b"{", agreement.KEY)
    send(kafka, made.topics.configuration, b"other", b"rules")
    said = made.run("topics", "check")
    assert said.status == 1
    assert "its record is not as outfall writes it" in said.complaints
    assert made.run("topics", "create", "--change").status == 0
    assert made.run("topics", "check").status == 0


def test_brokers_that_do_not_answer(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.runtime.kafka_client.CONNECT", 2)
    nobody = Live(live.folder, f"127.0.0.1:{free_port()}").write().run("topics", "check")
    wrong = live.write('security = { protocol = "SSL" }').run("lag")
    for said, reason in ((nobody, "ECONNREFUSED"), (wrong, "Handshake failed")):
        assert said.status == 2
        assert said.complaints.startswith("kafka.bootstrap: 127.0.0.1:")
        assert f"no answer: KafkaConnectionError: {reason}" in said.complaints.replace("111 ", "")
    assert "that speaks SSL?" in wrong.complaints


def lags(live: Live) -> dict[tuple[str | None, int | None], dict[str, int | None]]:
    lines = live.run("lag").lines
    return {(line["topic"], line["partition"]): line for line in lines}


def test_the_lag_is_what_is_not_committed(made: Live, kafka: Kafka, broker: KafkaAdminClient) -> None:
    now = int(time.time() * 1000)
    with closing(KafkaProducer(**kafka.client())) as producer:
        for number in range(10):
            producer.send(made.raw, b"record", partition=0)
            producer.send(made.topics.matches, b"match", partition=3, timestamp_ms=now - 600_000 + number)
        producer.flush()
    before = lags(made)
    assert len(before) == 2 + 1 + 8 + 1
    assert before[made.raw, 0]["lag"] == before[made.topics.matches, 3]["lag"] == 10
    assert before[made.raw, 0]["committed"] is None
    assert before[made.raw, 1]["behind_seconds"] is None
    behind = before[made.topics.matches, 3]["behind_seconds"]
    assert behind is not None
    assert 600 <= behind < 660
    total = before[None, None]
    assert (total["lag"], total["behind_seconds"]) == (20, behind)

    places = {TopicPartition(made.raw, 0): 4, TopicPartition(made.topics.matches, 3): 10}
    broker.alter_group_offsets(
        made.topics.group, {place: OffsetAndMetadata(offset, "", -1) for place, offset in places.items()}
    )
    broker.delete_records({TopicPartition(made.raw, 0): 6})
    after = lags(made)
    assert after[made.topics.matches, 3]["lag"] == 0
    assert after[made.topics.matches, 3]["behind_seconds"] is None
    raw = after[made.raw, 0]
    assert [raw[name] for name in ("begin", "committed", "end", "lag", "expired")] == [6, 4, 10, 4, 2]


def test_marks_of_transactions_count(made: Live, kafka: Kafka, broker: KafkaAdminClient) -> None:
    place = TopicPartition(made.topics.matches, 0)
    with closing(KafkaProducer(**kafka.client(), transactional_id=made.prefix)) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        for _ in range(3):
            producer.send(place.topic, b"match", partition=0)
        producer.commit_transaction()
    broker.alter_group_offsets(made.topics.group, {place: OffsetAndMetadata(3, "", -1)})
    started = time.monotonic()
    lag = lags(made)[place.topic, 0]
    assert (lag["end"], lag["lag"], lag["behind_seconds"]) == (4, 1, None)
    assert time.monotonic() - started < 4


def test_too_large_a_lag_fails(made: Live, kafka: Kafka) -> None:
    send(kafka, made.raw, b"record")
    assert made.run("lag", "--fail-above", "1").status == 0
    said = made.run("lag", "--fail-above", "0")
    assert (said.status, len(said.lines)) == (1, 12)
    assert said.complaints == "the lag is 1, more than 0\n"


def test_the_lag_is_watched_on_a_terminal_until_it_is_interrupted(made: Live) -> None:
    assert made.run("lag", "--watch").status == 2
    interrupted = ["timeout", "--preserve-status", "--signal", "INT", "9"]
    status, screen = shown([*interrupted, OUTFALL, "lag", "--watch", "--config", made.config])
    assert status == 0
    assert plain(screen).count("committed") >= 2
