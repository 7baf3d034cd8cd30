"""The progress of long work on dead letters, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class LetterBar:
    """A bar of which the whole may be known only later."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None)

    def begin(self, total: int) -> None:
        """Say how much there is."""
        self._progress.update(self._task, total=total)

    def advance(self, count: int) -> None:
        """Say that so much more is done."""
        self._progress.advance(self._task, count)


@contextmanager
def letter_bar(console: Console, what: str) -> Iterator[LetterBar]:
    """Show a bar while the block runs; nothing where there is no terminal."""
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield LetterBar(progress)
