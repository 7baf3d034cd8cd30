"""Help texts that wrap at the terminal's width.

Typer keeps the line breaks of a docstring after its first paragraph, so that its lines are broken twice.
"""

from __future__ import annotations

import inspect

import typer


def unwrap_help(app: typer.Typer) -> None:
    """Take the help of every command below `app` from its docstring, each paragraph as one line."""
    for command in app.registered_commands:
        if command.help is None and command.callback is not None:
            command.help = unwrapped(inspect.getdoc(command.callback) or "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            unwrap_help(group.typer_instance)


def unwrapped(text: str) -> str:
    """Join the lines of each paragraph; a blank line stands between two."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
