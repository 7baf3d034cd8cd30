"""What is told of an exception. Its text may hold what a record says: "invalid literal: 'Jane Smith'"."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from streams.errors import OutfallError
from streams.log.fields import bounded

_OURS = str(Path(__file__).parents[1])
_ROOTS = sorted([str(Path(_OURS).parent), *sys.path], key=len, reverse=True)
_SPEAK_OF_KAFKA = ("aiokafka.", "faust.", "kafka.", "mode.", "ssl")
"""Modules whose exceptions say nothing of the contents of records, whoever called."""

_FRAMES = 40
"""Frames of one traceback that are told, the innermost ones."""

_CHAIN = 5
"""Exceptions of one chain that are told."""


def error_fields(error: BaseException) -> dict[str, Any]:
    """Give the fields that tell of an exception, and of those that led to it."""
    told = {"error": kind(error)}
    if text := harmless_text(error):
        told["error_text"] = text
    chain = list(_chain(error))[:_CHAIN]
    lines = [*_frames(error.__traceback__)]
    for cause in chain[1:]:
        lines += [f"after {described(cause)}", *_frames(cause.__traceback__)]
    told["traceback"] = "\n".join(lines)
    return told


def described(error: BaseException) -> str:
    """Say in one line what is told of an exception."""
    text = harmless_text(error)
    return f"{kind(error)}: {text}" if text else kind(error)


def kind(error: BaseException) -> str:
    """Name the type of an exception."""
    module = type(error).__module__
    name = type(error).__qualname__
    return name if module == "builtins" else f"{module}.{name}"


def harmless_text(error: BaseException) -> str | None:
    """Give an exception's text if it cannot hold what a record says.

    Ours are written so, and the system's and Kafka's know of no record. Any other one may have met a record
    if it has passed through our code, or does not say where it was raised.
    """
    known = isinstance(error, OutfallError | OSError) or type(error).__module__.startswith(_SPEAK_OF_KAFKA)
    frames = traceback.extract_tb(error.__traceback__)
    met = not frames or any(frame.filename.startswith(_OURS) for frame in frames)
    return bounded(str(error)) if known or not met else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Give an exception, those of its group, and what it was raised from; each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        before = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        if before is not None:
            waiting.append(before)


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(file: str) -> str:
    root = next((root for root in _ROOTS if root and file.startswith(root + "/")), "")
    return file[len(root) + 1 :] if root else file
