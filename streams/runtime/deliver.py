"""Takes alerts, or events, from their topic to a sink: what is safe there is committed, and nothing before.

Each kind of sink has a consumer group of its own, so that one that is away holds up no other. After a crash
what was not committed is delivered again, so a sink must take the same twice without harm. What no sink can
ever take becomes a dead letter, and what follows goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Hashable, Iterator, Sequence
from typing import Any, Generic, Protocol, runtime_checkable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from streams import log
from streams.errors import RecordError
from streams.event import Origin
from streams.runtime.dead_letters import Letter
from streams.runtime.delivered import Delivered
from streams.runtime.delivery_watch import DeliveryWatch
from streams.runtime.kafka_client import client_arguments
from streams.runtime.topics import Topics
from streams.settings import Settings
from streams.sinks.sink import Refused, T

RECORDS = 2000
"""Most records that are delivered together."""
DRAIN = 10.0
"""Seconds that what is under way may take once a stop is asked for; who comes next delivers the rest."""
ASK = 10.0
"""Seconds after which it is asked again whether Kafka is there, and within which it must answer."""
_HOURS = 24 * 3600 * 1000

logger = log.get(__name__)


class Sink(Protocol[T]):
    """Where alerts, or events, go."""

    async def write(self, items: Sequence[T], /) -> list[Refused[T]]:
        """Return when all are safe, however long that takes, except those that are given back."""
        ...


@runtime_checkable
class Remembering(Sink[T], Protocol[T]):
    """A sink that works out from everything what it has to do, so that it must have seen all of it."""

    def remember(self, items: Sequence[T], /) -> None:
        """Take note of what was delivered before."""
        ...

    async def keep(self) -> None:
        """Do, for ever, what has to be done beside `write`."""
        ...


class Delivery(Generic[T]):
    """The way to the sink `name`, which is also the end of the consumer group's name."""

    def __init__(
        self, settings: Settings, name: str, delivered: Delivered[T], sink: Sink[T], watch: DeliveryWatch
    ) -> None:
        self._settings = settings
        self._topics = Topics(settings)
        self._name = name
        self._delivered = delivered
        self._sink = sink
        self._watch = watch
        self._stopped = asyncio.Event()
        self._beside: list[asyncio.Task[None]] = []

    def stop(self) -> None:
        """Deliver no more; `run` returns when what is under way has been finished or given up."""
        self._stopped.set()

    async def run(self) -> None:
        """Deliver until told to stop.

        Raises:
            KafkaError: Kafka is away for good, or does not let us.
        """
        arguments = client_arguments(self._settings.kafka)
        consumer = AIOKafkaConsumer(
            **arguments,
            group_id=f"{self._topics.prefix}.{self._name}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
            max_poll_interval_ms=_HOURS,  # a sink may be away for long; whether we live is told by heartbeats
            max_partition_fetch_bytes=self._settings.kafka.max_message,
        )
        producer = AIOKafkaProducer(
            **arguments,
            enable_idempotence=True,
            max_request_size=self._settings.kafka.max_message,
            compression_type="lz4",
        )
        async with contextlib.AsyncExitStack() as stack:
            for client in (consumer, producer):
                stack.push_async_callback(client.stop)
                await client.start()
            self._do_beside(self._beat(consumer), stack)
            records = await self._begin(consumer, stack)
            self._watch.connected()
            while not self._stopped.is_set():
                if records:
                    if not await self._deliver(records, producer):
                        return
                    await self._commit(consumer, records)
                fetched = await consumer.getmany(timeout_ms=500, max_records=RECORDS)
                records = [record for some in fetched.values() for record in some]
                for task in self._beside:
                    if task.done():
                        task.result()  # it goes on for ever, or has failed

    def _do_beside(self, work: Coroutine[Any, Any, None], stack: contextlib.AsyncExitStack) -> None:
        task = asyncio.create_task(work)
        self._beside.append(task)
        stack.callback(task.cancel)

    async def _begin(self, consumer: Any, stack: contextlib.AsyncExitStack) -> list[Any]:
        """Get partitions: by the group, or all where the sink must remember what was delivered before.

        Gives those records that have been read beyond that.
        """
        if not isinstance(self._sink, Remembering):
            consumer.subscribe([self._delivered.topic])
            return []
        places = [TopicPartition(self._delivered.topic, n) for n in range(self._settings.kafka.partitions)]
        consumer.assign(places)
        ends = {place: await consumer.committed(place) or 0 for place in places}
        await consumer.seek_to_beginning(*places)
        beyond: list[Any] = []
        while not self._stopped.is_set() and any(
            [await consumer.position(place) < end for place, end in ends.items()]
        ):
            fetched = await consumer.getmany(timeout_ms=500, max_records=RECORDS)
            for place, records in fetched.items():
                old = [record for record in records if record.offset < ends[place]]
                beyond += records[len(old) :]
                self._sink.remember([*self._readable(old)])
        self._do_beside(self._sink.keep(), stack)
        return beyond

    async def _deliver(self, records: Sequence[Any], producer: Any) -> bool:
        """Take records to the sink, what it refuses to the dead letters; false when told to stop before."""
        letters: list[Letter] = []
        read: dict[Hashable, tuple[T, Any]] = {}
        for record in records:
            try:
                item = self._delivered.read(record)
            except RecordError as error:
                letters.append(self._letter(record, type(error).__name__, str(error)))
            else:
                read[self._delivered.key(item)] = item, record
        writing = asyncio.create_task(  # noqa: RUF006 - it is cancelled below
            self._write([item for item, _ in read.values()])
        )
        stopping = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({writing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                await asyncio.wait({writing}, timeout=DRAIN)
            if not writing.done():
                return False
            for each in writing.result():
                record = read[self._delivered.key(each.item)][1]
                letters.append(self._letter(record, each.error, each.reason))
        finally:
            for task in (writing, stopping):
                task.cancel()
        await self._bury(letters, producer)
        now = time.time()
        self._watch.delivered([now - record.timestamp / 1000 for _, record in read.values()])
        return True

    async def _write(self, items: Sequence[T]) -> list[Refused[T]]:
        return await self._sink.write(items)

    def _readable(self, records: Sequence[Any]) -> Iterator[T]:
        for record in records:
            with contextlib.suppress(RecordError):
                yield self._delivered.read(record)

    async def _bury(self, letters: Sequence[Letter], producer: Any) -> None:
        sent = [
            await producer.send(self._topics.dead_letters, letter.data, headers=letter.headers())
            for letter in letters
        ]
        await asyncio.gather(*sent)
        for letter in letters:
            self._watch.buried(self._delivered.name, letter.error)
            logger.error("refused", dead_letter=letter.place, error=letter.error, reason=letter.reason)

    async def _commit(self, consumer: Any, records: Sequence[Any]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            offsets[place] = max(offsets.get(place, 0), record.offset + 1)
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError) as error:
            # Others have these partitions now, and deliver the same once more.
            logger.warning("not committed", error=type(error).__name__)
        except KafkaError as error:
            if not error.retriable:
                raise
            logger.warning("not committed; the next time makes up for it", error=type(error).__name__)

    async def _beat(self, consumer: Any) -> None:
        asked = 0.0
        while True:
            self._watch.beat()
            if consumer.assignment() and time.monotonic() - asked > ASK:
                asked = time.monotonic()
                # A consumer says nothing when all brokers are away; so they are asked.
                with contextlib.suppress(KafkaError, TimeoutError):
                    async with asyncio.timeout(ASK):
                        await consumer.end_offsets([*consumer.assignment()])
                        self._watch.reads()
            for place in consumer.assignment():
                end = consumer.highwater(place)
                if end is not None:
                    with contextlib.suppress(IllegalStateError):
                        position = await consumer.position(place)
                        self._watch.lags(place.topic, place.partition, max(0, end - position))
            await asyncio.sleep(1)

    def _letter(self, record: Any, error: str, reason: str) -> Letter:
        key = (record.key or b"").decode(errors="replace")  # with which it is sent again
        return Letter(
            data=record.value or b"",
            origin=Origin(self._delivered.name, key, record.offset, record.offset),
            stage=self._name,
            error=error,
            reason=reason,
            place=f"{record.topic}/{record.partition}/{record.offset}",
        )
