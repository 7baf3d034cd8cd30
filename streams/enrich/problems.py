"""Every problem of the configuration folder, each with its file and line."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

_Model = TypeVar("_Model", bound=BaseModel)
_HEADER = re.compile(r"\s*\[\[?\s*([A-Za-z0-9_-]+)\s*\]\]?\s*(#.*)?")
_KNOWN = {
    "Extra inputs are not permitted": "there is no such key",
    "Field required": "it is missing",
}


def read_text(path: Path, problems: list[str]) -> str | None:
    """Read a file as UTF-8; None where that fails."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        problems.append(f"{path}: is not UTF-8 at byte {error.start}")
    return None


def read_toml(
    path: Path, model: type[_Model], problems: list[str], context: object = None
) -> tuple[_Model, str] | None:
    """Read a TOML file into a model, and give its text too; None where it does not exist or has problems.

    The model's validators get the `context`.
    """
    if not path.exists() or (text := read_text(path, problems)) is None:
        return None
    try:
        return model.model_validate(tomllib.loads(text), context=context), text
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else max(1, len(text.splitlines()))  # else it says "at end of document"
        problems.append(f"{path}:{line}: not valid TOML: {error}")
    except ValidationError as error:
        for item in error.errors():
            line = toml_line(text, item["loc"])
            message = _KNOWN.get(item["msg"], item["msg"].removeprefix("Value error, "))
            problems.append(f"{path}:{line}: {_place(item['loc'])}: {message}")
    return None


def toml_line(text: str, location: tuple[int | str, ...]) -> int:
    """Find the line of a key such as `("partner", 1, "expires")`; of its table where the key is not there."""
    name, *rest = location or ("",)
    wanted = rest.pop(0) if rest and isinstance(rest[0], int) else 0
    key = str(rest[0]) if rest else ""
    table, index, best = "", 0, 1
    seen: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.fullmatch(line)
        if header:
            table, index = header[1], seen[header[1]]
            seen[table] += 1
            if (table, index) == (name, wanted):
                best = number
        elif (table, index) == (name, wanted) and key and _key(line) == key:
            return number
        elif not table and _key(line) == name:
            best = number
    return best


def _key(line: str) -> str:
    name, equals, _ = line.partition("=")
    return name.strip().strip("\"'") if equals else ""


def _place(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"
