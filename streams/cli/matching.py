"""What `outfall match` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.detect.fields import MAPPINGS, FieldMapping
from streams.detect.load import RuleBook, load
from streams.detect.ruleset import RuleSet
from streams.errors import ConfigError, Ignored, RecordError
from streams.event import Event, LogSource, Origin, RawRecord, first
from streams.normalise import FORMATS, normalise
from streams.normalise.base import MAX_BYTES, PART, Context
from streams.normalise.postfix_join import PostfixJoin
from streams.runtime.cache import user_cache
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.lines import read_lines

_BATCH = 1000
_DOCUMENTS = {"ecs", "json"}
"""Formats whose documents can say which log source they are of."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `outfall match`, as given."""

    rules: list[Path]
    file: str
    format: str
    ignore_logsource: bool
    logsource_field: str | None
    mapping: str | None


Look = Callable[["Options", RuleBook, FieldMapping | None, "Records"], bool]
"""Looks at all records with a rule book and tells whether a rule failed on one."""


def run(options: Options) -> int:
    """Match, print, and give the exit status."""
    return over(options, _matches_of)


def over(options: Options, look: Look) -> int:
    """Open what the options name, have `look` at it, and give the exit status."""
    console = standard_error()
    with ExitStack() as stack:
        try:
            book, mapping = _book(options)
            stream = sys.stdin.buffer if options.file == "-" else stack.enter_context(_open(options.file))
            records = Records(options, stream, console)
            say_refused(console, book.refused)
            failed = look(options, book, mapping, records)
        except ConfigError as error:
            say_problems(console, error)
            return exits.USAGE
        sys.stdout.flush()
        if book.refused or failed:
            return exits.FINDINGS
        return exits.REJECTED if records.rejected else exits.DONE


class Records:
    """The events of a stream, read as the options say. Those that were `rejected` are told on the console."""

    def __init__(self, options: Options, stream: BinaryIO, console: Console) -> None:
        self._options = options
        self._stream = stream
        self.console = console
        self.rejected = 0

    def __iter__(self) -> Iterator[tuple[int, Event]]:
        """Give the events with the numbers of the lines that completed them."""
        form = FORMATS[self._options.format]
        context = Context(received=time.time_ns())
        join = PostfixJoin()
        for line in read_lines(self._stream, MAX_BYTES):
            record = RawRecord(line.data, Origin("match", self._options.file, line.offset, line.number))
            try:
                event = normalise(record, form, context, require_time=False)
            except Ignored:
                continue
            except RecordError as error:
                self.rejected += 1
                self.console.print(f"line {line.number}: {error}", markup=False)
                continue
            if self._options.logsource_field is not None:
                event.logsources = _stated(event, self._options.logsource_field)
            for whole in join.add(event) if PART in event.marks else [event]:
                yield line.number, whole


def _matches_of(options: Options, book: RuleBook, mapping: FieldMapping | None, records: Records) -> bool:
    """Print the matches; tells whether a rule failed on a record."""
    rules = RuleSet(book, ignore_logsource=options.ignore_logsource, mapping=mapping, cache=user_cache())
    spare_garbage_collection()
    failed, count, sources = False, 0, False
    for batch in _batches(iter(records)):
        count += len(batch)
        sources = sources or any(event.logsources for _, event in batch)
        matches, failures = rules.match([event for _, event in batch])
        lines = {event.id: line for line, event in batch}
        for failure in failures:
            if failure.rule.without:
                continue  # its rule says the same
            failed = True
            text = f"{failure.rule.place}: failed on line {lines[failure.event]}: {failure.reason}"
            records.console.print(text, style="red", markup=False)
        for found in matches:
            if not found.rule.written:
                continue
            told = {"event": batch[found.event][0], "rule": found.rule.id, "title": found.rule.title}
            sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    if count and not sources and not options.ignore_logsource:
        hint = "no record has a log source: see --format, --logsource-field and --ignore-logsource"
        records.console.print(hint, style="yellow", markup=False)
    return failed


def _book(options: Options) -> tuple[RuleBook, FieldMapping | None]:
    problems = []
    if options.format not in FORMATS:
        problems.append(f"--format: no format {options.format!r}; there are {', '.join(sorted(FORMATS))}")
    if options.mapping is not None and options.mapping not in MAPPINGS:
        problems.append(f"--mapping: no mapping {options.mapping!r}; there are {', '.join(MAPPINGS)}")
    if options.logsource_field is not None and options.format not in _DOCUMENTS:
        problems.append(f"--logsource-field: only with --format {' or '.join(sorted(_DOCUMENTS))}")
    if problems:
        raise ConfigError(problems)
    name = options.mapping or ("none" if options.format == "json" else None)
    return load(options.rules, user_cache()), None if name is None else MAPPINGS[name]


def _open(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except OSError as error:
        raise ConfigError([f"{name}: {error.strerror}"]) from None


def _batches(events: Iterator[tuple[int, Event]]) -> Iterator[list[tuple[int, Event]]]:
    batch: list[tuple[int, Event]] = []
    for event in events:
        batch.append(event)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _stated(event: Event, field: str) -> tuple[LogSource, ...]:
    """Give the log source that a document states under a field: an object, or flat fields with dots."""
    parts = (first(event.fields.get(f"{field}.{part}")) for part in LogSource._fields)
    return (LogSource(*(part if isinstance(part, str) else None for part in parts)),)
