"""Writes a line of the log: JSON for machines, text for people."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import sys
from typing import Any, Literal

from structlog.dev import ConsoleRenderer
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, WrappedLogger

from streams.log.exceptions import described, error_fields
from streams.log.fields import bounded, shown

_BY_STRUCTLOG = ("_record", "_from_structlog", "event", "exc_info", "stack_info", "positional_args")


def formatter(form: Literal["auto", "json", "text"], *, terminal: bool) -> ProcessorFormatter:
    """Give what makes a line of a record of the log."""
    text = form == "text" or (form == "auto" and terminal)
    return ProcessorFormatter(
        processors=[_line, _Text(colours=terminal) if text else _json],
        use_get_message=False,
        pass_foreign_args=True,
    )


def _line(_: WrappedLogger, __: str, given: EventDict) -> EventDict:
    """Put a line together: when, how grave, from where, what, and its fields."""
    record: logging.LogRecord = given["_record"]
    ours = given["_from_structlog"]
    when = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")
    line: dict[str, Any] = {
        "time": when.replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": given["event"] if ours else _foreign(given["event"], given.get("positional_args")),
    }
    if ours:
        line |= {name: shown(name, value) for name, value in given.items() if name not in _BY_STRUCTLOG}
    error = _exception(given.get("exc_info"))
    return line if error is None else line | error_fields(error)


def _foreign(template: str, arguments: Any) -> str:
    """Write what a library says: its first line, without what exceptions and tasks say of themselves."""
    if isinstance(arguments, dict):
        arguments = {name: _harmless(value) for name, value in arguments.items()}
    elif arguments:
        arguments = tuple(map(_harmless, arguments))
    try:
        text = template % arguments if arguments else template
    except (TypeError, ValueError, KeyError):  # a library's mistake must not cost the line
        text = template
    first = text.strip().partition("\n")[0]
    return bounded("".join(each if each.isprintable() else " " for each in first))


def _harmless(value: Any) -> Any:
    if isinstance(value, BaseException):
        return described(value)
    return f"({type(value).__name__})" if isinstance(value, asyncio.Future) else value


def _exception(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]  # type: ignore[no-any-return]  # as the standard library writes it
    return sys.exception() if given else None


def _json(_: WrappedLogger, __: str, line: EventDict) -> str:
    return json.dumps(line)  # in ASCII, so that no text that is no Unicode can stop it


class _Text:
    """Writes a line for people; a traceback stands below it."""

    def __init__(self, *, colours: bool) -> None:
        self._render = ConsoleRenderer(colors=colours, timestamp_key="time", sort_keys=False)

    def __call__(self, logger: WrappedLogger, name: str, line: EventDict) -> str:
        trace = str(line.pop("traceback", ""))
        written = self._render(logger, name, line)
        return "\n    ".join([written, *trace.splitlines()])
