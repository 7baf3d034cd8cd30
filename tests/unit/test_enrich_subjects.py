from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from enrich_folder import KEY, enriched, enricher, event

from streams.enrich.national_insurance import is_national_insurance
from streams.enrich.pseudonym import Key, Pseudonymiser, normalise_id
from streams.event import Fields

PSEUDONYMS = Pseudonymiser(Key("k1", base64.b64decode(KEY.partition(":")[2])))


def test_a_pseudonym_is_the_documented_hmac() -> None:
    secret = base64.b64decode(KEY.partition(":")[2])
    digest = hmac.new(secret, b"subject\x009434765919", hashlib.sha256).hexdigest()
    assert PSEUDONYMS.subject(" 943-476 5919 ") == f"k1:{digest[:32]}"
    assert PSEUDONYMS.record("9434765919") != PSEUDONYMS.subject("9434765919")
    assert "secret" not in repr(Key("k1", secret))


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("943 476 5919", "9434765919"),
        ("943-476-5919", "9434765919"),
        ("\uff19\uff14\uff13 476 5919", "9434765919"),
        ("CR-104233", "cr-104233"),
        (" cr-104233 ", "cr-104233"),
        ("AB 12 34 56 C", "ab123456c"),
        ("AB-12-34-56-C", "ab123456c"),
        ("104-233", "104233"),
    ],
)
def test_spellings_of_an_id_are_one_id(raw: str, normal: str) -> None:
    assert normalise_id(raw) == normal


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("AB123456C", True),
        ("ab123456d", True),
        ("AB123456", False),
        ("AB123456E", False),
        ("DB123456C", False),
        ("AO123456C", False),
        ("GB123456C", False),
        ("AB12345C", False),
    ],
)
def test_national_insurance_numbers(text: str, valid: bool) -> None:
    assert is_national_insurance(text) is valid


def test_raw_ids_become_sorted_pseudonyms_and_leave(tmp_path: Path) -> None:
    raw: Fields = {
        "outfall.raw.subject": ["943 476 5919", "9434765919", "P7", None, " "],
        "outfall.raw.record": "CR-1",
        "outfall.raw.anonymous": 37,
        "outfall.data.category": ["financial", "care"],
    }
    found = enriched(enricher(tmp_path), raw)
    assert found["outfall.subjects.id"] == sorted(
        [PSEUDONYMS.subject("9434765919"), PSEUDONYMS.subject("P7")]
    )
    assert found["outfall.records.id"] == [PSEUDONYMS.record("cr-1")]
    assert found["outfall.records.count"] == 1
    assert found["outfall.subjects.anonymous"] == 37
    assert found["outfall.subjects.count"] == 37
    assert found["outfall.data.category"] == ["care", "financial"]
    assert not any(name.startswith("outfall.raw.") for name in found)


@pytest.mark.parametrize(
    ("fields", "subjects", "records", "categories"),
    [
        ({"file.path": r"S:\care\943 476 5919\plan.docx"}, ["9434765919"], [], ["health"]),
        ({"file.path": r"S:\care\943 476 5918\plan.docx"}, [], [], []),
        ({"file.path": r"S:\care\19434765919\plan.docx"}, [], [], []),
        ({"url.full": "https://a.example/?q=943%20476+5919"}, ["9434765919"], [], ["health"]),
        ({"url.full": "https://a.example/case/CR-10423/person/P7"}, [], [], []),
        (
            {"outfall.channel": "web", "url.full": "https://a.example/case/CR-10423/person/P7"},
            ["P7"],
            ["CR-10423"],
            ["care"],
        ),
        (
            {"outfall.channel": "web", "url.full": "https://a.example/case/CR-10423"},
            [],
            ["CR-10423"],
            ["care"],
        ),
        ({"email.subject": "AB 12 34 56 C and GB 12 34 56 C"}, ["AB123456C"], [], []),
        ({"file.name": ["9434765919.pdf", "9876543210.pdf"]}, ["9434765919", "9876543210"], [], ["health"]),
    ],
)
def test_patterns(
    tmp_path: Path, fields: Fields, subjects: list[str], records: list[str], categories: list[str]
) -> None:
    found = enriched(enricher(tmp_path), fields)
    assert found.get("outfall.subjects.id", []) == sorted(map(PSEUDONYMS.subject, subjects))
    assert found.get("outfall.records.id", []) == sorted(map(PSEUDONYMS.record, records))
    assert found.get("outfall.data.category", []) == categories
    assert found.get("outfall.data.vulnerable") is (True if categories == ["care"] else None)


def test_a_value_too_long_to_search_is_marked(tmp_path: Path) -> None:
    [known] = enricher(tmp_path).enrich(event({"url.full": "https://a.example/" + "x" * 20_000}), None)
    assert known.marks == ("patterns_searched_part",)


@pytest.mark.parametrize("value", [0, -1, True, "37", 1.5, None])
def test_only_a_positive_whole_number_is_a_mere_number(tmp_path: Path, value: object) -> None:
    found = enriched(enricher(tmp_path), {"outfall.raw.anonymous": value})  # type: ignore[dict-item]  # on purpose
    assert "outfall.subjects.anonymous" not in found


def test_what_poses_as_a_pseudonym_is_not_let_through(tmp_path: Path) -> None:
    kept = PSEUDONYMS.subject("P7")
    found = enriched(enricher(tmp_path), {"outfall.subjects.id": ["9434765919", kept]})
    assert found["outfall.subjects.id"] == sorted([kept, PSEUDONYMS.subject("9434765919")])


@pytest.mark.parametrize(
    ("user", "outside"),
    [("jsmith", ["P8"]), ("apatel", []), ("bkent", []), ("svc-backup", []), ("stranger", [])],
)
def test_people_outside_the_caseload(tmp_path: Path, user: str, outside: list[str]) -> None:
    fields: Fields = {"outfall.channel": "case_system", "user.name": user}
    fields["outfall.raw.subject"] = ["943-476-5919", "P7", "P8"]
    found = enriched(enricher(tmp_path), fields)
    assert found.get("outfall.subjects.outside_caseload", []) == [PSEUDONYMS.subject(raw) for raw in outside]
