"""The code is held to the table of rooms in docs/architecture.md, and the pure middle to being pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
MODULES = sorted((CHECKOUT / "streams").rglob("*.py"))
PURE = ("normalise", "enrich", "detect", "correlate", "stages", "pipeline.py", "watermark.py", "safe_regex")
IMPURE_MODULES = {"asyncio", "random", "secrets", "socket", "subprocess", "threading", "time", "uuid"}
IMPURE_CALLS = {"now", "today", "utcnow", "getenv", "urandom"}


def rooms() -> dict[str, set[str]]:
    """Read the table: each room's name and the rooms that it may import, itself among them."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*`) \| [^|]* \| ([^|]*) \|$", text.split("## ")[0], re.MULTILINE)
    names = [[name.rstrip("/") for name in re.findall(r"`([^`]*)`", cell)] for cell, _ in rows]
    everything = {name for row in names for name in row}
    allowed: dict[str, set[str]] = {}
    for row, (_, may_import) in zip(names, rows, strict=True):
        meant = {
            "each other only": set(row),
            "nouns": set(names[0]),
            "all above": set(allowed),
            "all": everything,
        }[may_import.strip()]
        for name in row:
            allowed[name] = meant | {name}
    return allowed


def room_of(module: Path) -> str:
    return module.relative_to(CHECKOUT / "streams").parts[0]


def imported(code: str) -> Iterator[tuple[int, str]]:
    """Give the line and the full name of everything that a module imports, in functions too."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def imported_room(name: str) -> str | None:
    """Give the room that `streams.x.y` is in, None for what is not ours."""
    top, _, rest = name.partition(".")
    first = rest.partition(".")[0]
    if top != "streams" or not first:
        return None
    return f"{first}.py" if (CHECKOUT / "streams" / f"{first}.py").exists() else first


def wrong_imports(room: str, code: str) -> list[str]:
    """List the imports of a module in `room` that the table does not allow."""
    allowed = rooms()[room]
    return [
        f"line {line}: {room} may not import {name}"
        for line, name in imported(code)
        if (other := imported_room(name)) and other not in allowed
    ]


def impurities(code: str) -> list[str]:
    """List what makes a module depend on more than its arguments."""
    found = [
        f"line {line}: imports {name}"
        for line, name in imported(code)
        if name.partition(".")[0] in IMPURE_MODULES
    ]
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in IMPURE_CALLS:
                found.append(f"line {node.lineno}: calls {node.func.attr}()")
        elif isinstance(node, ast.Global):
            found.append(f"line {node.lineno}: has global state")
    return found


def identify(module: Path) -> str:
    return str(module.relative_to(CHECKOUT))


def test_the_table_is_read() -> None:
    table = rooms()
    assert table["event.py"] == table["rule.py"]
    assert "normalise" not in table["enrich"]
    assert {"normalise", "enrich", "detect", "correlate", "event.py"} < table["pipeline.py"]
    assert "cli" not in table["runtime"]


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("event.py", "import streams.cli"),
        ("normalise", "def read():\n    from streams.enrich import actor"),
        ("enrich", "from streams.normalise.base import Context"),
        ("sinks", "from streams import pipeline"),
        ("runtime", "from streams.cli import exits"),
    ],
)
def test_an_import_against_the_direction_is_seen(room: str, code: str) -> None:
    assert wrong_imports(room, code)


@pytest.mark.parametrize("code", ["import time", "from random import choice", "x = datetime.now()"])
def test_an_impurity_is_seen(code: str) -> None:
    assert impurities(code)


@pytest.mark.parametrize("module", MODULES, ids=identify)
def test_imports_run_one_way(module: Path) -> None:
    code, room = module.read_text(encoding="utf-8"), room_of(module)
    if room == "__init__.py":
        assert not [name for _, name in imported(code) if name.startswith("streams")]
        return
    assert room in rooms(), f"docs/architecture.md says nothing of {room}"
    assert not wrong_imports(room, code)


@pytest.mark.parametrize("module", [module for module in MODULES if room_of(module) in PURE], ids=identify)
def test_the_middle_is_pure(module: Path) -> None:
    assert not impurities(module.read_text(encoding="utf-8"))
