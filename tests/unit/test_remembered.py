"""What is remembered or cut short for speed changes nothing: no source, order or repetition shows."""

from __future__ import annotations

import contextlib
import copy
import re
import zoneinfo
from pathlib import Path
from typing import Any

import orjson
import pytest
from enrich_folder import FILES, KEY, NOON, enricher, event, write
from hypothesis import given
from hypothesis import strategies as st

from streams.enrich import EnrichConfig, Enricher
from streams.enrich.load import load
from streams.errors import RecordError
from streams.event import Event, Fields, Origin, RawRecord, Value
from streams.memo import ENTRIES, LONGEST, remembered
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context
from streams.normalise.time import parse_epoch, parse_time


def read(name: str, line: str, context: Context | None = None) -> Fields:
    record = RawRecord(line.encode(), Origin("here", "s1", 0, 0))
    return normalise(record, FORMATS[name], context or Context(0)).fields


# What is remembered is bounded, in number and in length.


@pytest.mark.parametrize(("length", "calls"), [(0, 1), (LONGEST, 1), (LONGEST + 1, 2)])
def test_only_short_texts_are_remembered(length: int, calls: int) -> None:
    asked: list[str] = []
    recall = remembered(lambda text: (asked.append(text), text.upper())[1])
    assert [recall("a" * length), recall("a" * length)] == ["A" * length] * 2
    assert len(asked) == calls


def test_what_is_remembered_makes_room_for_more() -> None:
    asked: list[str] = []
    recall = remembered(asked.append)
    for number in range(ENTRIES + 1):
        recall(str(number))
    recall("0")
    assert len(asked) == ENTRIES + 2


# Times.


def test_the_same_text_is_another_time_in_another_zone() -> None:
    zones = [zoneinfo.ZoneInfo(name) for name in ("Europe/London", "Asia/Kathmandu", "UTC")] * 2
    hours = [(parse_time("2026-07-01T12:00:00", zone) - parse_time("2026-07-01T12:00:00Z")) for zone in zones]
    assert [hour / 3_600_000_000_000 for hour in hours] == [-1, -5.75, 0] * 2


def test_equal_values_of_other_types_are_not_mixed_up() -> None:
    assert parse_time(1) == parse_time("1") == parse_time(1.0)
    with pytest.raises(RecordError):
        parse_time(True)


@given(st.integers(0, 10**11 - 1), st.from_regex(r"(\.[0-9]{1,32})?", fullmatch=True))
def test_plain_seconds_are_read_as_any_other_number(seconds: int, fraction: str) -> None:
    def told(text: str) -> int | None:
        with contextlib.suppress(RecordError):
            return parse_epoch(text)
        return None

    assert told(f"{seconds}{fraction}") == told(f"+{seconds}{fraction}")


# ProxySG's lines: columns, quotes and brackets.

TOKEN = re.compile(r'"((?:[^"]|"")*)"|(\[[0-9A-Za-z/:]{1,32} [0-9A-Z+-]{1,8}\]|\S+)')
COLUMNS = {
    "cs(Referer)": "http.request.referrer",
    "cs-categories": "proxysg.categories",
    "x-exception-id": "proxysg.exception",
    "cs(User-Agent)": "user_agent.original",
    "cs-auth-group": "user.group.name",
}
PIECES = ('"', '""', " ", "  ", "\t", "\u2003", "\x1c", "\x85", "-", "a", "[", "]", "[1 A]", '" ', ' "', "é")


@given(st.lists(st.sampled_from([*PIECES, ' "a b" ', " a ", ' "" ']), max_size=14).map("".join))
def test_a_line_is_parted_as_the_expression_says(rest: str) -> None:
    line = f"1772445602 {rest}"
    wanted = [bare or quoted.replace('""', '"') for quoted, bare in TOKEN.findall(line)]
    context = Context(0, memory={"proxysg.fields": " ".join(["timestamp", *COLUMNS])})
    if len(wanted) != len(COLUMNS) + 1:
        with pytest.raises(RecordError, match=f"{len(wanted)} columns"):
            read("proxysg", line, context)
        return
    found = read("proxysg", line, context)
    stated = zip(COLUMNS.values(), wanted[1:], strict=True)
    assert {name: found.get(name, "-") for name in COLUMNS.values()} == {
        name: value or "-" for name, value in stated
    }


def test_each_stream_has_its_own_columns() -> None:
    contexts = [Context(0, memory={"proxysg.fields": f"timestamp {name}"}) for name in COLUMNS]
    for _ in range(2):
        for context, field in zip(contexts, COLUMNS.values(), strict=True):
            assert read("proxysg", "1772445602 said", context)[field] == "said"


def test_of_a_column_that_stands_twice_the_last_that_says_something_counts() -> None:
    context = Context(0, memory={"proxysg.fields": "timestamp cs-method CS-Method cs-method"})
    assert read("proxysg", "1772445602 GET PUT -", context)["http.request.method"] == "PUT"


# Zscaler's records: whatever fields they have, and in whichever order.

SAYS = st.sampled_from(
    ["None", "nA", "-", "", " ", "N/A", "Not available", "Nobody", "x", " y ", None, 7, []]
)
NAMES = ("cip", "ClientIP", "cintip", "login", "elogin", "user", "deviceowner", "ehost", "host", "hostname")


