"""`outfall metrics`, and the document that holds what it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from typer.testing import CliRunner

from services.terminal import plain, shown
from streams.cli import app
from streams.metrics import CATALOGUE

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_document_has_the_catalogue() -> None:
    printed = CliRunner().invoke(app, ["metrics", "--format", "markdown"]).stdout
    text = (CHECKOUT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert text.endswith(f"\n\n{printed}"), "outfall metrics --format markdown"


def test_piped_it_is_json() -> None:
    lines = [json.loads(line) for line in CliRunner().invoke(app, ["metrics"]).stdout.splitlines()]
    assert [line["name"] for line in lines] == [metric.name for metric in CATALOGUE]
    records = next(line for line in lines if line["name"] == "outfall_records_total")
    assert records["kind"] == "counter"
    assert [label["name"] for label in records["labels"]] == ["source", "outcome"]
    assert records["labels"][1]["values"] == ["event", "ignored", "rejected", "marker"]


def test_on_a_terminal_it_is_a_table() -> None:
    status, text = shown([Path(sys.executable).with_name("outfall"), "metrics"])
    assert status == 0
    assert [line.split()[0] for line in plain(text).splitlines()[1:]] == [metric.name for metric in CATALOGUE]
