"""The log of a long-running program: one JSON object a line, or text to read; nothing personal in it.

Our own lines are a constant sentence and fields of `fields.FIELDS`, which hold counts, ids and places. Of
what other libraries say the first line is kept, bounded, without texts of exceptions that could hold more.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal, TextIO, cast

import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter

from streams.log.limit import LimitedHandler
from streams.log.render import formatter

__all__ = ["BoundLogger", "configure", "get"]

_NOISY = ("aiokafka", "asyncio", "elastic_transport", "faust", "kafka", "mode")
"""Libraries of which only warnings matter; what they say at DEBUG holds whole records."""


def get(name: str) -> BoundLogger:
    """Give the logger of a module: `log.get(__name__).info("partitions assigned", topic=topic)`."""
    wrapped = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
    )
    return cast("BoundLogger", wrapped)


def configure(
    form: Literal["auto", "json", "text"],
    level: str = "INFO",
    *,
    stream: TextIO | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Send everything that is logged in this process to `stream`, standard error if None.

    `auto` is text on a terminal and JSON elsewhere. Faust's and mode's own set-up must be off
    (`override_logging=False`), since it would take the log over again.
    """
    stream = stream or sys.stderr
    handler = LimitedHandler(stream, clock)
    handler.setFormatter(formatter(form, terminal=stream.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _NOISY:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    get(__name__).critical("the program ends by an error", exc_info=(kind, error, trace))


def _uncaught_in_thread(what: threading.ExceptHookArgs) -> None:
    if what.exc_value is not None and not isinstance(what.exc_value, SystemExit):
        get(__name__).critical("a thread ended by an error", exc_info=what.exc_value)
