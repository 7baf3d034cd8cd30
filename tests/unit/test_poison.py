"""Records damaged at random: whatever a format makes of one, the live stages can hand it on.

What is not refused as a dead letter must be an event that can be written as a message and as a row of state:
a record on which a task fails would be read again by the next worker, and fail it as well.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.correlate.describe import Edition
from streams.correlate.severity import SeverityTable
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.enrich import Enricher
from streams.enrich.load import load as load_enrichment
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.settings import Limits
from streams.stages.breaker import Bounds
from streams.stages.correlate import CorrelateStage
from streams.stages.parts import Parts
from streams.stages.read import ReadStage
from streams.stages.reader import Source
from streams.stages.trace import TraceStage
from streams.stages.wire import decode

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SAMPLES = {
    name: [
        line
        for file in sorted((GOLDEN / name).glob("input*"))
        for line in file.read_bytes().splitlines()
        if line.strip()
    ][:60]
    for name in FORMATS
    if (GOLDEN / name).is_dir()
}
RULES = """
title: Anything
name: anything
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f01
level: high
logsource: {product: outfall}
detection: {event: {event.id|exists: true}, condition: event}
---
title: Bytes
name: bytes
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f02
level: high
correlation:
  type: value_sum
  rules: [anything]
  group-by: [event.dataset]
  timespan: 30d
  condition: {gte: 1, field: outfall.bytes}
"""
PIECES = [
    *(b"9" * 30, b"0x" + b"f" * 16, b"-9223372036854775808", b"1e308", b"1e999"),
    *(b"null", b"true", b"[]", b"{}", b'{"a":1}', b"[[[[1]]]]", b"[" * 200, b","),
    *(b'"\\ud800"', b"\\u0000", b'"', b"\\", b"\t", b" ", b"\xff", b"\xe2\x80\xae"),
    *(b"2262-12-31T23:59:59Z", b"1677-01-01T00:00:00Z", b"0001-01-01T00:00:00Z"),
    b"outfall.content.produces",
]


class Stages:
    """The three stages of one source, one after the other."""

    def __init__(self, name: str) -> None:
        book = loads(RULES)
        assert not book.refused
        enrichment = load_enrichment(None, key="k1:" + "A" * 43 + "=")
        parts = Parts(
            book,
            RuleSet(book),
            enrichment,
            SeverityTable(),
            Edition(book.hash),
            Limits(),
            300 * 10**9,
            1,
            Bounds(1.0, 10**6),
        )
        router = parts.router()
        source = Source(name, FORMATS[name], lateness=3600 * 10**9)
        self._read = ReadStage(source, f"{name}/0", parts, Enricher(enrichment), router)
        lateness = {name: source.lateness}
        self._trace = TraceStage(
            {f"{name}/0": name}, lateness, "content/0", parts, Enricher(enrichment), router
        )
        self._correlate = CorrelateStage(0, parts, router)
        self._name = name

    def take(self, lines: list[bytes]) -> None:
        records = [
            RawRecord(line, Origin(self._name, "s", number, number), 1_800_000_000 * 10**9)
            for number, line in enumerate(lines)
        ]
        read = self._read.process(records)
        trace = self._trace.process([decode(piece) for pieces in read.content.values() for piece in pieces])
        messages = [*read.matches.get(0, []), *trace.matches.get(0, [])]
        raised = self._correlate.process([decode(piece) for piece in messages])
        for alert in raised.alerts:
            alert.model_dump_json()
        for stage in (self._read, self._trace, self._correlate):
            for table in stage.tables:
                table.drain()


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> list[bytes]:
    lines = draw(st.lists(st.sampled_from(samples), min_size=1, max_size=4))
    broken = []
    for line in lines:
        data = line
        for _ in range(draw(st.integers(0, 4))):
            start = draw(st.integers(0, len(data)))
            end = min(len(data), start + draw(st.sampled_from((0, 1, 2, 5, 20))))
            data = data[:start] + draw(st.sampled_from([b"", data[start:end] * 3, *PIECES])) + data[end:]
        broken.append(data)
    return broken


@pytest.mark.parametrize("name", sorted(SAMPLES))
@settings(max_examples=40)
@given(data=st.data())
def test_no_record_fails_a_stage(name: str, data: st.DataObject) -> None:
    Stages(name).take(data.draw(damaged(SAMPLES[name])))


def test_a_time_that_no_proxy_takes_is_no_number() -> None:
    line = next(line for line in SAMPLES["squid"] if line[:1].isdigit())
    first, _, rest = line.partition(b" ")
    Stages("squid").take([first + b" 999999999999999999 " + rest.lstrip().partition(b" ")[2]])
