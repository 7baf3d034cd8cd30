"""What `outfall produce` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import orjson
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from streams.cli import exits
from streams.cli.complaints import say_problems, standard_error
from streams.cli.produce_logs import Log, Options, open_logs
from streams.cli.stop import Stop
from streams.errors import ConfigError
from streams.event import RawRecord
from streams.normalise import FORMATS
from streams.runtime.found_topics import FoundTopic, find_topics
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.in_order import in_order
from streams.runtime.pace import Pace
from streams.runtime.produce import Production, Sent
from streams.runtime.sender import Sender
from streams.settings import Settings, load, parse_duration

_SHOWN = 20


def run(options: Options) -> int:
    """Send, tell what was sent, and give the exit status."""
    console = standard_error()
    try:
        settings = load(options.config, formats=FORMATS, places=False)
        with ExitStack() as stack:
            logs = open_logs(options, settings, stack, console)
            return _send(options, settings, logs, console)
    except ConfigError as error:
        say_problems(console, error)
    except OSError as error:
        said = f"{error.filename}: {error.strerror}" if error.filename else f"cannot go on: {error}"
        console.print(said, style="red", markup=False)
    except KafkaError as error:
        console.print(
            f"Kafka did not acknowledge everything: {error}. Send the same again: nothing will count twice.",
            style="red",
            markup=False,
        )
    return exits.USAGE


def _send(options: Options, settings: Settings, logs: Sequence[Log], console: Console) -> int:
    topics = _find_topics(settings, logs)
    spare_garbage_collection()
    stop = Stop()
    begun = time.monotonic()
    sizes = [log.size for log in logs]
    whole = None if None in sizes else sum(size or 0 for size in sizes)
    columns = (TextColumn("sending"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        reporter = _Reporter(console, topics, bar, bar.add_task("", total=whole))

        async def produce() -> dict[str, Sent]:
            async with Sender(settings.kafka, topics) as sender:
                production = Production(
                    sender,
                    pace=Pace(rate=options.rate, speed=options.speed),
                    skew=settings.clock_skew,
                    stopped=lambda: stop.asked,
                    sent=reporter.sent,
                    too_large=reporter.too_large,
                )
                records = in_order(logs, time.time_ns())
                return await production.run(
                    records, let_pass=parse_duration(options.let_pass), wait=whole is None
                )

        counts = asyncio.run(produce())
    if stop.asked:
        console.print("stopped before the end")
    _summarise(topics, counts, time.monotonic() - begun, console)
    return exits.REJECTED if any(sent.too_large for sent in counts.values()) else exits.DONE


def _find_topics(settings: Settings, logs: Sequence[Log]) -> dict[str, FoundTopic]:
    """Look up the topics, by source; a problem names the source."""
    named = {f"source {log.source.name}": log.source.topic for log in logs}
    found = find_topics(settings.kafka, named)
    return {log.source.name: found[f"source {log.source.name}"] for log in logs}


class _Reporter:
    """Moves the progress bar, and tells what was not sent."""

    def __init__(
        self, console: Console, topics: Mapping[str, FoundTopic], bar: Progress, task: TaskID
    ) -> None:
        self._console = console
        self._topics = topics
        self._bar = bar
        self._task = task
        self._refused = 0

    def sent(self, record: RawRecord) -> None:
        self._bar.advance(self._task, len(record.data) + 1)

    def too_large(self, record: RawRecord) -> None:
        self._refused += 1
        if self._refused > _SHOWN:
            return
        origin, topic = record.origin, self._topics[record.origin.source]
        self._console.print(
            f"{origin.source}: line {origin.line} was not sent: it is larger than topic {topic.name} takes"
            f" (max.message.bytes is {topic.largest})",
            markup=False,
        )
        if self._refused == _SHOWN:
            self._console.print("further lines that are too large are counted and not shown")


def _summarise(
    topics: Mapping[str, FoundTopic], counts: Mapping[str, Sent], seconds: float, console: Console
) -> None:
    """Say how much was sent: a line of JSON for each source, or text on a terminal."""
    for source, topic in topics.items():
        sent = counts.get(source, Sent())
        document = {
            "source": source,
            "topic": topic.name,
            "records": sent.records,
            "bytes": sent.bytes,
            "unreadable": sent.unreadable,
            "too_large": sent.too_large,
            "seconds": round(seconds, 3),
        }
        if sys.stdout.isatty():
            line = f"{source}: {sent.records} records, {sent.bytes} bytes to topic {topic.name}"
            sys.stdout.write(f"{line} in {seconds:.1f} s\n")
        else:
            sys.stdout.buffer.write(orjson.dumps(document) + b"\n")
        if sent.unreadable:
            console.print(
                f"{source}: {sent.unreadable} records are not of the source's format; the worker makes dead"
                " letters of them. `outfall normalise --format FORMAT FILE` tells why.",
                markup=False,
            )
    sys.stdout.flush()
