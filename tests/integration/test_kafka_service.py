"""The Kafka that the tests start: what it takes comes back, brokers come and go, strangers are refused."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from kafka.admin import ACLOperation, ResourceType

from services.certificates import Authority
from services.kafka import Kafka, admin
from services.kafka import kafka as own_kafka
from services.process import wait_for

pytestmark = pytest.mark.services

LETTERS = [f"letter {number:02}".encode() for number in range(20)]
PREFIX = "letters-"
Client = dict[str, Any]


def make_topic(cluster: Kafka) -> str:
    name = f"{PREFIX}{uuid4()}"
    with admin(bootstrap_servers=cluster.inside) as client:
        client.create_topics({name: {"num_partitions": 2}}, wait_for_metadata=True)
    return name


def send(client: Client, topic: str, values: list[bytes], seconds: float = 60) -> None:
    async def run() -> None:
        producer = AIOKafkaProducer(**client, acks="all")
        try:  # `async with` would leave one open that could not start
            await producer.start()
            for value in values:
                await producer.send_and_wait(topic, value)
        finally:
            await producer.stop()

    asyncio.run(asyncio.wait_for(run(), seconds))


def received(client: Client, topic: str, count: int = len(LETTERS)) -> list[bytes]:
    async def run() -> list[bytes]:
        group: Client = {"group_id": topic, "session_timeout_ms": 1500, "heartbeat_interval_ms": 300}
        async with AIOKafkaConsumer(topic, **client, **group, auto_offset_reset="earliest") as consumer:
            return [(await consumer.getone()).value for _ in range(count)]

    return sorted(asyncio.run(asyncio.wait_for(run(), 60)))


def in_sync(cluster: Kafka, topic: str) -> set[int]:
    """The brokers that have all of each partition."""
    with admin(bootstrap_servers=cluster.inside) as client:
        (described,) = client.describe_topics([topic])
        return set.intersection(*(set(partition["isr_nodes"]) for partition in described["partitions"]))


def test_what_the_shared_broker_takes_comes_back(kafka: Kafka) -> None:
    topic = make_topic(kafka)
    send(kafka.client(), topic, LETTERS)
    assert received(kafka.client(), topic) == LETTERS


def test_a_broker_has_its_records_after_a_kill_and_goes_on_after_a_pause() -> None:
    with own_kafka() as cluster:
        (broker,) = cluster.brokers
        topic = make_topic(cluster)
        send(cluster.client(), topic, LETTERS[:10])
        broker.kill()
        assert not broker.alive
        broker.start()
        cluster.wait()
        broker.pause()
        with pytest.raises(TimeoutError):
            send(cluster.client(), topic, LETTERS, seconds=1)
        broker.resume()
        send(cluster.client(), topic, LETTERS[10:])
        assert received(cluster.client(), topic) == LETTERS
    assert not broker.alive
    assert not broker.folder.exists()


def test_two_brokers_go_on_without_the_third_until_it_is_back() -> None:
    with own_kafka(3) as cluster:
        topic = make_topic(cluster)
        assert in_sync(cluster, topic) == {1, 2, 3}
        send(cluster.client(), topic, LETTERS[:10])
        cluster.brokers[0].kill()
        send(cluster.client(), topic, LETTERS[10:])
        cluster.wait()
        assert in_sync(cluster, topic) == {2, 3}
        cluster.brokers[0].start()
        cluster.wait()
        wait_for("the third to catch up", lambda: in_sync(cluster, topic) == {1, 2, 3})
        cluster.brokers[1].kill()
        assert received(cluster.client(), topic) == LETTERS


@pytest.fixture(scope="module")
def sasl() -> Iterator[Kafka]:
    with own_kafka(security="sasl") as cluster:
        for user in ("jane", "john"):
            cluster.add_user(user)
        yield cluster


@pytest.fixture(scope="module")
def mtls() -> Iterator[Kafka]:
    with own_kafka(security="mtls") as cluster:
        yield cluster


@pytest.fixture(params=["sasl", "mtls"])
def secured(request: pytest.FixtureRequest) -> Kafka:
    """A cluster where jane may use topics and groups by our prefix, and john may not."""
    cluster: Kafka = request.getfixturevalue(request.param)
    for kind in (ResourceType.TOPIC, ResourceType.GROUP):
        cluster.allow("jane", kind, PREFIX, ACLOperation.READ, ACLOperation.WRITE, prefix=True)
    return cluster


def trusting(client: Client, authority: Authority, who: Authority | None = None) -> Client:
    """The same client, trusting `authority`, with a certificate by `who`."""
    context = ssl.create_default_context(cafile=authority.certificate)
    if who:
        context.load_cert_chain(*who.client("jane"))
    return client | {"ssl_context": context}


def test_users_may_do_what_they_are_allowed(secured: Kafka) -> None:
    topic = make_topic(secured)
    send(secured.client("jane"), topic, LETTERS)
    assert received(secured.client("jane"), topic) == LETTERS
    with pytest.raises(TopicAuthorizationFailedError):
        send(secured.client("john"), topic, LETTERS)


def test_a_client_of_another_authority_refuses_the_broker(secured: Kafka) -> None:
    other = Authority(secured.authority.folder / "other")
    client = trusting(secured.client("jane"), other, secured.authority)
    with pytest.raises(KafkaConnectionError):
        send(client, make_topic(secured), LETTERS)


def test_unknown_users_are_refused(sasl: Kafka) -> None:
    topic = make_topic(sasl)
    with pytest.raises(KafkaConnectionError):
        send(sasl.client("nobody"), topic, LETTERS)
    with pytest.raises(KafkaConnectionError):
        send(sasl.client("jane") | {"sasl_plain_password": "guessed"}, topic, LETTERS)


def test_certificates_of_another_authority_are_refused(mtls: Kafka) -> None:
    topic = make_topic(mtls)
    other = Authority(mtls.authority.folder / "other")
    for who in (other, None):
        with pytest.raises(KafkaConnectionError):
            send(trusting(mtls.client("jane"), mtls.authority, who), topic, LETTERS)
