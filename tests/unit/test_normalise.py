"""The one function that reads a record, and what it refuses."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import Ignored, OutfallError, RecordError
from streams.event import Event, Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import MAX_BYTES, PART, Context
from streams.normalise.rim import attachments_of, document

GOLDEN = Path(__file__).parents[1] / "golden"
GOOD = b'{"@timestamp": "2026-03-02T10:00:00Z", "user": {"name": "ann"}}'
SECRET = b"Zaphod"


def read(
    data: bytes, name: str = "ecs", *, require_time: bool = True, offset: int = 0, **context: str
) -> Event:
    known = Context(received=1_780_000_000_000_000_000, **context)
    return normalise(
        RawRecord(data, Origin("here", "s1", offset, 0)), FORMATS[name], known, require_time=require_time
    )


BAD = {
    "truncated": (GOOD[:-5], "not JSON"),
    "nul": (GOOD.replace(b"ann", SECRET + b"\0"), "NUL byte at byte"),
    "not utf-8": (GOOD.replace(b"ann", SECRET + b"\xff"), "not UTF-8 at byte"),
    "cut utf-8": (SECRET + "é".encode()[:1], "not UTF-8 at byte 6"),
    "too long": (b'{"a": "' + b"a" * MAX_BYTES + b'"}', "longer than"),
    "deep objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "JSON|nested"),
    "deep lists": (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "JSON|nested"),
    "rather deep": (b'{"a":' * 100 + b"1" + b"}" * 100, "nested deeper than"),
    "year 0": (GOOD.replace(b"2026", b"0000"), "@timestamp: time"),
    "year 9999": (GOOD.replace(b"2026", b"9999"), "@timestamp: time is outside"),
    "no time": (b'{"user": {"name": "Zaphod"}}', "@timestamp is missing"),
    "no object": (b'["Zaphod"]', "object is needed"),
    "surrogate": (GOOD.replace(b"ann", rb"\udc00"), "not JSON: .* at line 1 column"),
    "text": (SECRET, "not JSON"),
    "number beyond a double": (b'{"@timestamp": 1, "n": ' + b"9" * 4400 + b"}", "not JSON: number"),
}


@pytest.mark.parametrize(("data", "reason"), BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize("name", ["ecs", "json"])
def test_bad_records_are_refused_quickly_with_place_and_without_content(
    data: bytes, reason: str, name: str
) -> None:
    begun = time.monotonic()
    with pytest.raises(RecordError, match=reason) as refused:
        read(data, name)
    assert time.monotonic() - begun < 1
    assert SECRET.decode() not in str(refused.value)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "data", [b'{"a":' * 10_000, b"[" * 10_000, b"<a>" * 10_000, b'"' * 500_000, b" =" * 200_000]
)
def test_no_format_is_brought_down_or_slowed_by_nonsense(name: str, data: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises(OutfallError):
        read(data, name)
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize("name", FORMATS)
@given(st.binary(max_size=200))
def test_no_format_is_brought_down_by_bytes(name: str, data: bytes) -> None:
    with contextlib.suppress(OutfallError):
        read(data, name)


def _lines(name: str) -> list[bytes]:
    return [line for line in (GOLDEN / name / "input.log").read_bytes().splitlines() if len(line) > 1]


@pytest.mark.parametrize("name", FORMATS)
@given(st.data())
def test_no_format_is_brought_down_by_a_damaged_line(name: str, data: st.DataObject) -> None:
    line = data.draw(st.sampled_from(_lines(name)))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(line))] * 2)))
    damaged = (
        line[:start] + data.draw(st.sampled_from([b"", b" ", b'"', b"{}", b"null", b"9" * 30])) + line[end:]
    )
    try:
        event = read(damaged, name)
    except OutfallError:
        return
    document(event)


@pytest.mark.parametrize("data", [b"", b" \t ", b"\xef\xbb\xbf"])
def test_blank_lines_are_ignored(data: bytes) -> None:
    with pytest.raises(Ignored):
        read(data)


def test_a_byte_order_mark_is_no_part_of_the_record() -> None:
    assert read(b"\xef\xbb\xbf" + GOOD).fields["user.name"] == "ann"


def test_every_event_says_when_which_and_of_what() -> None:
    event = read(GOOD)
    assert event.fields["@timestamp"] == "2026-03-02T10:00:00Z"
    assert event.fields["event.id"] == event.id
    assert event.fields["event.dataset"] == "ecs"


def test_without_own_id_the_origin_names_the_event() -> None:
    assert read(GOOD).id == read(GOOD).id != read(GOOD, offset=1).id


def test_an_own_id_names_the_event_wherever_it_is_read() -> None:
    own = GOOD.replace(b'"user"', b'"event": {"id": "ann@council.example"}, "user"')
    event = read(own)
    assert event.id == read(own, offset=1).id
    assert "ann" not in event.id
    assert len(event.id) == 32
    assert event.fields["event.id"] == "ann@council.example"


def test_the_same_id_of_two_formats_is_two_events() -> None:
    first = read(b'{"@timestamp": 1, "event.id": "1"}', "ecs")
    assert first.id != read(b'{"@timestamp": 1, "event.id": "1"}', "json", id_field="event.id").id


def test_json_is_taken_exactly_as_it_is() -> None:
    event = read(
        b'{"when": 1772445600.000000001, "number": 7, "a": {"b": [1]}}',
        "json",
        time_field="when",
        id_field="number",
    )
    assert event.time == 1772445600000000001
    assert event.fields == {"when": 1772445600.000000001, "number": 7, "a.b": [1]}
    assert (
        event.id
        == read(b'{"when": 2, "number": 7}', "json", time_field="when", id_field="number", offset=9).id
    )


@pytest.mark.parametrize(
    "data", [b'{"a": 1}', b'{"a": 1, "@timestamp": "whenever"}', b'{"a": 1, "@timestamp": [true]}']
)
def test_time_may_be_done_without(data: bytes) -> None:
    event = read(data, "json", require_time=False)
    assert event.time == 0
    assert event.fields["a"] == 1
    assert "@timestamp" not in read(b'{"a": 1}', "ecs", require_time=False).fields


@pytest.mark.parametrize(
    "digits", ["18446744073709551616", "-9223372036854775809", "9" * 300, "-" + "9" * 40]
)
@pytest.mark.parametrize("name", ["ecs", "json"])
def test_whole_numbers_beyond_64_bits_stay_exact_as_text(name: str, digits: str) -> None:
    event = read(
        b'{"@timestamp": 1, "n": %s, "list": [{"m": %s}]}' % (digits.encode(), digits.encode()), name
    )
    assert event.fields["n"] == digits
    assert event.fields["list.m"] == [digits]


@pytest.mark.parametrize(
    ("name", "line", "field"),
    [
        (
            "windows_event",
            '{"EventID": 1, "Channel": "App", "SystemTime": "2026-03-02T09:00:00Z", "Size": %s}',
            "winlog.event_data.Size",
        ),
        (
            "o365_audit",
            '{"CreationTime": "2026-03-02T09:00:00", "RecordType": 6, "Size": %s}',
            "o365.audit.Size",
        ),
        (
            "google_drive",
            (
                '{"id": {"time": "2026-03-02T09:00:00Z"}, "events": [{"name": "view",'
                ' "parameters": [{"name": "size", "intValue": %s}]}]}'
            ),
            "google_workspace.drive.size",
        ),
        (
            "case_system",
            (
                '{"time": "2026-03-02T09:00:00Z", "id": "1", "action": "search", "actor": {"account": "a"},'
                ' "records": [{"record": %s}]}'
            ),
            "outfall.raw.record",
        ),
    ],
)
def test_whole_numbers_stay_exact_in_every_format(name: str, line: str, field: str) -> None:
    digits = "123456789012345678901234567890"
    value = read((line % digits).encode(), name).fields[field]
    assert value in (digits, [digits])


def test_an_exponent_beyond_all_measure_harms_nothing() -> None:
    assert read(b'{"@timestamp": 1.5, "n": 1E-99999999999999999999}', "json").time == 1_500_000_000
    with pytest.raises(RecordError, match="@timestamp: time is neither"):
        read(b'{"@timestamp": 1E-99999999999999999999}', "json")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "auto"])
def test_deep_nesting_beside_a_long_number_is_refused(name: str) -> None:
    deep = b'{"a":' * 1000 + b"1" + b"}" * 1000
    line = b'{"n": 123456789012345678901234567890, "deep": ' + deep + b"}"
    assert FORMATS[name].recognises(line.decode()) is False
    with pytest.raises((RecordError, Ignored)):
        read(line, name)


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 2**63, 0])
def test_whole_numbers_of_64_bits_stay_numbers(number: int) -> None:
    assert read(b'{"@timestamp": 1, "n": %d}' % number).fields["n"] == number


def test_nul_written_as_an_escape_is_text() -> None:
    assert read(GOOD.replace(b"ann", rb"a\u0000n")).fields["user.name"] == "a\0n"


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("auto", "json")])
def test_auto_reads_each_line_as_its_own_format_does(name: str) -> None:
    own, auto = Context(received=0), Context(received=0)
    for number, line in enumerate(_lines(name)):
        record = RawRecord(line, Origin("here", "s1", number, number))
        try:
            event = normalise(record, FORMATS[name], own)
        except RecordError:
            continue
        except Ignored:
            with pytest.raises(OutfallError):
                normalise(record, FORMATS["auto"], auto)
            continue
        recognised = normalise(record, FORMATS["auto"], auto)
        assert recognised == event, number


def test_only_single_lines_of_postfix_are_parts() -> None:
    assert read(b"Mar  2 10:00:00 mx postfix/qmgr[1]: 4ABCDEF012: removed", "postfix").marks == (PART,)
    assert read(GOOD).marks == ()


def test_attachments_are_objects_at_the_rim() -> None:
    event = read(
        b'{"@timestamp": 1, "email": {"attachments": [{"file": {"name": "a", "hash": {"sha256": "x"}}},'
        b' {"file": {"name": "b", "hash": {"sha256": "y"}}}]}}'
    )
    assert event.fields["email.attachments.file.hash.sha256"] == ["x", "y"]
    assert document(event)["email"]["attachments"] == [
        {"file": {"name": "a", "hash": {"sha256": "x"}}},
        {"file": {"name": "b", "hash": {"sha256": "y"}}},
    ]


def test_attachments_of_unequal_lists_are_not_mixed_up() -> None:
    fields = {"email.attachments.file.name": ["a", "b"], "email.attachments.file.size": [1]}
    assert attachments_of(fields) is None
    assert attachments_of({"user.name": "ann"}) is None
