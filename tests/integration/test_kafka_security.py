"""Brokers that ask who is there: with the rights that `outfall topics acls` gives, each role can do its work.

And nothing else. The rights are created by `--apply`, over TLS and with a password.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import OffsetAndMetadata
from kafka.errors import TopicAuthorizationFailedError as AdminTopicError

from services.kafka import Kafka, admin
from services.kafka import kafka as own_kafka
from services.live import KEY, Live
from services.outfall import ENVIRONMENT, OUTFALL
from services.process import running, wait_for
from streams.enrich.load import load_pseudonyms
from streams.runtime.kafka_client import client_arguments
from streams.runtime.topic_admin import check_topics

pytestmark = pytest.mark.services

RULES = Path(__file__).resolve().parents[2] / "rules"
LINE = "1772449200.000 5 10.0.0.1 TCP_MISS/200 4 GET http://news.example/ jsmith HIER_DIRECT/1.2.3.4 -\n"
ROLES = ("worker", "producer", "reader", "deliverer", "hunter", "operator")
SECONDS = 60


@pytest.fixture(scope="module")
def sasl() -> Iterator[Kafka]:
    with own_kafka(security="sasl") as cluster:
        for role in ROLES:
            cluster.add_user(role)
        yield cluster


@pytest.fixture(scope="module")
def lives(sasl: Kafka, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Live]:
    """The settings of each role, once the operator has made the topics; two of them hold a record."""
    lives = {}
    for user in ("admin", *ROLES):
        live = Live(tmp_path_factory.mktemp(user), sasl.bootstrap, "council")
        (live.folder / "password").write_text(f"{sasl.password(user)}\n", encoding="utf-8")
        lives[user] = live.write(
            f'security = {{ protocol = "SASL_SSL", ca = "{sasl.ca}", username = "{user}",'
            ' password_file = "password" }\nevents = true',
            more=f'rules = ["{RULES}"]',
        )
    principals = [word for role in ROLES for word in (f"--{role}", f"User:{role}")]
    applied = lives["admin"].run("topics", "acls", "--apply", *principals)
    assert applied.status == 0, applied.complaints
    assert applied.complaints == f"{len(applied.lines)} access rights are there\n"
    wait_for("the access rights", lambda: not lives["operator"].run("topics", "describe").status)
    made = lives["operator"].run("topics", "create")
    assert made.status == 0, made.complaints
    with admin(**sasl.client()) as client:
        client.create_topics({"other": {}}, wait_for_metadata=True)
    send(lives["producer"], [lives["producer"].raw])
    return lives


def send(live: Live, topics: Sequence[str], transactional_id: str | None = None) -> None:
    """Write a record to each of the topics; in a transaction that commits offsets, where it has an id."""

    async def run() -> None:
        arguments = client_arguments(live.settings.kafka)
        producer = AIOKafkaProducer(**arguments, transactional_id=transactional_id, compression_type="lz4")
        try:
            await producer.start()
            if transactional_id is None:
                for topic in topics:
                    await producer.send_and_wait(topic, b"record", b"key", partition=0)
                return
            async with producer.transaction():
                sent = [await producer.send(topic, b"record", b"key", partition=0) for topic in topics]
                await asyncio.gather(*sent)  # a transaction commits though one of them has failed
                offsets = {TopicPartition(live.raw, 0): OffsetAndMetadata(1, "")}
                await producer.send_offsets_to_transaction(offsets, live.topics.group)
        finally:
            await producer.stop()

    asyncio.run(asyncio.wait_for(run(), SECONDS))


def received(live: Live, topic: str, group: str | None) -> bytes | None:
    """Read the first record of a topic."""

    async def run() -> bytes | None:
        consumer = AIOKafkaConsumer(
            topic,
            **client_arguments(live.settings.kafka),
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        try:
            await consumer.start()
            value: bytes | None = (await consumer.getone()).value
            return value
        finally:
            await consumer.stop()

    return asyncio.run(asyncio.wait_for(run(), SECONDS))


def test_outfall_itself_gets_by_with_them(lives: dict[str, Live], tmp_path: Path) -> None:
    published = lives["operator"].run("publish")
    assert published.status == 0, published.complaints
    command = [OUTFALL, "worker", "--config", lives["worker"].config]
    environment = ENVIRONMENT | {"OUTFALL_WORKER__LISTEN": "", "OUTFALL_WORKER__CONFIGURATION": "topic"}
    environment["OUTFALL_PSEUDONYM_KEY"] = KEY
    printed, log = tmp_path / "printed", tmp_path / "access.log"
    log.write_text(LINE * 20, encoding="utf-8")
    with running(command, output=printed, environment=environment) as worker:
        produced = lives["producer"].run("produce", f"proxy={log}")
        assert produced.status == 0, produced.complaints

        def dead(attempts: int) -> bool:
            assert worker.poll() is None, printed.read_text()
            letters = lives["operator"].run("dead-letters", "list").lines
            return [letter["attempts"] for letter in letters] == [attempts]

        wait_for("the record that is no line to be dead", lambda: dead(1))
        replayed = lives["operator"].run("dead-letters", "replay")
        assert replayed.status == 0, replayed.complaints
        wait_for("it to be dead once more", lambda: dead(2))
    purged = lives["operator"].run("dead-letters", "purge", "--all")
    assert purged.status == 0, purged.complaints


def test_a_worker_can_do_its_work(lives: dict[str, Live]) -> None:
    live = lives["worker"]
    topics = live.topics
    send(lives["producer"], [live.raw])
    assert check_topics(live.settings, load_pseudonyms(live.settings.enrich, key=None)) == []
    assert received(live, live.raw, topics.group) == b"record"
    states = [topics.state(topic) for topic in topics.inputs]
    written = [topics.content, topics.matches, topics.alerts, topics.dead_letters, *states]
    send(live, written, topics.transactional_id(live.raw, 0))
    for topic in (topics.content, topics.matches):
        assert received(live, topic, topics.group) is not None
    for topic in states:
        assert received(live, topic, None) is not None
    lag = live.run("lag")
    assert lag.status == 0
    assert lag.lines[0]["committed"] == 1
    assert lag.lines[0]["behind_seconds"] is not None


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("worker", "other"),
        ("worker", "council.alerts"),
        ("worker", "council.dead-letters"),
        ("producer", "council-raw"),
        ("reader", "council-raw"),
        ("reader", "council.dead-letters"),
        ("deliverer", "council.dead-letters"),
        ("deliverer", "council-raw"),
        ("hunter", "council-raw"),
        ("hunter", "council.alerts"),
        ("operator", "council-raw"),
        ("operator", "council.events"),
        ("reader", "council.events"),
        ("operator", "council.alerts"),
    ],
)
def test_who_may_not_read(lives: dict[str, Live], role: str, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        received(lives[role], topic, None)


@pytest.mark.parametrize(
    ("role", "topic"),
    [
        ("worker", "council-raw"),
        ("worker", "council.configuration"),
        ("producer", "council.matches"),
        ("reader", "council.alerts"),
        ("reader", "council.dead-letters"),
        ("deliverer", "council.alerts"),
        ("hunter", "council.events"),
        ("operator", "council.state.council.matches"),
    ],
)
def test_who_may_not_write(lives: dict[str, Live], role: str, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        send(lives[role], [topic])


@pytest.mark.parametrize("role", ROLES)
def test_nobody_may_delete(lives: dict[str, Live], role: str) -> None:
    with admin(**client_arguments(lives[role].settings.kafka)) as client, pytest.raises(AdminTopicError):
        client.delete_topics(["council.alerts"])


def test_a_worker_makes_no_topics_and_keeps_to_its_names(lives: dict[str, Live]) -> None:
    live = lives["worker"]
    with admin(**client_arguments(live.settings.kafka)) as client, pytest.raises(AdminTopicError):
        client.create_topics({"council.more": {}})
    with pytest.raises(TransactionalIdAuthorizationFailed):
        send(live, [live.topics.matches], "council2/x/0")
    with pytest.raises(GroupAuthorizationFailedError):
        received(live, live.raw, "council2")


def test_readers_read_alerts_in_groups_of_their_own(lives: dict[str, Live]) -> None:
    topics = lives["worker"].topics
    send(lives["worker"], [topics.alerts], topics.transactional_id(topics.matches, 0))
    assert received(lives["reader"], topics.alerts, "council.page") == b"record"
    with pytest.raises(GroupAuthorizationFailedError):
        received(lives["reader"], topics.alerts, "council")


def test_hunters_and_who_indexes_read_events(lives: dict[str, Live]) -> None:
    topics = lives["worker"].topics
    assert topics.events is not None
    send(lives["worker"], [topics.events], topics.transactional_id(topics.matches, 0))
    assert received(lives["hunter"], topics.events, "council.hunt") is not None
    assert received(lives["deliverer"], topics.events, "council.index-events") is not None


def test_operators_look_after_it_and_see_no_raw_records(lives: dict[str, Live]) -> None:
    live = lives["operator"]
    assert live.run("topics", "check").status == 0
    assert live.run("topics", "create", "--change").status == 0
    assert all(line["bytes"] is not None for line in live.run("topics", "describe").lines)
    lag = live.run("lag")
    assert lag.status == 0
    assert {line["behind_seconds"] for line in lag.lines} == {None}
    send(live, [live.raw])


def test_who_may_not_is_told_what_to_do(lives: dict[str, Live]) -> None:
    said = lives["producer"].run("topics", "check")
    assert said.status == 2
    assert "topic council.matches: [Error 29] TopicAuthorizationFailedError" in said.complaints
    assert said.complaints.count("`outfall topics acls` prints what each role needs") == 9
    said = lives["reader"].run("topics", "acls", "--apply", "--worker", "User:reader")
    assert said.status == 2
    assert "the brokers do not create ACLs: ClusterAuthorizationFailedError" in said.complaints


def test_a_wrong_password_is_told(
    lives: dict[str, Live], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("streams.runtime.kafka_client.CONNECT", 2)
    live = replace(lives["worker"], folder=tmp_path)
    (tmp_path / "password").write_text("guessed", encoding="utf-8")
    live.write(lives["worker"].config.read_text().partition("bootstrap = ")[2].split("\n")[1])
    said = live.run("topics", "describe")
    assert said.status == 2
    assert "username and password_file" in said.complaints


def test_with_certificates(tmp_path: Path) -> None:
    with own_kafka(security="mtls") as cluster:
        live = Live(tmp_path, cluster.bootstrap)
        certificate, key = cluster.authority.client("admin")
        files = f'ca = "{cluster.ca}", certificate = "{certificate}", key = "{key}"'
        live.write(f'security = {{ protocol = "SSL", {files} }}')
        assert live.run("topics", "create").status == 0
        assert live.run("topics", "check").status == 0
