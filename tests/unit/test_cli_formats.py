"""`outfall formats`, and the documents of the formats: all are there, and what they show is read."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.testing import CliRunner

from streams.cli import app
from streams.cli.formats import DOCUMENTS
from streams.normalise import FORMATS
from streams.normalise.base import Context

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "docs" / "formats"


def blocks(name: str) -> list[str]:
    """Give the code blocks of a document."""
    return re.findall(
        r"^```[a-z]*\n(.*?)^```$", (FOLDER / name).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )


def test_every_format_is_listed_with_its_document() -> None:
    lines = [json.loads(line) for line in CliRunner().invoke(app, ["formats"]).stdout.splitlines()]
    assert [line["name"] for line in lines] == [*FORMATS]
    assert {line["name"]: line["document"] for line in lines if line["document"]} == DOCUMENTS


def test_every_document_of_a_format_is_named() -> None:
    found = {f"docs/formats/{path.name}" for path in FOLDER.glob("*.md") if path.name != "README.md"}
    assert found == set(DOCUMENTS.values())
    assert DOCUMENTS.keys() <= FORMATS.keys()


def test_the_table_has_every_format() -> None:
    rows = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    assert {row.split("`")[1] for row in rows if row.startswith("| `")} == FORMATS.keys()


def test_the_line_that_squid_is_said_to_write_is_read() -> None:
    line = next(block for block in blocks("squid.md") if block[0].isdigit())
    parsed = FORMATS["squid_extended"].parse(line.strip(), Context(0))
    assert parsed.fields["outfall.bytes"] == 352117
    assert parsed.fields["user.name"] == "jsmith"


def test_squids_format_is_the_one_that_the_real_squid_is_tested_with() -> None:
    text = (CHECKOUT / "tests" / "integration" / "test_genuine_squid.py").read_text(encoding="utf-8")
    definition = re.search(r"logformat outfall (.*)", blocks("squid.md")[0])
    assert definition is not None
    assert definition[1] in text


def test_postfixs_table_is_the_one_that_the_real_postfix_is_tested_with() -> None:
    text = (CHECKOUT / "tests" / "services" / "postfix.py").read_text(encoding="utf-8")
    assert blocks("postfix.md")[1].strip() in text
