"""Dead letters of the workers, and of those who deliver alerts, sent again to where they came from."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from aiokafka.errors import KafkaTimeoutError

from streams.event import RawRecord
from streams.runtime.dead_letters import Letter
from streams.runtime.found_topics import FoundTopic, find_topics
from streams.runtime.headers import ATTEMPTS, origin_header
from streams.runtime.letter_topic import REPLAYED, LetterTopic
from streams.runtime.letters import Entry, Wanted
from streams.runtime.sender import PATIENCE, fits, make_producer, partition_of
from streams.runtime.topics import Topics
from streams.settings import Settings

BATCH = 500
BATCH_BYTES = 8 << 20


async def resend(
    settings: Settings,
    wanted: Wanted,
    *,
    dry_run: bool,
    refused: Callable[[Entry, str], object],
    begin: Callable[[int], object],
    advance: Callable[[int], object],
) -> int:
    """Send the letters that are meant to their sources' topics again, and give how many.

    `refused` is told of each that cannot be sent, and why. `begin` and `advance` are told how much there is
    to read, and how much of it has been read.

    Raises:
        ConfigError: no broker answers, or a topic is not there.
        KafkaError: Kafka fails; what was sent until then is known to be, and not sent a second time.
        OutfallError: ids are given that are not there.
    """
    topics = Topics(settings)
    users = {f"source {source.name}": name for name, source in topics.sources.items()}
    ours = {"dead letters": topics.dead_letters, "alerts": topics.alerts}
    if topics.events is not None:
        ours["events"] = topics.events
    found = find_topics(settings.kafka, users | ours)
    raw = {source.name: found[f"source {source.name}"] for source in topics.sources.values()}
    delivered = [found[name] for name in ("alerts", "events") if name in found]
    count = 0
    async with (
        _Resender(settings, topics, raw, delivered, dry_run=dry_run) as resender,
        LetterTopic(settings.kafka, topics.dead_letters, advance) as letters,
    ):
        begin(letters.length)
        batch: list[Entry] = []
        async with contextlib.aclosing(letters.wanted(wanted)) as entries:
            async for entry in entries:
                why = resender.refusal(entry)
                if why:
                    refused(entry, why)
                    continue
                count += 1
                batch.append(entry)
                if len(batch) >= BATCH or sum(each.size for each in batch) >= BATCH_BYTES:
                    await resender.send(batch)
                    batch = []
        await resender.send(batch)
    return count


class _Resender:
    """Sends letters in transactions, each together with the mark that it was replayed.

    Who begins puts an end to an earlier one that is still under way, before the letters are read: so none
    is sent twice, however many replay at once.
    """

    def __init__(
        self,
        settings: Settings,
        topics: Topics,
        raw: Mapping[str, FoundTopic],
        delivered: Sequence[FoundTopic],
        *,
        dry_run: bool,
    ) -> None:
        self._settings = settings
        self._letters = topics.dead_letters
        self._inner = {topics.content, topics.matches}
        self._raw = raw
        self._delivered = {topic.name: topic for topic in delivered}
        self._dry_run = dry_run
        self._producer: Any = None

    async def __aenter__(self) -> Self:
        if self._dry_run:
            return self
        name = self._letters  # of the transactions; it begins with the prefix, as the ACLs say
        self._producer = make_producer(self._settings.kafka, self._raw.values(), transactional_id=name)
        try:
            await self._producer.start()
            async with _patience():
                await self._producer.begin_transaction()
                await self._producer.commit_transaction()
        except BaseException:
            await self._producer.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._producer is not None:
            with contextlib.suppress(TimeoutError):  # where Kafka is away it would wait for ever
                await asyncio.wait_for(self._producer.stop(), 5)

    def refusal(self, entry: Entry) -> str | None:
        """Say why a letter cannot be sent again, if it cannot."""
        letter = entry.letter
        if entry.foreign:
            return entry.foreign
        if _place(letter)[0] in self._inner:
            return f"it died in topic {_place(letter)[0]}: it is no raw record, but what was made of one"
        topic = self._topic(letter)
        if topic is None:
            return f"no source {letter.origin.source} of kind kafka is configured"
        if not fits(RawRecord(letter.data, letter.origin), topic):
            return f"it is larger than topic {topic.name} takes (max.message.bytes is {topic.largest})"
        return None

    async def send(self, entries: Sequence[Entry]) -> None:
        """Send letters and say that they were replayed: all of that or nothing."""
        if self._dry_run or not entries:
            return
        sent: list[asyncio.Future[Any]] = []
        async with _patience():  # a transaction that fails is not aborted here: the next replay does that
            await self._producer.begin_transaction()
            for entry in entries:
                sent += await self._send(entry)
            await asyncio.gather(*sent)
            await self._producer.commit_transaction()

    async def _send(self, entry: Entry) -> list[asyncio.Future[Any]]:
        letter = entry.letter
        topic = self._topic(letter)
        if topic is None:
            raise RuntimeError("refusal was not asked")
        key = letter.origin.stream.encode()
        headers = [origin_header(letter.origin), (ATTEMPTS, str(letter.attempts + 1).encode())]
        mark = [(REPLAYED, entry.id.encode())]
        there, here = _partition(letter, topic), int(entry.id.partition("/")[0])
        return [
            await self._producer.send(topic.name, letter.data, key, there, headers=headers),
            await self._producer.send(self._letters, b"", None, here, headers=mark),
        ]

    def _topic(self, letter: Letter) -> FoundTopic | None:
        """Give the topic that a letter goes to: an alert's, or event's, is where those are delivered from."""
        return self._delivered.get(_place(letter)[0]) or self._raw.get(letter.origin.source)


@contextlib.asynccontextmanager
async def _patience() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except TimeoutError:
        raise KafkaTimeoutError(f"nothing was acknowledged for {PATIENCE:.0f} seconds") from None


def _partition(letter: Letter, topic: FoundTopic) -> int:
    """Give the partition that a letter came from, where its format may remember what a line needs to be read.

    Else, where the topic is another one now, that of its stream.
    """
    name, partition = _place(letter)
    if name == topic.name and partition is not None and partition < topic.partitions:
        return partition
    return partition_of(letter.origin.stream.encode(), topic)


def _place(letter: Letter) -> tuple[str, int | None]:
    """Give the topic that a letter came from, and the partition."""
    topic, _, rest = letter.place.partition("/")
    partition = rest.partition("/")[0]
    return topic, int(partition) if partition.isascii() and partition.isdigit() else None
