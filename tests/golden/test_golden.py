"""What every format makes of its samples, line by line.

Each folder is named after a format and holds `input.log` and `expected.jsonl`: for each line the event, or
why it is none. After a wanted change, `OUTFALL_GOLDEN=write pytest tests/golden` writes the expectations
anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.errors import Ignored, RecordError
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context
from streams.normalise.rim import document

FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/input.log"))
RECEIVED = 1_780_000_000_000_000_000  # 28 May 2026


def told(line: bytes, number: int, name: str, context: Context) -> dict[str, Any]:
    record = RawRecord(line, Origin("golden", name, number, number), RECEIVED)
    try:
        event = normalise(record, FORMATS[name], context)
    except Ignored as reason:
        return {"ignored": str(reason)}
    except RecordError as reason:
        return {"rejected": str(reason)}
    sources = [
        {key: value for key, value in source._asdict().items() if value} for source in event.logsources
    ]
    return {"time": event.time, "logsources": sources, "marks": event.marks, "event": document(event)}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_events_are_as_expected(folder: Path) -> None:
    context = Context(received=RECEIVED)
    lines = (folder / "input.log").read_bytes().splitlines()
    found = [told(line, number, folder.name, context) for number, line in enumerate(lines)]
    expected = folder / "expected.jsonl"
    if os.environ.get("OUTFALL_GOLDEN") == "write":
        expected.write_bytes(
            b"".join(orjson.dumps(item, option=orjson.OPT_SORT_KEYS) + b"\n" for item in found)
        )
    wanted = [orjson.loads(line) for line in expected.read_bytes().splitlines()]
    for number, (item, want) in enumerate(zip(found, wanted, strict=True)):
        assert orjson.loads(orjson.dumps(item)) == want, f"{folder.name}/input.log:{number + 1}"


def test_every_format_has_samples() -> None:
    assert {folder.name for folder in FOLDERS} == set(FORMATS)
