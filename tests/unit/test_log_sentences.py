"""What our own code logs: constant sentences and listed fields, so that no record gets into the log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.log.fields import FIELDS

CHECKOUT = Path(__file__).resolve().parents[2]
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "bind"}


def logging_calls(code: str) -> Iterator[ast.Call]:
    """Give the calls of loggers in a module: of what is called log or ends in _log."""
    for node in ast.walk(ast.parse(code)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
        made_here = isinstance(owner, ast.Call) and ast.unparse(owner.func) == "log.get"
        if node.func.attr in METHODS and (made_here or re.fullmatch(r"_?log|.*_log|_?logger", name)):
            yield node


def complaints(code: str) -> list[str]:
    """List what a module says that is not a constant sentence with listed fields."""
    found = []
    structured = "from streams import log" in code or "streams.log" in code
    for call in logging_calls(code):
        where = f"line {call.lineno}"
        if call.args and not (isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
            found.append(f"{where}: the sentence is not constant")
        if structured and len(call.args) > 1:
            found.append(f"{where}: values go into fields")
        found += [
            f"{where}: {keyword.arg or '**'} is no field of streams/log/fields.py"
            for keyword in call.keywords
            if keyword.arg not in FIELDS and keyword.arg not in {"exc_info", "stacklevel"}
        ]
    return found


@pytest.mark.parametrize(
    "line",
    [
        'log.get(__name__).info(f"read {user}")',
        'self._log.warning("read " + user)',
        '_log.info("read", user=user)',
        '_log.info("read", **event.fields)',
        '_log.info("read %s", user)',
        '_log.bind(user=user).info("read")',
    ],
)
def test_a_line_that_could_hold_more_is_seen(line: str) -> None:
    assert complaints(f"from streams import log\n{line}")


def test_a_line_that_cannot_is_let_pass() -> None:
    assert not complaints('from streams import log\n_log.error("read", topic=topic, exc_info=True)')


@pytest.mark.parametrize(
    "module", sorted((CHECKOUT / "streams").rglob("*.py")), ids=lambda path: str(path.relative_to(CHECKOUT))
)
def test_our_lines_are_constant_sentences_with_listed_fields(module: Path) -> None:
    assert not complaints(module.read_text(encoding="utf-8"))


def test_the_fields_are_documented() -> None:
    text = (CHECKOUT / "docs" / "logs.md").read_text(encoding="utf-8")
    assert dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", text, re.MULTILINE)) == FIELDS
