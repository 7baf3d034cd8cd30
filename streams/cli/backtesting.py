"""What `outfall rules backtest` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from streams.cli import backtest_view, exits
from streams.cli.complaints import say_problems, say_refused, standard_error
from streams.errors import ConfigError, OutfallError, RecordError
from streams.normalise import FORMATS
from streams.normalise.time import parse_time
from streams.rulebook.backtest import Backtest, backtest
from streams.rulebook.checkout import check_out
from streams.runtime.ahead import clock_skew, looked_at
from streams.runtime.build import Parts, load_parts, pipeline_of
from streams.runtime.files import COMPRESSED
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.indexed_events import indexed_events
from streams.runtime.stored_logs import FileLog, Log, topic_logs
from streams.setting_types import is_glob
from streams.settings import Settings, load, parse_duration
from streams.sinks.elasticsearch_client import synchronous
from streams.source_settings import FileSource, KafkaSource
from streams.stages.reader import Prepared


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `outfall rules backtest`, as given."""

    config: Path
    logs: Sequence[str]
    since: str | None
    until: str | None
    events: bool
    rules: Sequence[Path]
    against: str | None
    processes: int | None
    alerts: Path | None
    json: bool


def run(options: Options) -> int:
    """Run, print, and give the exit status."""
    console = standard_error()
    try:
        settings = load(options.config, formats=FORMATS, places=False)
        if options.rules:
            settings = settings.model_copy(update={"rules": [*options.rules]})
        source = _Indexed(settings, options) if options.events else _Logs(settings, options)
        with ExitStack() as stack:
            books = [(settings, load_parts(settings))]
            if options.against is not None:
                aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outfall-")))
                then = settings.model_copy(
                    update={"rules": check_out(settings.rules, options.against, aside)}
                )
                books.append((then, load_parts(then)))
            for _, parts in books:
                say_refused(console, parts.book.refused)
            results = [source.backtest(each, parts, console) for each, parts in books]
            if options.alerts is not None:
                _write(options.alerts, results[0])
    except ConfigError as error:
        say_problems(console, error)
        return exits.USAGE
    except OutfallError as error:
        console.print(str(error), style="red", markup=False)
        return exits.USAGE
    for failure, count in results[0].failures.items():
        console.print(f"{failure} ({count} times)", style="red", markup=False)
    show = backtest_view.print_json if options.json or not sys.stdout.isatty() else backtest_view.print_table
    show(results[0], results[1] if len(results) > 1 else None, options.against)
    backtest_view.print_counts(console, results[0])
    return exits.FINDINGS if results[0].failures or books[0][1].book.refused else exits.DONE


def find_logs(settings: Settings, options: Options) -> list[Log]:
    """Give the logs that are named as SOURCE=FILE; else those of all sources of kind file, or all topics.

    Raises:
        ConfigError: with everything that is wrong with the names, or the brokers do not answer.
    """
    if options.logs:
        if options.since or options.until:
            raise ConfigError(["--since and --until do not go with SOURCE=FILE"])
        return _named(settings, options.logs)
    files: list[Log] = [
        FileLog(source.name, path)
        for source in settings.sources
        if isinstance(source, FileSource)
        for path in _files(source)
    ]
    topics = [source for source in settings.sources if isinstance(source, KafkaSource)]
    if topics and not files:
        since, until = time_of("--since", options.since), time_of("--until", options.until)
        held = topic_logs(settings.kafka, topics, since, until)
        if not held:
            raise ConfigError([f"the topics hold nothing: {', '.join(one.topic for one in topics)}"])
        return [*held]
    if options.since or options.until:
        raise ConfigError(["--since and --until are for sources of kind kafka"])
    if not files:
        what = "give SOURCE=FILE, or name sources of kind file or kafka"
        raise ConfigError([f"there is nothing to read: {what}"])
    return files


