"""The Faust transport: what one fetch brings of one partition is one Faust event.

So Faust's cost for an event is paid once for up to thousands of records, and it runs as fast as the bare
client below it. What differs from Faust's own Kafka transport, of which this overrides parts (both packages
are pinned, and `tests/unit/test_transport.py` fails where they change what is relied on):

* an event's value is a `RecordBatch`; nothing is decoded here
* what is committed is told by a `Window` of each partition, not by Faust's gaps
* only committed transactions are read
* a seek to what is committed seeks every partition; aiokafka's leaves one of which nothing is committed where
  it is, and what Faust had dropped of it would never be read
* a commit that fails is told and left to the next one: what has been processed stands in the state as well

Broker addresses are written `outfall://HOST:PORT`; the entry point in `pyproject.toml` makes them known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import aiokafka
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError
from faust.serializers.schemas import Schema
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams import log
from streams.runtime.window import Window

SCHEME = "outfall"
FETCH_WAIT_MS = 50
"""How long a fetch waits for data; while one does, what comes for another partition has to wait as well."""

logger = log.get(__name__)


def client_of(app: Any) -> dict[str, Any]:
    """Give the arguments by which clients connect, which the worker keeps at its app."""
    arguments: dict[str, Any] = app.client_arguments
    return arguments


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """Consecutive records of one partition; there is at least one.

    `follows` is the offset after the batch that was read just before; for the first one after a seek it is
    where that went, and 0 where that was the begin, since nothing was committed.
    """

    topic: str
    partition: int
    records: Sequence[Any]
    follows: int

    @property
    def last(self) -> int:
        """The offset of the last record."""
        offset: int = self.records[-1].offset
        return offset


class PassThrough(Schema[Any, Any]):
    """The schema that hands batches on as they are."""

    def compile(self, app: Any, **_: Any) -> Any:
        """Give the function that makes a Faust event of a message."""
        create_event = app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:  # noqa: ARG001 - Faust's
            return create_event(None, message.value, None, message)

        return decode


async def seek_to_committed(consumer: aiokafka.AIOKafkaConsumer) -> dict[TP, int | None]:
    """Let a consumer read on from what is committed, or from the begin; give what is committed.

    No fetch comes between the seeks of two partitions, nor before this has returned.

    Raises:
        KafkaError: what is committed cannot be asked for; nothing has been sought.
    """
    committed: dict[Any, int | None] = {
        place: await consumer.committed(place) for place in consumer.assignment()
    }
    new = [place for place, offset in committed.items() if offset is None]
    begins = await consumer.beginning_offsets(new) if new else {}
    ours = consumer.assignment()
    for place in [*committed]:
        if place not in ours:
            del committed[place]  # taken from us while we asked
    for place, offset in committed.items():
        consumer.seek(place, begins[place] if offset is None else offset)
    return {TP(place.topic, place.partition): offset for place, offset in committed.items()}


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread that speaks with the brokers, so that heartbeats go on while records are processed."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._read_up_to: dict[TP, int] = {}

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Read on from what is committed, or from the begin."""
        return cast("Mapping[TP, int]", await self.call_thread(self._seek_to_committed))

    async def _seek_to_committed(self) -> dict[TP, int | None]:
        sought = await seek_to_committed(self._ensure_consumer())
        self._read_up_to.update({tp: offset or 0 for tp, offset in sought.items()})
        return sought

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget what was read."""
        self._read_up_to.clear()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin anew, from what is committed."""
        self._read_up_to.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    def _create_worker_consumer(
        self,
        transport: driver.Transport,  # noqa: ARG002 - the overridden signature
    ) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        return aiokafka.AIOKafkaConsumer(
            **client_of(self.app),
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=[StickyPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 0) * 1000),
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
        )

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        assigned = self.assignment()
        wanted = {
            aiokafka.TopicPartition(tp.topic, tp.partition): offset
            for tp, offset in offsets.items()
            if tp in assigned
        }
        if not wanted:
            return False
        try:
            await self._ensure_consumer().commit(wanted)
        except KafkaError as error:
            logger.warning("commit failed; the next one makes up for it", error=type(error).__name__)
            return False
        return True

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the overridden signature
        max_records: int | None = None,
    ) -> dict[TP, list[RecordBatch]]:
        fetched = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        batches: dict[TP, list[RecordBatch]] = {}
        for tp, records in fetched.items():
            follows = self._read_up_to.get(tp)
            # What came before we have sought the partition since it became ours is read again after that.
            if records and follows is not None:
                batch = RecordBatch(tp.topic, tp.partition, records, follows)
                self._read_up_to[tp] = batch.last + 1
                batches[tp] = [batch]
        return batches


class Consumer(driver.Consumer):
    """Hands batches to the agents, and commits what their windows tell."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._windows: defaultdict[TP, Window] = defaultdict(Window)

    def delivered(self, batch: RecordBatch) -> None:
        """Take note that a batch is being processed."""
        self._windows[TP(batch.topic, batch.partition)].deliver(batch.last)

    def acknowledge(self, batch: RecordBatch) -> None:
        """Take note that all a batch has caused is safe."""
        self._windows[TP(batch.topic, batch.partition)].acknowledge(batch.last)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget what was under way: whoever reads on does so from what is committed."""
        await super().on_partitions_revoked(revoked)
        self._windows.clear()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin anew."""
        self._windows.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _to_message(self, tp: TP, record: RecordBatch) -> ConsumerMessage:
        return ConsumerMessage(
            record.topic,
            record.partition,
            record.last,
            0.0,
            0,
            None,
            None,
            cast("bytes", record),  # whatever the schema makes an event of
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def _filter_tps_with_pending_acks(self, topics: Iterable[Any] | None = None) -> Iterator[TP]:
        return (tp for tp in self._windows if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._windows[tp].committable()

    def _should_commit(self, tp: TP, offset: int) -> bool:  # noqa: ARG002 - the overridden signature
        return True  # the window knows; Faust takes a commit that failed for one that was made

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        committed: bool = await super()._commit(offsets)
        if committed:
            for tp, offset in offsets.items():
                self._windows[tp].committed(offset)
        return committed

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Markers of transactions and compacted records leave gaps; a window needs no note of them."""


class Producer(driver.Producer):
    """Faust's own producer: it connects as we do. What we write goes out in transactions (`task.py`)."""

    def _new_producer(self, transactional_id: str | None = None) -> aiokafka.AIOKafkaProducer:  # noqa: ARG002
        return aiokafka.AIOKafkaProducer(**client_of(self.app))


class Transport(driver.Transport):
    """The transport of addresses `outfall://`."""

    Consumer = Consumer
    Producer = Producer