@given(st.dictionaries(st.sampled_from(NAMES), SAYS), st.integers(0, 300))
def test_the_first_field_that_says_something_counts(said: dict[str, Any], others: int) -> None:
    def first(*names: str) -> str | None:
        texts = [str(said[name]).strip() for name in names if isinstance(said.get(name), str | int)]
        nothing = ("none", "na", "-", "", "n/a", "not available")
        return next((text for text in texts if text.lower() not in nothing), None)

    record = {str(number): "" for number in range(others)} | {"action": "Allowed", "epochtime": 1} | said
    found = read("zscaler_web", orjson.dumps(record).decode())
    assert found.get("source.address") == first("cip", "ClientIP", "cintip")
    assert found.get("user.name") == (first("login", "elogin", "user") or first("deviceowner"))
    assert found.get("url.domain", "") == (first("ehost", "host", "hostname") or "").lower()


def test_only_these_letters_begin_what_says_nothing() -> None:
    assert {chr(code) for code in range(0x110000) if chr(code).lower()[0] in "n-"} == set("nN-")


# Whole numbers beyond 64 bits, which are looked for in the line's text first.


@given(
    st.one_of(st.integers(at - 2, at + 2) for at in (-(2**63), 0, 10**18, 2**63, 2**64, 10**22)),
    st.sampled_from(['{"n":%s}', '{"n": %s }', '{"a":"x","n":[[%s]]}', '{"é":"é","n":{"m":\t%s}}']),
)
def test_long_numbers_stay_exact(number: int, form: str) -> None:
    (found,) = (value for name, value in _json(form % number).items() if name.startswith("n"))
    kept = number if -(2**63) <= number < 2**64 else str(number)
    assert found in (kept, [kept])


def _json(line: str) -> dict[str, Value]:
    record = RawRecord(line.encode(), Origin("here", "s1", 0, 0))
    return normalise(record, FORMATS["json"], Context(0), require_time=False).fields


# Enrichment.

CHOICES: dict[str, list[Value]] = {
    "outfall.channel": ["web", "web", "web", "email", "share", "removable", ["web"], ["email", "web"], None],
    "user.name": ["jsmith", r"BOROUGH\jsmith", r"SCHOOLS\rlee", "rlee", "svc-backup", "PC1$", "-", "x" * 300],
    "user.domain": ["BOROUGH", "elsewhere", "NT AUTHORITY"],
    "user.email": ["j.smith@borough.example", "a@elsewhere.example"],
    "user.id": ["S-1-5-18", "S-1-5-21-1-2-3-1104"],
    "source.ip": ["10.1.2.3"],
    "url.domain": ["trust.example", "x.VAULT.example.", "pastebin.com", "smiths-pc.dyn.example", "a" * 300],
    "destination.ip": ["203.0.113.9", "198.51.100.20", "10.0.0.1"],
    "url.full": ["https://a/case/CR-12345/person/P7", "https://a/case%2FCR-12345+9434765919", "/" * 20_000],
    "file.name": ["943 476 5919.pdf", "943 476 5918.pdf"],
    "http.request.method": ["POST", "GET", "CONNECT", ""],
    "http.request.bytes": [100, 90_000],
    "outfall.content.carries": [["file:a:1"]],
    "outfall.raw.subject": [["P9", "943 476 5919"]],
    "outfall.data.category": ["care", ["health", "care"]],
    "email.to.address": [["n@trust.example", "jo.s.home@mail.example"], ["x@gmail.com"]],
    "email.direction": ["inbound", "outbound"],
}  # fmt: skip


@st.composite
def many(draw: st.DrawFn) -> list[Event]:
    found = []
    for number in range(draw(st.integers(1, 6))):
        names = draw(st.lists(st.sampled_from([*CHOICES]), max_size=8, unique=True))
        fields: Fields = {"outfall.channel": "web"}
        fields |= {name: copy.copy(draw(st.sampled_from(CHOICES[name]))) for name in names}
        found.append(event(fields, time=NOON + draw(st.sampled_from([-1, 0, 1])) * 40 * 86_400 * 10**9))
        found[-1].id = str(number)
    return found


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> EnrichConfig:
    return load(write(tmp_path_factory.mktemp("config"), FILES), key=KEY)


@given(events=many(), data=st.data())
def test_events_are_described_alike_in_any_order_and_again(
    events: list[Event], data: st.DataObject, config: EnrichConfig
) -> None:
    engine, alone = Enricher(config), {}
    for one in copy.deepcopy(events):
        fresh = Enricher(config)
        fresh.describe(one)
        fresh.conclude(one)
        alone[one.id] = one
    for _ in range(2):
        for one in copy.deepcopy(data.draw(st.permutations(events))):
            engine.describe(one)
            engine.conclude(one)
            assert one == alone[one.id]
            assert [*one.fields] == [*alone[one.id].fields]
            for value in one.fields.values():  # nothing of an event is shared with the next one
                if isinstance(value, list):
                    value.append("changed")


def test_a_list_of_channels_is_searched_by_the_patterns_of_each(tmp_path: Path) -> None:
    engine = enricher(tmp_path)
    path = "https://a.example/case/CR-12345"
    for channel, records in (("web", 1), (["web"], 1), (["email", "web"], 1), (["email"], None), ([], None)):
        found = event({"outfall.channel": channel, "url.full": path})
        engine.describe(found)
        assert found.fields.get("outfall.records.count") == records
