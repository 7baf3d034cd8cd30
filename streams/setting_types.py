"""Kinds of values in the settings: durations, paths, time zones."""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Collection
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema

from streams.event import NANOSECONDS

_UNITS = {"ms": NANOSECONDS // 1000, "s": NANOSECONDS, "m": 60 * NANOSECONDS, "h": 3600 * NANOSECONDS}
_UNITS |= {"d": 24 * _UNITS["h"], "w": 7 * 24 * _UNITS["h"]}
DURATION = r"^[0-9]{1,9}(ms|s|m|h|d|w)$"


@dataclass(frozen=True, slots=True)
class Reading:
    """What validators need to know of the file being read; without `places` nothing need be where it says."""

    folder: Path
    formats: Collection[str] | None
    places: bool = True


HERE = Reading(Path(), None)
reading: ContextVar[Reading] = ContextVar("reading", default=HERE)


def parse_duration(text: str) -> int:
    """Give the nanoseconds of a duration such as `90s`, `5m`, `24h` or `7d`.

    Raises:
        ValueError: it is not a number with one of the units ms, s, m, h, d, w, or it is too long.
    """
    found = re.fullmatch(DURATION, text)
    if not found:
        raise ValueError("a duration is a whole number with a unit: 500ms, 90s, 5m, 24h, 7d, 2w")
    length = int(text.removesuffix(found[1])) * _UNITS[found[1]]
    if length >= 2**62:
        raise ValueError("this duration is longer than 146 years")
    return length


def say_duration(nanoseconds: int) -> str:
    """Write a duration as `parse_duration` reads it, in the largest unit that it is whole in."""
    unit, size = next((unit, size) for unit, size in reversed(_UNITS.items()) if nanoseconds % size == 0)
    return f"{nanoseconds // size}{unit}"


def _duration(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("a duration is text, such as '90s', '5m', '24h' or '7d'")  # noqa: TRY004 - pydantic
    return parse_duration(value)


def _from_folder(path: Path) -> Path:
    return reading.get().folder / path.expanduser()


def _existing(path: Path) -> Path:
    if reading.get().places and not path.exists():
        raise ValueError(f"{path} does not exist")
    return path


def new_folder(path: Path) -> Path:
    """Check that a folder and what is in it can be written, or that it can be made."""
    if not reading.get().places:
        return path
    try:
        there = path if path.exists() else next(each for each in path.parents if each.exists())
        if not there.is_dir():
            raise ValueError(f"{there} is not a folder")
        inside = there.iterdir() if there == path else ()
        for each in (there, *inside):
            _writable(each)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from None
    return path


def new_file(path: Path) -> Path:
    """Check that a file can be there: its folder is."""
    if not reading.get().places:
        return path
    if path.is_dir():
        raise ValueError(f"{path} is a folder")
    if not path.parent.is_dir():
        raise ValueError(f"the folder {path.parent} does not exist")
    _writable(path if path.exists() else path.parent)
    return path


def _writable(path: Path) -> None:
    if not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
        raise ValueError(f"{path} cannot be written by this user")


def log_path(path: Path) -> Path:
    """Check that the folder is there; the log itself may be yet to come."""
    if not reading.get().places:
        return path
    folder = Path(path.anchor, *_before_glob(path.parts[1:]))
    if path.is_dir():
        raise ValueError(f"{path} is a folder; name its files, for instance with {path}/*.log")
    if not folder.is_dir():
        raise ValueError(f"the folder {folder} does not exist")
    return path


def _before_glob(parts: tuple[str, ...]) -> list[str]:
    plain: list[str] = []
    for part in parts[:-1]:
        if is_glob(part):
            break
        plain.append(part)
    return plain


def is_glob(text: str) -> bool:
    """Tell whether a path stands for several files."""
    return any(sign in text for sign in "*?[")


def _zone(value: Any) -> tzinfo:
    if isinstance(value, tzinfo):
        return value
    if value == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone of this machine; write one like Europe/London") from None


def known_format(name: str) -> str:
    """Check that there is a format of this name, where the formats are known."""
    known = reading.get().formats
    if known is not None and name not in known:
        raise ValueError(f"no such format; known are {', '.join(sorted(known))}")
    return name


Duration = Annotated[
    int,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": DURATION, "examples": ["90s", "5m", "24h", "7d"]}),
]
"""Nanoseconds, written as text with a unit."""

AnyPath = Annotated[Path, AfterValidator(_from_folder)]
ExistingPath = Annotated[AnyPath, AfterValidator(_existing)]
Zone = Annotated[
    tzinfo,
    PlainValidator(_zone),
    WithJsonSchema({"type": "string", "examples": ["UTC", "Europe/London"]}),
]


class Part(BaseModel):
    """A part of the settings; a key that it does not know is a problem."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
