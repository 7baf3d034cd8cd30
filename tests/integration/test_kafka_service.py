"""The Kafka that the tests start: what it takes comes back."""

from __future__ import annotations

import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

from services.kafka import kafka

pytestmark = pytest.mark.services

TOPIC = "letters"


def test_a_broker_gives_back_what_it_took() -> None:
    with kafka() as cluster:
        admin = KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
        admin.create_topics({TOPIC: {"num_partitions": 2}}, wait_for_metadata=True)
        admin.close()
        producer = KafkaProducer(bootstrap_servers=cluster.bootstrap)
        producer.send(TOPIC, b"a letter").get(10)
        producer.close()
        consumer = KafkaConsumer(
            TOPIC, bootstrap_servers=cluster.bootstrap, group_id="readers", auto_offset_reset="earliest"
        )
        assert next(consumer).value == b"a letter"
        consumer.close()
