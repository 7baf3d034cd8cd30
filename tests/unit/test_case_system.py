"""The case system's audit; the examples of its documentation are tests as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.errors import RecordError
from streams.event import LogSource
from streams.normalise.base import MAX_BYTES, Context, Parsed
from streams.normalise.case_system import ACTIONS, CaseSystem

FORMAT = CaseSystem()
DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "formats" / "case_system.md"
SHA256 = "ab" * 32


def record(action: str = "record.opened", **more: Any) -> dict[str, Any]:
    return {
        "time": "2026-03-02T09:00:00.120Z",
        "id": "a-1",
        "actor": {"account": "jsmith"},
        "action": action,
    } | more


def parse(document: dict[str, Any] | str) -> Parsed:
    line = document if isinstance(document, str) else json.dumps(document)
    assert FORMAT.recognises(line)
    return FORMAT.parse(line, Context(received=0))


def test_an_export() -> None:
    people = [
        {"record": "CR-1", "person": "943 476 5919", "categories": ["care", "financial"], "vulnerable": True},
        {"record": "CR-2", "person": "943 476 5919", "categories": ["care"], "vulnerable": False},
    ]
    file = {"name": "List.xlsx", "size": 48213, "sha256": SHA256.upper()}
    client = {"ip": "10.20.4.17", "host": "WS-0417"}
    parsed = parse(record("record.exported", records=people, file=file, client=client))
    assert parsed.time == 1_772_442_000_120_000_000
    assert parsed.id == "a-1"
    assert parsed.logsources == (LogSource("case_system", "case_system"),)
    assert parsed.fields == {
        "event.action": "record.exported",
        "event.outcome": "success",
        "user.name": "jsmith",
        "source.ip": "10.20.4.17",
        "host.name": "WS-0417",
        "file.name": "List.xlsx",
        "file.extension": "xlsx",
        "file.size": 48213,
        "file.hash.sha256": SHA256,
        "outfall.channel": "case_system",
        "outfall.verdict": "allowed",
        "outfall.raw.record": ["CR-1", "CR-2"],
        "outfall.raw.subject": ["943 476 5919"],
        "outfall.data.category": ["care", "financial"],
        "outfall.data.vulnerable": True,
        "outfall.content.produces": [f"sha256:{SHA256}", "file:list.xlsx:48213"],
    }


def test_only_what_makes_a_file_produces_content() -> None:
    file = {"name": "List.xlsx", "size": 1}
    made = {
        action: "outfall.content.produces" in parse(record(action, file=file)).fields for action in ACTIONS
    }
    assert {action for action, produces in made.items() if produces} == {"record.exported", "record.printed"}


@pytest.mark.parametrize(
    ("flags", "vulnerable"), [([True, False], True), ([False, None], False), ([None], None), ([], None)]
)
def test_whether_the_people_are_vulnerable(flags: list[bool | None], vulnerable: bool | None) -> None:
    people = [{"record": f"CR-{number}", "vulnerable": flag} for number, flag in enumerate(flags)]
    assert parse(record(records=people)).fields.get("outfall.data.vulnerable") is vulnerable


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        ({"account": r"COUNCIL\jsmith"}, ("jsmith", "COUNCIL", None)),
        ({"account": "j.smith@council.example"}, ("j.smith", None, "j.smith@council.example")),
        (
            {"account": "jsmith", "email": "j.smith@council.example"},
            ("jsmith", None, "j.smith@council.example"),
        ),
        ({"account": "jsmith", "email": "none"}, ("jsmith", None, None)),
    ],
)
def test_who_did_it(actor: dict[str, str], expected: tuple[str | None, str | None, str | None]) -> None:
    fields = parse(record() | {"actor": actor}).fields
    assert tuple(fields.get(f"user.{part}") for part in ("name", "domain", "email")) == expected


def test_a_refused_access_is_blocked() -> None:
    fields = parse(record(outcome="failure")).fields
    assert (fields["event.outcome"], fields["outfall.verdict"]) == ("failure", "blocked")


def test_an_export_of_thousands_is_one_line() -> None:
    people = [{"record": f"CR-{number}", "person": f"P-{number}"} for number in range(10_000)]
    line = json.dumps(record("record.exported", records=people))
    assert len(line) < MAX_BYTES
    subjects = parse(line).fields["outfall.raw.subject"]
    assert isinstance(subjects, list)
    assert len(subjects) == 10_000


def test_the_documented_examples_are_read() -> None:
    examples = [
        line for line in DOCUMENTATION.read_text(encoding="utf-8").splitlines() if line.startswith('{"time"')
    ]
    actions = [parse(example).fields["event.action"] for example in examples]
    assert actions == ["record.opened", "record.exported"]


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (record("record.burned"), "action"),
        (record() | {"action": ["search"]}, "action"),
        (record() | {"time": "2026-03-02T09:00:00"}, "time"),
        (record() | {"time": 1}, "time"),
        (record() | {"id": ""}, "id"),
        (record() | {"actor": {}}, "actor.account"),
        (record() | {"actor": "jsmith"}, "actor.account"),
        (record(outcome="perhaps"), "outcome"),
        (record(outcome=[]), "outcome"),
        (record(records={}), "records"),
        (record(records=["CR-1"]), "records"),
        (record(records=[{}]), "records"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_place(document: dict[str, Any], place: str) -> None:
    with pytest.raises(RecordError, match=place):
        FORMAT.parse(json.dumps(document), Context(received=0))


@pytest.mark.parametrize(
    "line", ["{}", "actor action", '{"actor": {}, "action": "search"}', '{"actor": 1, "action": []}']
)
def test_others_are_not_recognised(line: str) -> None:
    assert not FORMAT.recognises(line)
