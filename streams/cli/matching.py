"""What `outfall match` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson
from rich.console import Console

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.detect.fields import MAPPINGS
from streams.detect.load import RuleBook, load
from streams.detect.ruleset import RuleSet
from streams.errors import ConfigError, Ignored, RecordError
from streams.event import Event, LogSource, Origin, RawRecord, first
from streams.normalise import FORMATS, normalise
from streams.normalise.base import MAX_BYTES, PART, Context
from streams.normalise.postfix_join import PostfixJoin
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


def run(options: Options) -> int:
    """Match, print, and give the exit status."""
    console = standard_error()
    with ExitStack() as stack:
        try:
            rules, book = _rules(options)
            stream = sys.stdin.buffer if options.file == "-" else stack.enter_context(_open(options.file))
        except ConfigError as error:
            say_problems(console, error)
            return exits.USAGE
        say_refused(console, book.refused)
        return _Run(options, rules, console).over(stream, refused=bool(book.refused))


class _Run:
    """One run over a stream; what it notices decides the exit status."""

    def __init__(self, options: Options, rules: RuleSet, console: Console) -> None:
        self._options = options
        self._rules = rules
        self._console = console
        self._failed = self._rejected = False

    def over(self, stream: BinaryIO, *, refused: bool) -> int:
        for batch in _batches(self._events(stream)):
            sys.stdout.buffer.writelines(self._matches(batch))
        sys.stdout.buffer.flush()
        if refused or self._failed:
            return exits.FINDINGS
        return exits.REJECTED if self._rejected else exits.DONE

    def _events(self, stream: BinaryIO) -> Iterator[tuple[int, Event]]:
        """Give the events with the numbers of the lines that completed them."""
        form = FORMATS[self._options.format]
        context = Context(received=time.time_ns())
        join = PostfixJoin()
        for line in read_lines(stream, MAX_BYTES):
            record = RawRecord(line.data, Origin("match", self._options.file, line.offset, line.number))
            try:
                event = normalise(record, form, context, require_time=False)
            except Ignored:
                continue
            except RecordError as error:
                self._rejected = True
                self._console.print(f"line {line.number}: {error}", markup=False)
                continue
            if self._options.logsource_field is not None:
                event.logsources = _stated(event, self._options.logsource_field)
            for whole in join.add(event) if PART in event.marks else [event]:
                yield line.number, whole

    def _matches(self, batch: list[tuple[int, Event]]) -> Iterator[bytes]:
        matches, failures = self._rules.match([event for _, event in batch])
        lines = {event.id: line for line, event in batch}
        for failure in failures:
            self._failed = True
            text = f"{failure.rule.place}: failed on line {lines[failure.event]}: {failure.reason}"
            self._console.print(text, style="red", markup=False)
        for found in matches:
            line = batch[found.event][0]
            yield orjson.dumps({"event": line, "rule": found.rule.id, "title": found.rule.title}) + b"\n"


def _rules(options: Options) -> tuple[RuleSet, RuleBook]:
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
    book = load(options.rules)
    mapping = None if name is None else MAPPINGS[name]
    return RuleSet(book, ignore_logsource=options.ignore_logsource, mapping=mapping), book


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
