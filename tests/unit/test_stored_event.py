"""Events as they are kept for hunting come back as they were, so that rules can be run on them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.errors import Ignored, RecordError
from streams.event import Event, LogSource, Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import PART, Context
from streams.normalise.postfix_join import PostfixJoin
from streams.rulebook.runner import TEST_KEY
from streams.runtime.stored_event import event_of, kept

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
NAMES = sorted(name for name in FORMATS if (GOLDEN / name / "input.log").is_file())


def events(name: str) -> Iterator[Event]:
    """Give the events of a format's golden log, enriched."""
    enricher = Enricher(load_enrichment(None, key=TEST_KEY))
    context, join = Context(received=1_772_000_000_000_000_000), PostfixJoin()
    for number, line in enumerate((GOLDEN / name / "input.log").read_bytes().splitlines()):
        record = RawRecord(line, Origin("s", name, 7 * number, number))
        try:
            event = normalise(record, FORMATS[name], context)
        except (RecordError, Ignored):
            continue
        for whole in join.add(event) if PART in event.marks else [event]:
            enricher.describe(whole)
            enricher.conclude(whole)
            yield whole


@pytest.mark.parametrize("name", NAMES)
def test_an_event_comes_back_as_it_was(name: str) -> None:
    found = [*events(name)]
    assert found
    for event in found:
        event.marks = (*event.marks, "odd")
        back = event_of(event.id, orjson.loads(orjson.dumps(kept(event))))
        wanted = {key: value for key, value in event.fields.items() if value not in (None, [])}
        assert {key: value for key, value in back.fields.items() if value not in (None, [])} == wanted
        assert (back.id, back.time, back.origin) == (event.id, event.time, event.origin)
        assert (back.logsources, back.marks) == (event.logsources, event.marks)


def test_attachments_stay_side_by_side_when_one_lacks_a_field() -> None:
    fields = {
        "@timestamp": "2026-03-02T10:00:00.000000001Z",
        "email.attachments.file.name": ["a.pdf", "b.pdf"],
        "email.attachments.file.size": [None, 5],
    }
    event = Event(
        "e", 1_772_445_600_000_000_001, dict(fields), Origin("s", "f", 0, 0), (LogSource(None, "x"),)
    )
    assert event_of("e", kept(event)) == event


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"outfall": 5},
        {"@timestamp": "2026-03-02T10:00:00Z", "outfall": {"origin": {"source": "Mrs Jones"}}},
        {
            "@timestamp": "Mrs Jones",
            "outfall": {"origin": {"source": "s", "stream": "f", "offset": 0, "line": 0}, "logsources": []},
        },
    ],
)
def test_what_was_not_kept_whole_is_refused_without_its_content(document: dict[str, object]) -> None:
    with pytest.raises(RecordError, match="not an event that was kept whole") as refused:
        event_of("e", document)
    assert "Jones" not in str(refused.value)
