"""Help texts fill the terminal: no line ends early because a docstring's line did."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from streams.cli import app
from streams.cli.help_text import unwrapped


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the words by which each command is called, groups too."""
    yield path
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("path", [*commands(typer.main.get_command(app))], ids="-".join)
def test_a_line_ends_only_where_no_further_word_fits(path: tuple[str, ...], width: int) -> None:
    result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": str(width)})
    assert result.exit_code == 0
    prose = result.stdout.partition("Usage:")[2].partition("╭")[0].splitlines()[1:]
    assert all(len(line) <= width for line in prose)
    for line, following in pairwise(prose):
        word = following.split()[:1]
        if line.strip() and word:
            assert len(line.rstrip()) + 1 + len(word[0]) > width - 2, line


def test_paragraphs_stay() -> None:
    assert unwrapped("One\nline.\n\nTwo\n  lines\nmore.") == "One line.\n\nTwo lines more."
