"""Takes alerts from their topic to a sink: what the sink has made safe is committed, and nothing before.

Each kind of sink has a consumer group of its own, so that one that is away holds up no other. After a crash
what was not committed is delivered again, so a sink must take an alert twice without harm. What no sink can
ever take becomes a dead letter, and what follows goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, runtime_checkable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from pydantic import ValidationError

from streams import log
from streams.alert import Alert
from streams.event import Origin
from streams.runtime.dead_letters import Letter
from streams.runtime.delivery_watch import DeliveryWatch
from streams.runtime.kafka_client import client_arguments
from streams.runtime.topics import Topics
from streams.settings import Settings
from streams.sinks.sink import Refused

RECORDS = 2000
"""Most alerts that are delivered together."""
DRAIN = 10.0
"""Seconds that what is under way may take once a stop is asked for; who comes next delivers the rest."""
ASK = 10.0
"""Seconds after which it is asked again whether Kafka is there, and within which it must answer."""
SOURCE = "alerts"
"""What dead letters say instead of a source's name."""
_HOURS = 24 * 3600 * 1000

logger = log.get(__name__)


class Sink(Protocol):
    """Where alerts go."""

    async def write(self, alerts: Sequence[Alert]) -> list[Refused]:
        """Return when all alerts are safe, however long that takes, except those that are given back."""
        ...


@runtime_checkable
class Remembering(Sink, Protocol):
    """A sink that works out from all alerts what it has to do, so that it must have seen all of them."""

    def remember(self, alerts: Sequence[Alert]) -> None:
        """Take note of alerts that were delivered before."""
        ...

    async def keep(self) -> None:
        """Do, for ever, what has to be done beside `write`."""
        ...


class Delivery:
    """The way of alerts to the sink `name`, which is also the end of the consumer group's name."""

    def __init__(self, settings: Settings, name: str, sink: Sink, watch: DeliveryWatch) -> None:
        self._settings = settings
        self._topics = Topics(settings)
        self._name = name
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
            consumer.subscribe([self._topics.alerts])
            return []
        places = [TopicPartition(self._topics.alerts, n) for n in range(self._settings.kafka.partitions)]
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
                self._sink.remember([alert for record in old if (alert := _alert(record)) is not None])
        self._do_beside(self._sink.keep(), stack)
        return beyond

    async def _deliver(self, records: Sequence[Any], producer: Any) -> bool:
        """Take records to the sink, what it refuses to the dead letters; false when told to stop before."""
        letters: list[Letter] = []
        alerts: dict[tuple[str, int], tuple[Alert, Any]] = {}
        for record in records:
            try:
                alert = Alert.model_validate_json(record.value or b"")
            except ValidationError as error:
                letters.append(self._letter(record, "ValidationError", _without_content(error)))
            else:
                alerts[alert.id, alert.revision] = alert, record
        writing = asyncio.create_task(  # noqa: RUF006 - it is cancelled below
            self._write([alert for alert, _ in alerts.values()])
        )
        stopping = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({writing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                await asyncio.wait({writing}, timeout=DRAIN)
            if not writing.done():
                return False
            for each in writing.result():
                record = alerts[each.alert.id, each.alert.revision][1]
                letters.append(self._letter(record, each.error, each.reason))
        finally:
            for task in (writing, stopping):
                task.cancel()
        await self._bury(letters, producer)
        now = time.time()
        self._watch.delivered([now - record.timestamp / 1000 for _, record in alerts.values()])
        return True

    async def _write(self, alerts: Sequence[Alert]) -> list[Refused]:
        return await self._sink.write(alerts)

    async def _bury(self, letters: Sequence[Letter], producer: Any) -> None:
        sent = [
            await producer.send(self._topics.dead_letters, letter.data, headers=letter.headers())
            for letter in letters
        ]
        await asyncio.gather(*sent)
        for letter in letters:
            self._watch.buried(letter.error)
            logger.error("alert refused", dead_letter=letter.place, error=letter.error, reason=letter.reason)

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
        place = f"{record.topic}/{record.partition}"
        return Letter(
            data=record.value or b"",
            origin=Origin(SOURCE, place, record.offset, record.offset),
            stage=self._name,
            error=error,
            reason=reason,
            place=f"{place}/{record.offset}",
        )


def _alert(record: Any) -> Alert | None:
    with contextlib.suppress(ValidationError):
        return Alert.model_validate_json(record.value or b"")
    return None


def _without_content(error: ValidationError) -> str:
    """Tell where a record is no alert, and not what stands there."""
    places = [".".join(map(str, problem["loc"])) or problem["type"] for problem in error.errors()]
    return f"not an alert: {', '.join(places[:5])}"
