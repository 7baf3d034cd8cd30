"""What `outfall replay` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import os
import sys
import time
import zoneinfo
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from streams.cli import exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.correlate.firing import Firing
from streams.correlate.severity import load as load_severity
from streams.detect.fields import NONE
from streams.detect.load import load as load_rules
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.enrich.load import stated_key
from streams.errors import ConfigError
from streams.event import rfc3339
from streams.normalise import FORMATS
from streams.pipeline import Outcome, Pipeline
from streams.runtime.cache import user_cache
from streams.runtime.edition import edition
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.replay import replay
from streams.settings import parse_duration
from streams.stages.reader import Source


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `outfall replay`, as given."""

    rules: list[Path]
    files: list[str]
    format: str
    enrich: Path | None
    severity: Path | None
    time_field: str | None
    id_field: str | None
    allowed_lateness: str
    zone: str
    ignore_logsource: bool
    firings: bool


class _Lines:
    """The numbers of the input lines that events came from, counted on from file to file."""

    def __init__(self) -> None:
        self._place: dict[str, tuple[int, int]] = {}
        self._lengths: Counter[int] = Counter()

    def note(self, file: int, line: int, event_id: str | None) -> None:
        self._lengths[file] = max(self._lengths[file], line + 1)
        if event_id is not None:
            self._place.setdefault(event_id, (file, line))

    def number(self, event_id: str) -> int | None:
        if event_id not in self._place:
            return None
        file, line = self._place[event_id]
        return line + sum(length for other, length in self._lengths.items() if other < file)


def run(options: Options) -> int:
    """Replay, print, and give the exit status."""
    console = standard_error()
    try:
        sources = _sources(options)
        book = load_rules(options.rules, user_cache())
        severity = load_severity(options.severity, options.rules)
        enricher = (
            None
            if options.enrich is None
            else Enricher(load_enrichment(options.enrich, key=stated_key(os.environ)))
        )
    except ConfigError as error:
        say_problems(console, error)
        return exits.USAGE
    say_refused(console, book.refused)
    pipeline = Pipeline(
        sources,
        RuleSet(
            book,
            ignore_logsource=options.ignore_logsource,
            mapping=NONE if options.format == "json" else None,
            cache=user_cache(),
        ),
        book,
        enricher,
        severity,
        edition=edition(book, options.rules),
        keep_firings=options.firings,
    )
    spare_garbage_collection()
    with ExitStack() as stack:
        try:
            files = [stack.enter_context(_open(name)) for name in options.files]
        except OSError as error:
            console.print(f"{error.filename}: {error.strerror}", style="red", markup=False)
            return exits.USAGE
        counts = _replay(pipeline, sources, files, options, console)
    if options.enrich is None and options.format != "json":
        console.print(
            "without --enrich nothing is known of actors, destinations and data subjects", style="dim"
        )
    if counts["late"]:
        console.print(f"{counts['late']} events came later than the allowed lateness; windows left them out")
    for count, what in (("left_out", "windows"), ("groups_left_out", "groups")):
        if counts[count]:
            console.print(f"{counts[count]} events were left out: there are limits to {what} (`limits`)")
    if book.refused or counts["rule_failures"]:
        return exits.FINDINGS
    return exits.REJECTED if counts["rejected"] else exits.DONE


def _replay(
    pipeline: Pipeline, sources: list[Source], files: list[BinaryIO], options: Options, console: Console
) -> Counter[str]:
    numbers = {source.name: index for index, source in enumerate(sources)}
    lines = _Lines()
    counts: Counter[str] = Counter()
    total = sum(size for size in (_size(file) for file in files) if size is not None)
    columns = (TextColumn("replaying"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total or None)
        read: dict[str, int] = {}

        def advance(name: str, offset: int) -> None:
            bar.update(task, advance=offset - read.get(name, 0))
            read[name] = offset

        named = [(source.name, file) for source, file in zip(sources, files, strict=True)]
        for prepared, outcome in replay(pipeline, named, time.time_ns(), advance):
            for item in prepared:
                origin = item.record.origin
                lines.note(numbers[origin.source], origin.line, None if item.event is None else item.event.id)
            for event in outcome.events:
                lines.note(numbers[event.origin.source], event.origin.line, event.id)
            _report(outcome, console)
            if not options.firings:
                sys.stdout.buffer.writelines(
                    alert.model_dump_json().encode() + b"\n" for alert in outcome.alerts
                )
            counts.update(outcome.counts)
    if options.firings:
        for firing in pipeline.firings():
            sys.stdout.buffer.write(_firing(firing, lines) + b"\n")
    sys.stdout.buffer.flush()
    return counts


def _report(outcome: Outcome, console: Console) -> None:
    for letter in outcome.dead_letters:
        origin = letter.record.origin
        console.print(f"{origin.source}: line {origin.line}: {letter.reason}", markup=False)
    for failure in outcome.failures:
        console.print(
            f"{failure.rule.place}: failed on an event: {failure.reason}", style="red", markup=False
        )


def _firing(firing: Firing, lines: _Lines) -> bytes:
    numbers = {lines.number(event_id) for event_id in firing.events}
    return orjson.dumps(
        {
            "rule": firing.correlation.rule.label,
            "title": firing.correlation.rule.title,
            "group": firing.group,
            "time": rfc3339(firing.time),
            "value": firing.value,
            "events": sorted(number for number in numbers if number is not None),
        }
    )


def _sources(options: Options) -> list[Source]:
    problems = []
    if options.format not in FORMATS:
        problems.append(f"--format: no format {options.format!r}; there are {', '.join(sorted(FORMATS))}")
    try:
        lateness = parse_duration(options.allowed_lateness)
    except ValueError as error:
        problems.append(f"--allowed-lateness: {error}")
    try:
        zone = zoneinfo.ZoneInfo(options.zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        problems.append(f"--zone: no time zone {options.zone!r}")
    if problems:
        raise ConfigError(problems)
    names = [Path(name).stem if name != "-" else "stdin" for name in options.files]
    if len(set(names)) < len(names):
        names = [f"{name}#{index}" for index, name in enumerate(names)]
    return [
        Source(name, FORMATS[options.format], zone, lateness, options.time_field, options.id_field)
        for name in names
    ]


def _open(name: str) -> BinaryIO:
    return sys.stdin.buffer if name == "-" else Path(name).open("rb")


def _size(file: BinaryIO) -> int | None:
    return None if file is sys.stdin.buffer else Path(file.name).stat().st_size
