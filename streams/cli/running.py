"""What `outfall run` does, apart from its options: imported only when it runs."""

from __future__ import annotations

import logging
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from streams.alert import SEVERITIES
from streams.cli import exits
from streams.cli.alert_view import print_line
from streams.cli.complaints import say_problems, standard_error
from streams.cli.stop import Stop
from streams.errors import ConfigError
from streams.normalise import FORMATS
from streams.pipeline import Outcome
from streams.runtime.build import build_inputs, build_pipeline, misplaced, missing_logs
from streams.runtime.embedded import Embedded
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.lock import only_run
from streams.runtime.store import Store
from streams.settings import Settings, load
from streams.sinks.jsonl import JsonLines
from streams.source_settings import FileSource

_SHOWN_REJECTIONS = 20
_DOUBTED = 20
"""After so many rejected records and no event the format of a source is likely wrong."""


def run_settings(config: Path, *, once: bool, again: Sequence[str] = ()) -> int:
    """Run, and give the exit status; sources named in `again` are read from the beginning."""
    errors = standard_error()
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr)
    try:
        settings = load(config, formats=FORMATS)
        return _run(settings, errors, once=once, again=again)
    except ConfigError as error:
        say_problems(errors, error)
    except (OSError, sqlite3.Error) as error:
        errors.print(f"cannot go on: {error}", style="red", markup=False)
    return exits.USAGE


def _run(settings: Settings, errors: Console, *, once: bool, again: Sequence[str]) -> int:
    problems = misplaced(settings, live=False)
    problems += [*_not_read_again(settings, again), *(missing_logs(settings) if once else [])]
    if problems:
        raise ConfigError(problems)
    pipeline, book = build_pipeline(settings)
    spare_garbage_collection()
    for refusal in book.refused:
        errors.print(f"refused: {refusal}", style="yellow", markup=False)
    stop = Stop()
    with ExitStack() as stack:
        stack.enter_context(only_run(settings.state))
        store = stack.enter_context(Store(settings.state))
        for name in again:
            store.forget_positions(name)
        inputs = build_inputs(settings, store, once=once, clock=time.time_ns)
        for source in inputs:
            stack.callback(source.close)
        formats = {source.name: source.format for source in settings.sources}
        lines = JsonLines(settings.alerts.jsonl, store.alerts) if settings.alerts.jsonl else None
        reporter = Reporter(store.alerts.severities(), formats, errors)
        run = Embedded(
            pipeline,
            inputs,
            store,
            batch=settings.batch,
            retention=settings.dead_letters.retention,
            clock=time.time_ns,
            report=reporter.report,
            lines=lines,
        )
        run.run(lambda: stop.asked)
    errors.print(_summary(run.counts), style="dim", markup=False)
    if stop.asked:
        return exits.DONE
    if book.refused or reporter.rules_failed:
        return exits.FINDINGS
    return exits.REJECTED if run.counts["rejected"] else exits.DONE


def _not_read_again(settings: Settings, again: Sequence[str]) -> list[str]:
    files = [source.name for source in settings.sources if isinstance(source, FileSource)]
    known = f"sources with files are {', '.join(files)}" if files else "no source has files"
    return [
        f"--again {name}: there are no files of such a source; {known}" for name in again if name not in files
    ]


def _summary(counts: Counter[str]) -> str:
    return (
        f"{counts['records']} records read, {counts['rejected']} rejected,"
        f" {counts['late']} came later than the allowed lateness"
        + (
            f", {counts['left_out']} times an event was left out of a window at a limit"
            if counts["left_out"]
            else ""
        )
        + (f", {counts['groups_left_out']} times a group was" if counts["groups_left_out"] else "")
    )


class Reporter:
    """Shows alerts whose severity rises, and what went wrong; `known` are the severities shown before.

    `formats` names the format of each source, for those of which every record is rejected.
    """

    def __init__(self, known: dict[str, str], formats: Mapping[str, str], errors: Console) -> None:
        self._known = known
        self._unread = dict(formats)  # the sources that have not given an event yet
        self._unread_records: Counter[str] = Counter()
        self._errors = errors
        self._out = Console(emoji=False, highlight=False, soft_wrap=True)
        self._rejected = 0
        self._failed: Counter[str] = Counter()

    @property
    def rules_failed(self) -> bool:
        """Whether a rule failed on an event."""
        return bool(self._failed)

    def report(self, outcome: Outcome) -> None:
        """Show what a batch led to."""
        for alert in outcome.alerts:
            if alert.suppressed_by:
                continue  # `outfall alerts list --suppressed` shows it
            before = self._known.get(alert.id)
            if before is None or SEVERITIES.index(alert.severity) > SEVERITIES.index(before):
                print_line(self._out, alert)
            self._known[alert.id] = alert.severity
        for letter in outcome.dead_letters:
            self._rejected += 1
            origin = letter.record.origin
            if self._rejected <= _SHOWN_REJECTIONS:
                self._errors.print(f"{origin.source}: line {origin.line}: {letter.reason}", markup=False)
            if self._rejected == _SHOWN_REJECTIONS:
                self._errors.print("further rejected records are kept as dead letters and not shown")
        self._doubt_formats(outcome)
        for failure in outcome.failures:
            self._failed[failure.rule.id] += 1
            if self._failed[failure.rule.id] == 1:
                self._errors.print(
                    f"{failure.rule.place}: failed on an event: {failure.reason}", style="red", markup=False
                )

    def _doubt_formats(self, outcome: Outcome) -> None:
        """Warn, once, of a source of which nothing but rejected records has come."""
        for event in outcome.events:
            self._unread.pop(event.origin.source, None)
        self._unread_records.update(letter.record.origin.source for letter in outcome.dead_letters)
        for source, format_ in list(self._unread.items()):
            if self._unread_records[source] >= _DOUBTED:
                del self._unread[source]
                self._errors.print(
                    f"every record of source {source} so far was rejected as {format_}: is its format right?"
                    " `outfall normalise --format auto FILE` tells",
                    style="bold red",
                    markup=False,
                )