def _named(settings: Settings, given: Sequence[str]) -> list[Log]:
    known = {source.name for source in settings.sources}
    problems: list[str] = []
    logs: list[Log] = []
    for text in given:
        name, sign, path = text.partition("=")
        if not sign or not path:
            problems.append(f"{text}: write SOURCE=FILE, for instance proxy=access.log")
        elif name not in known:
            problems.append(f"{text}: there is no source {name}; there are: {', '.join(sorted(known))}")
        elif not Path(path).is_file():
            problems.append(f"{text}: there is no such file")
        else:
            logs.append(FileLog(name, Path(path)))
    if problems:
        raise ConfigError(problems)
    return logs


def time_of(option: str, text: str | None) -> int | None:
    """Read a time, or how long ago it was."""
    if text is None:
        return None
    try:
        return time.time_ns() - parse_duration(text)
    except ValueError:
        pass
    try:
        return parse_time(text)
    except RecordError:
        problem = f"{option}: {text!r} is no time; write 2026-03-02T10:00:00Z, or 30d for so long ago"
        raise ConfigError([problem]) from None


def _files(source: FileSource) -> list[Path]:
    path = str(source.path)
    names = sorted(glob(path, recursive=True)) if is_glob(path) else [path]  # noqa: PTH207 - absolute
    return [Path(name) for name in names if not name.endswith(COMPRESSED) and Path(name).is_file()]


class _Logs:
    """A backtest over logs or topics."""

    def __init__(self, settings: Settings, options: Options) -> None:
        self._logs = find_logs(settings, options)
        self._processes = options.processes or os.cpu_count() or 1

    def backtest(self, settings: Settings, parts: Parts, console: Console) -> Backtest:
        """Run it, with a progress bar."""
        logs = self._logs
        pipeline = pipeline_of(settings, parts, clock_skew=clock_skew(settings, logs))
        spare_garbage_collection()
        amount = DownloadColumn() if isinstance(logs[0], FileLog) else MofNCompleteColumn()
        with _bar(console, amount) as bar:
            task = bar.add_task("", total=sum(log.size for log in logs))
            received = time.time_ns()
            records = looked_at(
                settings, parts, logs, received, self._processes, lambda read: bar.advance(task, read)
            )
            return backtest(pipeline, records)


class _Indexed:
    """A backtest over the events in Elasticsearch."""

    def __init__(self, settings: Settings, options: Options) -> None:
        if options.logs:
            raise ConfigError(["--events reads Elasticsearch; it does not go with SOURCE=FILE"])
        if options.processes:
            raise ConfigError(["--events reads with one process; it does not go with --processes"])
        self._since, self._until = time_of("--since", options.since), time_of("--until", options.until)
        self._client = synchronous(settings.elasticsearch)

    def backtest(self, settings: Settings, parts: Parts, console: Console) -> Backtest:
        """Run it, with a progress bar."""
        pipeline = pipeline_of(settings, parts, clock_skew=None, enrich=False)
        spare_garbage_collection()
        names = {source.name for source in settings.sources}
        prefix = settings.elasticsearch.prefix
        with _bar(console, MofNCompleteColumn()) as bar:
            task = bar.add_task("", total=None)
            records = indexed_events(
                self._client, prefix, names, self._since, self._until, lambda n: bar.update(task, total=n)
            )
            return backtest(pipeline, _counted(records, lambda: bar.advance(task)))


def _counted(records: Iterable[Prepared], advance: Callable[[], object]) -> Iterator[Prepared]:
    for record in records:
        yield record
        advance()


def _bar(console: Console, amount: ProgressColumn) -> Progress:
    columns = (TextColumn("backtest"), BarColumn(), amount, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _write(path: Path, result: Backtest) -> None:
    try:
        with path.open("wb") as file:
            file.writelines(alert.model_dump_json().encode() + b"\n" for alert in result.alerts)
    except OSError as error:
        raise ConfigError([f"--alerts: {path}: {error.strerror}"]) from None
