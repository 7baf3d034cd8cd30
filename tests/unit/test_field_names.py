"""docs/architecture.md lists the fields of ours, the content identities and the marks, and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from streams.enrich import marks
from streams.event import excepted
from streams.normalise.base import INCOMPLETE, PART

CHECKOUT = Path(__file__).resolve().parents[2]
FIELD = re.compile(r"outfall(\.[a-z_]+)+")
IDENTITY = re.compile(r"([a-z0-9]+):")
SETTERS = sorted(
    path for room in ("normalise", "enrich") for path in (CHECKOUT / "streams" / room).glob("*.py")
)
RULES = sorted((CHECKOUT / "rules").rglob("*.yml"))


def listed(heading: str) -> set[str]:
    """Give what stands in code in the first column of the table with that heading."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = text.partition(f"\n| {heading} | set by |")[2].partition("\n\n")[0]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`([^`]*)`", row.split("|")[1])}


def fields_listed() -> set[str]:
    return {name for name in listed("field") if name.startswith("outfall.")}


def text_of(node: ast.AST | None) -> str:
    """Give a text that the code writes out, or the beginning of one that it puts together."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def fields_mentioned(code: str) -> set[str]:
    """Give the fields of ours that a module names."""
    return {text for node in ast.walk(ast.parse(code)) if FIELD.fullmatch(text := text_of(node))}


def fields_set(code: str) -> set[str]:
    """Give the fields of ours that a module sets: as a key of a display, or by subscript."""
    names: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Dict):
            names += node.keys
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            names.append(node.slice)
    return {text for name in names if FIELD.fullmatch(text := text_of(name))}


def identities_set(code: str) -> set[str]:
    """Give how the texts begin that a module puts together."""
    texts = (text_of(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.JoinedStr))
    return {found[1] for text in texts if (found := IDENTITY.match(text))}


@pytest.mark.parametrize("path", [*SETTERS, *RULES], ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_every_field_of_ours_is_listed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = fields_mentioned(text) if path.suffix == ".py" else {name[0] for name in FIELD.finditer(text)}
    assert not found - fields_listed()


def test_every_field_that_is_listed_is_set() -> None:
    found = {name for path in SETTERS for name in fields_set(path.read_text(encoding="utf-8"))}
    assert fields_listed() == found


def test_identities_are_those_that_are_listed() -> None:
    modules = ("normalise/content_identity.py", "enrich/disk.py")
    found = {kind for name in modules for kind in identities_set((CHECKOUT / "streams" / name).read_text())}
    assert {identity.partition(":")[0] for identity in listed("identity")} == found


def test_marks_are_those_that_are_listed() -> None:
    enriching = {value for name, value in vars(marks).items() if name.isupper()}
    assert listed("mark") == enriching | {PART, INCOMPLETE, "clock_ahead", excepted("EXCEPTION", "RULE")}


def test_a_field_that_is_set_is_seen() -> None:
    code = 'fields["outfall.a"] = {"outfall.b.c": fields.get("outfall.d")}'
    assert fields_set(code) == {"outfall.a", "outfall.b.c"}
    assert fields_mentioned(code) == {"outfall.a", "outfall.b.c", "outfall.d"}
