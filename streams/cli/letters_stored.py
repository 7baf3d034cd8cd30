"""`outfall dead-letters` on the store of the embedded run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from rich.console import Console

from streams.cli import exits
from streams.cli.letter_bar import letter_bar
from streams.cli.running import Reporter
from streams.errors import ConfigError
from streams.runtime.build import build_pipeline
from streams.runtime.garbage import spare_garbage_collection
from streams.runtime.letter_replay import LetterReplay
from streams.runtime.letters import Entry, Wanted
from streams.runtime.lock import only_run
from streams.runtime.store import FILE, Store
from streams.settings import Settings
from streams.sinks.jsonl import JsonLines

_ERASED = 1000
"""So many are deleted in one transaction, so that a run that saves meanwhile hardly waits."""


class StoredLetters:
    """The dead letters of the store that some settings name."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._console = console

    def list(self, wanted: Wanted, add: Callable[[Entry], None], *, everything: bool) -> None:  # noqa: ARG002 - what was replayed is not kept
        """Give those that are meant to `add`."""
        with self._open() as store:
            for entry in wanted.of(store.letters.entries()):
                add(entry)

    def read(self, identity: str) -> Entry | None:
        """Give one with its content."""
        with self._open() as store:
            return store.letters.read(identity)

    def replay(self, wanted: Wanted, *, dry_run: bool) -> int:
        """Process those that are meant again, and give the exit status."""
        settings = self._settings
        known = {source.name for source in settings.sources}
        unknown: Counter[str] = Counter()
        with ExitStack() as stack:
            if not dry_run:
                stack.enter_context(only_run(settings.state))
            store = stack.enter_context(self._open())
            ids = []
            for entry in wanted.of(store.letters.entries()):
                source = entry.letter.origin.source
                if source in known:
                    ids.append(entry.id)
                else:
                    unknown[source] += 1
            for source, count in unknown.items():
                self._say(f"{count} stay as they are: no source {source} is configured")
            if dry_run:
                self._say(f"{len(ids)} dead letters would be processed again")
                return exits.REJECTED if unknown else exits.DONE
            code = self._process(store, ids) if ids else exits.DONE
        return code or (exits.REJECTED if unknown else exits.DONE)

    def _process(self, store: Store, ids: Sequence[str]) -> int:
        settings = self._settings
        pipeline, book = build_pipeline(settings)
        spare_garbage_collection()
        for refusal in book.refused:
            self._console.print(f"refused: {refusal}", style="yellow", markup=False)
        formats = {source.name: source.format for source in settings.sources}
        reporter = Reporter(store.alerts.severities(), formats, self._console)
        lines = JsonLines(settings.alerts.jsonl, store.alerts) if settings.alerts.jsonl else None
        if lines:
            lines.write()  # what a crash kept from being written
        replay = LetterReplay(pipeline, store, clock=time.time_ns, report=reporter.report, lines=lines)
        with letter_bar(self._console, "processing") as bar:
            bar.begin(len(ids))
            done = 0
            while done < len(ids):
                count = replay.step(ids[done : done + settings.batch])
                bar.advance(count)
                done += count
        died = replay.counts["rejected"]
        self._say(f"{len(ids) - died} dead letters went through, {died} died again")
        if book.refused or reporter.rules_failed:
            return exits.FINDINGS
        return exits.REJECTED if died else exits.DONE

    def purge(self, wanted: Wanted, *, dry_run: bool) -> int:
        """Delete those that are meant, and give the exit status."""
        with self._open() as store, letter_bar(self._console, "deleting") as bar:
            ids = [entry.id for entry in wanted.of(store.letters.entries())]
            bar.begin(len(ids))
            for begin in range(0, 0 if dry_run else len(ids), _ERASED):
                some = ids[begin : begin + _ERASED]
                store.letters.erase(some)
                bar.advance(len(some))
        self._say(f"{len(ids)} dead letters {'would be' if dry_run else 'were'} deleted")
        return exits.DONE

    @contextmanager
    def _open(self) -> Iterator[Store]:
        folder = self._settings.state
        if not (folder / FILE).exists():
            raise ConfigError([f"{folder}: there is no store yet; `outfall run` makes it"])
        with Store(folder) as store:
            yield store

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)
