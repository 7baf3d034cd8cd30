"""The worker: a Faust application whose agents hand what is read of each partition to that partition's task.

Faust brings the consumer group, its rebalances and the agents; a task (`task.py`) makes what it does safe.
Whatever goes wrong in a way that is not expected ends the process at once, without committing anything: it is
to be started again, and goes on where everything was safe.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from typing import Any

import faust
from faust.types import TP

from streams import log
from streams.errors import OutfallError
from streams.event import NANOSECONDS
from streams.runtime.assemble import Stages
from streams.runtime.kafka_client import client_arguments
from streams.runtime.outgoing import Outgoing
from streams.runtime.task import Task
from streams.runtime.topics import Topics
from streams.runtime.transport import SCHEME, Consumer, PassThrough, RecordBatch
from streams.runtime.watch import Watch
from streams.settings import Settings
from streams.stages.breaker import BreakerOpen

FAILED = 4
"""The exit status of a worker that ended itself: nothing is lost, start it again."""
_RESTORES = 2
"""Tasks that restore at once; more only get in each other's way."""

logger = log.get(__name__)


class App(faust.App):
    """Faust's application, with how clients connect, and without going on when something has crashed."""

    client_arguments: dict[str, Any]

    def _crash(self, reason: BaseException) -> None:
        end(f"the worker's frame crashed: {type(reason).__name__}: {reason}")


def end(why: str) -> None:
    """End the process without committing anything."""
    logger.critical("ends without committing", reason=why)
    logging.shutdown()
    os._exit(FAILED)


