"""The task of one partition: takes batches through a stage, and makes all that they lead to safe at once.

Messages, alerts, dead letters, changed rows of state and the position in the input go out in one transaction
of a producer that is the partition's own: whoever takes the partition over fences it off. So a batch happened
or it did not, and one that is delivered again is known by its offsets and skipped.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from streams import log
from streams.errors import OutfallError
from streams.runtime import changelog, offsets
from streams.runtime.dead_letters import Letter
from streams.runtime.outgoing import Outgoing
from streams.runtime.transport import RecordBatch
from streams.stages.reader import DeadLetter
from streams.stages.stage import Sent, Stage
from streams.state import Change

QUEUE = 4
"""Batches that wait at a task; more wait in the fetcher, which then fetches no further."""
_TRANSACTION_MS = 300_000
_BATCH_BYTES = 1024 * 1024

logger = log.get(__name__)


class GapError(OutfallError):
    """Records have been lost between the broker and the task: to go on would lose them for good."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a batch was, for those who count: seconds are of computing, and of waiting for Kafka.

    `rows` are those that the state holds now, by table, as far as a table knows.
    """

    records: Sequence[Any]
    sent: Sent
    letters: Sequence[Letter]
    computing: float
    waiting: float
    changes: int
    changed_bytes: int
    rows: Mapping[str, int]


class Input(Protocol):
    """What is particular to a step: how its records are read, and where what it leads to is sent."""

    topic: str
    partition: int
    stage: Stage[Any]

    def read(self, records: Sequence[Any]) -> tuple[Sequence[Any], list[Letter]]:
        """Give what the stage takes of records, and those that it cannot take."""
        ...

    def letter(self, dead: DeadLetter) -> Letter:
        """Say of a record that was read last, and that the stage has given up, where it lies."""
        ...


class Watcher(Protocol):
    """Who is told how a task is doing."""

    def restoring(self, share: float) -> None:
        """Take note of how much of the state has been read back."""
        ...

    def restored(self, rows: int, seconds: float) -> None:
        """Take note that all of it has, and that the task goes on."""
        ...

    def skipped(self, records: int) -> None:
        """Take note of records that were read again, though they had been processed."""
        ...

    def done(self, done: Done) -> None:
        """Take note that a batch is safe."""
        ...


class Task:
    """Runs until it is cancelled, or raises what it cannot live with."""

    def __init__(
        self,
        source: Input,
        outgoing: Outgoing,
        client: dict[str, Any],
        *,
        group: str,
        limit: int,
        max_message: int,
        acknowledge: Callable[[RecordBatch], None],
        watcher: Watcher,
    ) -> None:
        self.topic, self.partition = source.topic, source.partition
        self._source = source
        self._outgoing = outgoing
        self._client = client
        self._group = group
        self._limit = limit
        self._acknowledge = acknowledge
        self._watcher = watcher
        self._queue: asyncio.Queue[RecordBatch] = asyncio.Queue(QUEUE)
        self._busy = asyncio.Lock()
        self._ours = asyncio.Event()
        self._ours.set()
        self._starting = True
        self._position = 0
        self._max_message = max_message
        self._producer: AIOKafkaProducer | None = None
        self._stopped = False

    @property
    def position(self) -> int:
        """The offset of the next record that has not been processed."""
        return self._position

    async def put(self, batch: RecordBatch) -> None:
        """Hand over a batch; waits while enough of them wait. One that has stopped takes no more."""
        if not self._stopped:
            await self._queue.put(batch)

    async def run(self, restores: asyncio.Semaphore) -> None:
        """Restore as `restores` lets us, then process.

        Raises:
            KafkaError: what a batch led to could not be made safe; the process must end, and begin again.
            StateError: the state is not what the group has committed.
            GapError: records between two batches were not handed over.
            BreakerOpen: most of what is read is dead.
        """
        async with self._busy:
            async with restores:
                await self._start()
            self._starting = False
        await self._ours.wait()
        async with self._busy:
            if await self._nothing_to_read():
                await self._process([])  # to say that there is nothing to wait for
        while True:
            batches = [await self._queue.get()]
            async with self._busy:
                while not self._queue.empty() and sum(len(b.records) for b in batches) < self._limit:
                    batches.append(self._queue.get_nowait())
                if self._ours.is_set():
                    await self._process(batches)

    async def replace(self, source: Input) -> None:
        """Go on with another stage, by other rules, from the same state; between two batches."""
        async with self._busy:
            self._source = source
            await self._restore()

    def refuse(self) -> None:
        """Take no more, and let go of what waits: nothing of it is acknowledged."""
        self._stopped = True
        while not self._queue.empty():
            self._queue.get_nowait()

    async def quiet(self) -> None:
        """Drop what waits, and wait for the batch under way: the partition may go to another worker.

        Until `go_on` what still comes is dropped too, since it follows what was dropped here; all of it is
        read again. A state that is being restored is not waited for: that can take longer than the group
        waits for its members, and who gets the partition fences us off.
        """
        self._ours.clear()
        while not self._queue.empty():
            self._queue.get_nowait()
        if not self._starting:
            async with self._busy:
                pass

    def go_on(self) -> None:
        """Take what comes: the partition has stayed ours, and is read from what is committed."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._ours.set()

    async def close(self) -> None:
        """Let go of the producer."""
        if self._producer is not None:
            await self._producer.stop()

    async def _start(self) -> None:
        self._producer = AIOKafkaProducer(
            **self._client,
            transactional_id=self._outgoing.transactional_id,
            transaction_timeout_ms=_TRANSACTION_MS,
            request_timeout_ms=_TRANSACTION_MS,
            compression_type="lz4",
            max_batch_size=_BATCH_BYTES,
            max_request_size=self._max_message,
        )
        await self._producer.start()
        await self._producer.begin_transaction()  # fences off whoever was the writer, and ends what it began
        await self._restore()

    async def _restore(self) -> None:
        begin = time.monotonic()
        self._watcher.restoring(0.0)
        stage = self._source.stage
        self._position, rows = await changelog.restore(
            self._client, self._outgoing.state, self.partition, stage.tables, self._watcher.restoring
        )
        stage.after_restore()
        self._watcher.restored(rows, time.monotonic() - begin)

    async def _nothing_to_read(self) -> bool:
        """Tell whether nothing has been read and nothing is there; look whether that can be."""
        there = await offsets.read(self._client, self._group, self.topic, self.partition)
        if there.committed is not None and there.committed > self._position:
            raise offsets.StateError(
                f"{self.topic}/{self.partition} has been read up to {self._position} by its state in"
                f" {self._outgoing.state}, and up to {there.committed} by what group {self._group} has"
                " committed: the state is missing, or older. Bring it back, or begin without it by setting"
                f" the group's offset to {self._position} (docs/kafka.md)"
            )
        if self._position and there.begin > self._position:
            logger.error(
                "records were deleted before they were read",
                topic=self.topic,
                partition=self.partition,
                records=there.begin - self._position,
            )
        return not self._position and there.begin == there.end

    async def _process(self, batches: Sequence[RecordBatch]) -> None:
        self._refuse_gaps(batches)
        records = [each for batch in batches for each in batch.records]
        new = [record for record in records if record.offset >= self._position]
        if len(new) < len(records):
            self._watcher.skipped(len(records) - len(new))
        if new or not batches:
            begin = time.perf_counter()
            taken, letters = self._source.read(new)
            sent = self._source.stage.process(taken)
            letters += map(self._source.letter, sent.dead_letters)
            changes = [change for table in self._source.stage.tables for change in table.drain()]
            computed = time.perf_counter()
            if new:
                self._position = new[-1].offset + 1
            size = await self._send(sent, letters, changes)
            end = time.perf_counter()
            self._watcher.done(
                Done(
                    new,
                    sent,
                    letters,
                    computed - begin,
                    end - computed,
                    len(changes),
                    size,
                    {each.name: len(each) for each in self._source.stage.tables if isinstance(each, Sized)},
                )
            )
        for batch in batches:
            self._acknowledge(batch)

    def _refuse_gaps(self, batches: Sequence[RecordBatch]) -> None:
        """Let no batch pass whose predecessor was not handed over, whatever became of it on its way here."""
        reached = self._position
        for batch in batches:
            if batch.follows > reached:
                raise GapError(
                    f"{self.topic}/{self.partition}: the batch after offset {batch.follows} came, and what"
                    f" lies before it from {reached} on did not"
                )
            reached = max(reached, batch.last + 1)

    async def _send(self, sent: Sent, letters: Sequence[Letter], changes: Sequence[Change]) -> int:
        producer = self._producer
        if producer is None:
            raise RuntimeError("the task has not been started")
        deliveries = [
            await producer.send(
                message.topic, message.value, message.key, message.partition, headers=message.headers
            )
            for message in self._outgoing.messages(sent, letters)
        ]
        size = 0
        builder = producer.create_batch()
        for key, value in [*map(changelog.encode, changes), self._place()]:
            size += len(key) + len(value or b"")
            if builder.append(key=key, value=value, timestamp=None) is None:
                deliveries.append(await self._send_rows(producer, builder))
                builder = producer.create_batch()
                builder.append(key=key, value=value, timestamp=None)
        deliveries.append(await self._send_rows(producer, builder))
        try:
            # aiokafka commits a transaction of which a record was refused, so each must be asked for.
            await asyncio.gather(*deliveries)
            await producer.commit_transaction()
        except ProducerFenced:
            logger.warning("another worker has this partition", topic=self.topic, partition=self.partition)
            raise
        await producer.begin_transaction()
        return size

    async def _send_rows(self, producer: AIOKafkaProducer, builder: Any) -> asyncio.Future[Any]:
        sent: asyncio.Future[Any] = await producer.send_batch(
            builder, self._outgoing.state, partition=self.partition
        )
        return sent

    def _place(self) -> tuple[bytes, bytes]:
        return changelog.POSITION, str(self._position).encode()
