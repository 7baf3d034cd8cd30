"""What workers must have in common: each difference is told, and no secret is."""

from __future__ import annotations

import copy
from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.live import KEY, SOURCE, Live
from streams.enrich.load import load_pseudonyms
from streams.runtime.agreement import agreement, differences, problems
from streams.setting_types import parse_duration, say_duration


def made(folder: Path, kafka: str = "", **written: str) -> dict[str, Any]:
    live = Live(folder, "127.0.0.1:9092", "outfall").write(kafka, **written)
    made_of = agreement(live.settings, load_pseudonyms(live.settings.enrich, key=None))
    read: dict[str, Any] = orjson.loads(orjson.dumps(made_of))
    return read


def test_it_says_what_all_must_have_in_common_and_no_secret(tmp_path: Path) -> None:
    agreed = made(tmp_path, "batch = 7\nreplication = 2")
    assert agreed["settings"]["sources.proxy"] == {
        "topic": "outfall-raw",
        "partitions": 2,
        "format": "squid",
        "zone": "UTC",
        "lateness": "15m",
    }
    assert agreed["settings"]["kafka"] == {"prefix": "outfall", "partitions": 8}
    assert agreed["settings"][""] == {"clock_skew": "5m"}
    assert agreed["settings"]["pseudonym_key"]["id"] == "k1"
    assert KEY.removeprefix("k1:").encode() not in orjson.dumps(agreed)
    assert agreed["sha256"].keys() == agreed["settings"].keys()


@pytest.mark.parametrize(
    ("kafka", "written"),
    [
        ("", {}),
        ("batch = 7\nreplication = 3\nmax_message = 2000000", {}),
        ("", {"more": 'rules = ["other"]\nstate = "other"'}),
        ("", {"source": SOURCE.replace('format = "squid"', 'format = "squid"\nlateness = "900s"')}),
    ],
)
def test_what_each_worker_may_choose(tmp_path: Path, kafka: str, written: dict[str, str]) -> None:
    assert problems(made(tmp_path, kafka, **written), made(tmp_path)) == []


@pytest.mark.parametrize(
    ("kafka", "written", "difference"),
    [
        ("partitions = 9", {}, "kafka.partitions: 9 is set here, and 8 was agreed"),
        ("", {"more": 'clock_skew = "1m"'}, "clock_skew: 1m is set here, and 5m was agreed"),
        ("[limits]\nvalues = 5", {}, "limits.values: 5 is set here, and 1000000 was agreed"),
        (
            "",
            {"source": SOURCE + 'zone = "Europe/London"'},
            "sources.proxy.zone: Europe/London is set here, and UTC was agreed",
        ),
        ("", {"key": KEY.replace("k1:", "k2:")}, "pseudonym_key.id: k2 is set here, and k1 was agreed"),
    ],
)
def test_a_difference_is_told(tmp_path: Path, kafka: str, written: dict[str, str], difference: str) -> None:
    ours, theirs = made(tmp_path, kafka, **written), made(tmp_path)
    assert differences(ours, theirs) == [difference]
    (problem,) = problems(ours, theirs)
    assert problem.startswith(f"agreement: {difference}; ")
    assert "topics create --change" in problem


def test_another_secret_under_the_same_id_is_told(tmp_path: Path) -> None:
    other = f"k1:{b64encode(bytes(31) + b'x').decode()}"
    (difference,) = differences(made(tmp_path, key=other), made(tmp_path))
    assert difference.startswith("pseudonym_key.check: ")


def test_a_source_that_only_some_have_is_told(tmp_path: Path) -> None:
    more = SOURCE + SOURCE.replace("proxy", "mail").replace("-raw", "-mail")
    said = differences(made(tmp_path), made(tmp_path, source=more))
    assert "sources.mail.topic: nothing is set here, and outfall-mail was agreed" in said
    assert len(said) == 5


def test_without_an_agreement_the_way_to_one_is_told(tmp_path: Path) -> None:
    assert problems(made(tmp_path), None) == [
        "agreement: there is none; `outfall topics create` writes down what is set here"
    ]


def by_hand(agreed: dict[str, Any]) -> dict[str, Any]:
    changed = copy.deepcopy(agreed)
    changed["settings"]["kafka"]["partitions"] = 9
    return changed


@pytest.mark.parametrize(
    "found", [{}, [], 1, {"settings": {"a": 1}, "sha256": {}}, {"settings": [], "sha256": {}}]
)
def test_what_is_no_agreement_is_refused(tmp_path: Path, found: object) -> None:
    for theirs in (found, by_hand(made(tmp_path))):
        (problem,) = problems(made(tmp_path), theirs)
        assert "not as outfall writes it" in problem


@given(st.integers(0, 2**62 // 1_000_000 - 1))
def test_a_duration_is_read_as_it_was_written(milliseconds: int) -> None:
    nanoseconds = milliseconds * 1_000_000
    written = say_duration(nanoseconds)
    if len(written.rstrip("mshdw")) <= 9:
        assert parse_duration(written) == nanoseconds


@pytest.mark.parametrize("text", ["1500ms", "90s", "15m", "36h", "30d", "2w"])
def test_a_duration_is_written_in_the_largest_unit(text: str) -> None:
    assert say_duration(parse_duration(text)) == text
