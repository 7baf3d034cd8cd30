"""The records of all sources as they come, for who looks on: nothing is committed, kept or deleted."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.errors import ConfigError
from streams.event import RawRecord
from streams.pipeline import Pipeline
from streams.runtime.build import build_inputs
from streams.runtime.embedded import POLL
from streams.runtime.kafka_client import client_arguments, said
from streams.runtime.merge import Merge
from streams.runtime.store import Store
from streams.runtime.stored_logs import record_of
from streams.settings import Settings
from streams.source_settings import FileSource, KafkaSource
from streams.stages.reader import Prepared

Stopped = Callable[[], bool]


def live_records(
    settings: Settings, pipeline: Pipeline, since: int | None, stopped: Stopped
) -> Iterator[list[RawRecord | Prepared]]:
    """Give batches of records, empty ones too, until told to stop.

    Logs are read from their beginning and then followed, in the order that `pipeline` would take them in.
    Topics are read from what came at `since` (nanoseconds since the epoch), or from now on.

    Raises:
        ConfigError: sources of another kind, or brokers that refuse.
    """
    kinds = {source.kind for source in settings.sources}
    if kinds == {"file"}:
        yield from _of_logs(settings, pipeline, stopped)
    elif kinds == {"kafka"}:
        yield from _of_topics(settings, since, stopped)
    else:
        others = [
            f"source {source.name}: kind {source.kind} gives a record to one reader only"
            for source in settings.sources
            if not isinstance(source, FileSource | KafkaSource)
        ]
        raise ConfigError(others or ["sources of kind file and of kind kafka cannot be followed together"])


def _of_logs(
    settings: Settings, pipeline: Pipeline, stopped: Stopped
) -> Iterator[list[RawRecord | Prepared]]:
    with tempfile.TemporaryDirectory(prefix="outfall-") as aside, Store(Path(aside)) as store:
        inputs = build_inputs(settings, store, once=False, clock=time.time_ns)
        merge = Merge(inputs, pipeline.prepare)
        try:
            while not stopped():
                batch: list[RawRecord | Prepared] = [
                    prepared.record for prepared in merge.collect(settings.batch)
                ]
                merge.positions()
                yield batch
                if not batch:
                    time.sleep(POLL)
        finally:
            for source in inputs:
                source.close()


def _of_topics(
    settings: Settings, since: int | None, stopped: Stopped
) -> Iterator[list[RawRecord | Prepared]]:
    sources = {one.topic: one for one in settings.sources if isinstance(one, KafkaSource)}
    loop = asyncio.new_event_loop()
    try:
        consumer = loop.run_until_complete(_consumer(settings, [*sources.values()], since))
        try:
            while not stopped():
                fetched = loop.run_until_complete(
                    consumer.getmany(timeout_ms=int(POLL * 1000), max_records=settings.batch)
                )
                yield [
                    record
                    for where, some in fetched.items()
                    for one in some
                    if (record := record_of(one, sources[where.topic].name)) is not None
                ]
        finally:
            loop.run_until_complete(consumer.stop())
    except KafkaError as error:
        raise ConfigError([f"the topics cannot be read: {said(error)}"]) from None
    finally:
        loop.close()


async def _consumer(
    settings: Settings, sources: Sequence[KafkaSource], since: int | None
) -> AIOKafkaConsumer:
    places = [TopicPartition(one.topic, number) for one in sources for number in range(one.partitions)]
    consumer = AIOKafkaConsumer(
        **client_arguments(settings.kafka),
        enable_auto_commit=False,
        auto_offset_reset="latest",
        isolation_level="read_committed",
    )
    await consumer.start()
    consumer.assign(places)
    await consumer.seek_to_end(*places)
    if since is not None:
        found = await consumer.offsets_for_times(dict.fromkeys(places, since // 1_000_000))
        for where, at in found.items():
            if at is not None:
                consumer.seek(where, at.offset)
    return consumer
