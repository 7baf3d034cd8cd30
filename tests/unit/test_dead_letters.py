"""Dead letters as records of Kafka: what is written in their headers is read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import RecordError
from streams.event import Origin
from streams.runtime.dead_letters import Letter
from streams.runtime.headers import ATTEMPTS, ORIGIN, REASON

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
naturals = st.integers(0, 2**63 - 1)
letters = st.builds(
    Letter,
    data=st.binary(max_size=40),
    origin=st.builds(Origin, texts, texts, naturals, naturals),
    stage=texts,
    error=texts,
    reason=texts,
    place=texts,
    attempts=st.integers(1, 2**31),
)
LETTER = Letter(b"raw", Origin("proxy", "00ff", 10, 1), "normalise", "RecordError", "not JSON", "raw/0/7")


@given(letters)
def test_what_is_written_is_read(letter: Letter) -> None:
    assert Letter.read(letter.data, letter.headers()) == letter


def test_a_reason_with_half_a_surrogate_can_be_written() -> None:
    letter = Letter(b"", LETTER.origin, "normalise", "RecordError", "at \ud800")
    assert Letter.read(b"", letter.headers()).reason == "at \\ud800"


@pytest.mark.parametrize("name", [name for name, _ in LETTER.headers()])
def test_a_record_that_lacks_a_header_is_no_letter(name: str) -> None:
    rest = [(key, value) for key, value in LETTER.headers() if key != name]
    with pytest.raises(RecordError, match=name):
        Letter.read(b"raw", rest)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ATTEMPTS, b"0"),
        (ATTEMPTS, b"many"),
        (ORIGIN, b"[1, 2, 3]"),
        (ORIGIN, b'["s", -1, 0]'),
        (ORIGIN, b"{"),
    ],
)
def test_a_header_that_cannot_be_is_told_by_its_name(name: str, value: bytes) -> None:
    with pytest.raises(RecordError, match=name):
        Letter.read(b"raw", [*LETTER.headers(), (name, value)])


def test_reasons_are_texts_whatever_the_bytes() -> None:
    assert Letter.read(b"", [*LETTER.headers(), (REASON, b"\xff")]).reason == "\ufffd"
