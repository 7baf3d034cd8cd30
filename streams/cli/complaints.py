"""How commands say on standard error what is wrong with a configuration or a rule."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from streams.errors import ConfigError, Refusal


def standard_error() -> Console:
    """Give a console that prints texts as they are, each on one line however long; `:100:` is no emoji."""
    return Console(emoji=False, stderr=True, highlight=False, soft_wrap=True)


def say_problems(console: Console, error: ConfigError) -> None:
    """Say every problem of a configuration, a line each."""
    for problem in error.problems:
        console.print(problem, style="red", markup=False)


def say_refused(console: Console, refused: Iterable[Refusal]) -> None:
    """Say which rules are not run and why, a line each: `<place>: <reason>`."""
    for refusal in refused:
        console.print(str(refusal), style="yellow", markup=False)