class Worker:
    """One worker of a configuration."""

    def __init__(self, settings: Settings, stages: Stages, watch: Watch) -> None:
        self._settings = settings
        self._topics = Topics(settings)
        self._stages = stages
        self._watch = watch
        self._client = client_arguments(settings.kafka)
        self._tasks: dict[TP, Task] = {}
        self._running: dict[TP, asyncio.Task[None]] = {}
        self._generation: int | None = None
        self._restores = asyncio.Semaphore(_RESTORES)
        self._settled = asyncio.Event()
        self._stopping = False
        self._app = self._application()

    async def run(self, editions: AsyncIterator[Stages]) -> None:
        """Work until SIGTERM or SIGINT, then finish what is under way; `editions` brings further stages."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        aside = [asyncio.create_task(self._beat()), asyncio.create_task(self._reload(editions))]
        await self._app.start()
        self._watch.connected()
        await stop.wait()
        try:
            await asyncio.wait_for(self._drain(), self._settings.kafka.drain_timeout / NANOSECONDS)
        except TimeoutError:
            end("what was under way did not finish within kafka.drain_timeout")
        for each in aside:
            each.cancel()

    def _application(self) -> App:
        kafka = self._settings.kafka
        session = kafka.session_timeout / NANOSECONDS
        app = App(
            self._topics.group,
            broker=[f"{SCHEME}://{address}" for address in kafka.bootstrap],
            store="memory://",
            datadir=tempfile.gettempdir(),
            autodiscover=False,
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_buffer_maxsize=4,
            stream_wait_empty=False,
            broker_commit_interval=1.0,
            broker_max_poll_records=kafka.batch,
            broker_max_poll_interval=3600.0,
            broker_session_timeout=session,
            broker_request_timeout=max(90.0, session),
            broker_heartbeat_interval=session / 4,
            broker_rebalance_timeout=max(60.0, session),
        )
        app.client_arguments = self._client
        raw = [*self._topics.sources]
        for name, topics in (
            ("read", raw),
            ("trace", [self._topics.content]),
            ("correlate", [self._topics.matches]),
        ):
            channel = app.topic(*topics, schema=PassThrough(), value_serializer="raw", key_serializer="raw")
            app.agent(channel, name=name)(self._agent)
        app.on_partitions_revoked.connect(self._revoked)
        app.on_partitions_assigned.connect(self._assigned)
        return app

    async def _agent(self, stream: Any) -> None:
        """Hand each batch to its partition's task."""
        async for event in stream.noack().events():
            await self._settled.wait()
            if event.message.generation_id != self._app.consumer_generation_id:
                continue  # read before the partitions were shared out anew; it is read again
            batch: RecordBatch = event.value
            task = self._tasks.get(TP(batch.topic, batch.partition))
            if task is None and self._stopping:
                continue  # nothing is acknowledged any more; whoever comes next reads it
            if task is None:
                end(f"{batch.topic}/{batch.partition}: records came, and the partition was not assigned")
            else:
                self._consumer.delivered(batch)
                await task.put(batch)

    @property
    def _consumer(self) -> Consumer:
        consumer: Consumer = self._app.consumer  # type: ignore[assignment]  # the transport's own
        return consumer

    async def _revoked(self, *_: Any, **__: Any) -> None:
        """Finish what is under way, before others may begin: what waits is read again."""
        self._watch.rebalancing()
        self._settled.clear()
        await asyncio.gather(*(task.quiet() for task in self._tasks.values()))
        await self._consumer.commit()

    async def _assigned(self, *arguments: Any, **_: Any) -> None:
        """Take over what is ours now.

        A task that was ours and is again goes on from where it is, unless there was a generation of the group
        without us, in which another may have had it.
        """
        wanted: set[TP] = set(arguments[1])  # the first one is the app
        generation = self._app.consumer_generation_id
        missed = self._generation is None or generation != self._generation + 1
        self._generation = generation
        for tp in [*self._tasks]:
            if missed or tp not in wanted:
                await self._drop(tp)
        for tp in sorted(wanted):
            if tp in self._tasks:
                self._tasks[tp].go_on()
            else:
                self._begin(tp)
        self._watch.assigned(wanted)
        self._settled.set()  # before this Faust may hand over records already

    def _begin(self, tp: TP) -> None:
        task = self._task(tp)
        self._tasks[tp] = task

        async def run() -> None:
            try:
                await task.run(self._restores)
            except asyncio.CancelledError:
                if tp in self._running:  # not dropped; aiokafka lets out its own when a broker goes away
                    end(f"{tp.topic}/{tp.partition}: cancelled while it is ours")
                raise
            except BreakerOpen as error:
                task.refuse()
                self._consumer.pause_partitions({tp})
                self._watch.breaks(tp.topic, tp.partition, str(error))
            except OutfallError as error:
                end(str(error))
            except Exception as error:
                logger.exception("task failed", topic=tp.topic, partition=tp.partition)
                end(f"{tp.topic}/{tp.partition}: {type(error).__name__}")

        self._running[tp] = asyncio.create_task(run())

    def _task(self, tp: TP) -> Task:
        return Task(
            self._stages.input(tp.topic, tp.partition),
            Outgoing(
                self._topics,
                tp.topic,
                tp.partition,
                partitions=self._settings.kafka.partitions,
                max_message=self._settings.kafka.max_message,
            ),
            self._client,
            group=self._topics.group,
            limit=self._settings.kafka.batch,
            max_message=self._settings.kafka.max_message,
            acknowledge=self._consumer.acknowledge,
            watcher=self._watch.of(self._stages.step(tp.topic), tp.topic, tp.partition),
        )

    async def _drop(self, tp: TP) -> None:
        running = self._running.pop(tp)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self._tasks.pop(tp).close()
        self._watch.dropped(tp.topic, tp.partition)

    async def _drain(self) -> None:
        self._stopping = True
        await asyncio.gather(*(task.quiet() for task in self._tasks.values()))
        await self._consumer.commit()
        for tp in [*self._tasks]:
            await self._drop(tp)
        await self._app.stop()

    async def _reload(self, editions: AsyncIterator[Stages]) -> None:
        """Let every task go on by other rules, with the state that it has."""
        async for stages in editions:
            self._stages = stages
            # Those that count first: what a new rule matches must find somebody who knows it.
            order = [*reversed(self._topics.inputs)]
            for tp, task in sorted(self._tasks.items(), key=lambda item: order.index(item[0].topic)):
                if self._tasks.get(tp) is task:
                    await task.replace(stages.input(tp.topic, tp.partition))
            self._watch.reloaded(failed=False)
            self._watch.runs(stages)

    async def _beat(self) -> None:
        while True:
            self._watch.beat()
            for tp, task in self._tasks.items():
                end = self._consumer.highwater(tp)
                if end is not None:
                    self._watch.lags(tp.topic, tp.partition, max(0, end - task.position))
            await asyncio.sleep(1)
