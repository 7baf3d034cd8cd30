"""The transport's bookkeeping, and that the Faust below it is the one that it was written against."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from importlib import metadata
from typing import Any

import pytest
from faust.transport.conductor import Conductor
from faust.transport.consumer import Consumer
from faust.transport.drivers import TRANSPORTS, aiokafka
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime import transport
from streams.runtime.window import Window


def test_a_batch_acknowledged_before_an_earlier_one_is_not_committed() -> None:
    window = Window()
    window.deliver(99)
    window.deliver(149)
    window.acknowledge(149)
    assert window.committable() is None, "what lies before 99 would be lost"
    window.acknowledge(99)
    assert window.committable() == 150
    assert window.committable() == 150, "until it has been committed"


def test_gaps_between_batches_are_no_matter() -> None:
    window = Window()
    for last in (10, 25, 26):
        window.deliver(last)
    window.acknowledge(10)
    assert window.committable() == 11
    window.acknowledge(26)
    assert window.committable() == 11, "25 has not been done"
    window.acknowledge(25)
    assert window.committable() == 27


@given(st.data())
def test_whatever_the_order_only_what_is_done_is_committed(data: st.DataObject) -> None:
    offsets = data.draw(st.lists(st.integers(0, 10_000), unique=True, min_size=1).map(sorted))
    order = data.draw(st.permutations(offsets))
    window = Window()
    for last in offsets:
        window.deliver(last)
    done: set[int] = set()
    committed = -1
    for last in order:
        window.acknowledge(last)
        done.add(last)
        found = window.committable()
        if found is not None:
            assert found >= committed
            committed = found
        assert all(offset in done for offset in offsets if offset < committed)
        waiting = [offset for offset in offsets if offset not in done]
        first = waiting[0] if waiting else offsets[-1] + 1
        assert [offset for offset in offsets if offset < first] == [
            offset for offset in offsets if offset < committed
        ]


def test_faust_knows_the_transport_by_its_address() -> None:
    assert TRANSPORTS.by_url(f"{transport.SCHEME}://127.0.0.1:9092") is transport.Transport


WRITTEN_AGAINST: dict[str, str] = {
    "faust.transport.consumer.Consumer._add_gap": "4df2573ded7c1c2c",
    "faust.transport.consumer.Consumer._commit_tps": "a20e230b05ae8b15",
    "faust.transport.consumer.Consumer._drain_messages": "44a2500309e83c63",
    "faust.transport.consumer.Consumer._filter_committable_offsets": "dc5e9baf5d994485",
    "faust.transport.consumer.Consumer._filter_tps_with_pending_acks": "f6f9239774234e7e",
    "faust.transport.consumer.Consumer._new_offset": "1d2c7ea89a7ad4f1",
    "faust.transport.consumer.Consumer.getmany": "4b168d84882a70d6",
    "faust.transport.consumer.Consumer.on_partitions_assigned": "29ce96596f05a18c",
    "faust.transport.consumer.Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust.transport.conductor.Conductor._compile_message_handler": "9fbc0538097aa4ec",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._commit": "932852ce7a23f658",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f6cad",
    "faust.transport.drivers.aiokafka.AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1455a",
    "faust.transport.drivers.aiokafka.Consumer._to_message": "7c24f6511b2fcef7",
    "faust.transport.drivers.aiokafka.Producer._new_producer": "e72355c3430ed02f",
}


RELIED_ON: list[Callable[..., Any]] = [
    Consumer._add_gap,
    Consumer._commit_tps,
    Consumer._drain_messages,
    Consumer._filter_committable_offsets,
    Consumer._filter_tps_with_pending_acks,
    Consumer._new_offset,
    Consumer.getmany,
    Consumer.on_partitions_assigned,
    Consumer.on_partitions_revoked,
    Conductor._compile_message_handler,
    aiokafka.AIOKafkaConsumerThread._commit,
    aiokafka.AIOKafkaConsumerThread._create_worker_consumer,
    aiokafka.AIOKafkaConsumerThread._fetch_records,
    aiokafka.Consumer._to_message,
    aiokafka.Producer._new_producer,
]


def digest(function: Callable[..., Any]) -> str:
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:16]


@pytest.mark.parametrize("function", RELIED_ON, ids=lambda function: function.__qualname__)
def test_faust_is_as_the_transport_expects(function: Callable[..., Any]) -> None:
    """Read the change, mend `streams/runtime/transport.py`, run `make soak`, write down the digest."""
    name = f"{function.__module__}.{function.__qualname__}"
    assert digest(function) == WRITTEN_AGAINST[name], f"{name} has changed"


def test_the_packages_below_are_pinned() -> None:
    assert metadata.version("faust-streaming") == "0.15.3"
    assert metadata.version("aiokafka") == "0.14.0"
