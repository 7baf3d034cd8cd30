"""Lines of any length are given once each, with their places, in bounded memory."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.runtime.lines import read_lines


@given(
    lines=st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line)), last=st.binary(max_size=5)
)
def test_offsets_and_numbers_are_those_of_the_stream(lines: list[bytes], last: bytes) -> None:
    stream = b"".join(line + b"\n" for line in lines) + last.replace(b"\n", b"")
    read = list(read_lines(io.BytesIO(stream), 8))
    pieces = stream.split(b"\n")
    expected = pieces[:-1] + ([pieces[-1]] if pieces[-1] else [])
    assert [line.number for line in read] == list(range(len(expected)))
    assert [
        stream[line.offset :][: len(piece)] for line, piece in zip(read, expected, strict=True)
    ] == expected
    for line, piece in zip(read, expected, strict=True):
        if not line.truncated:
            assert line.data == piece.removesuffix(b"\r")
        else:
            assert len(line.data) == 9
            assert piece.startswith(line.data)


@pytest.mark.parametrize(
    "data", [b"123456789", b"12345678\r\n", b"12345678\rx\n", b"123456789\r\n", b"1" * 100_000]
)
def test_what_is_too_long_can_be_seen_to_be(data: bytes) -> None:
    (line,) = read_lines(io.BytesIO(data), 8)
    assert line.truncated == (len(data.rstrip(b"\n").removesuffix(b"\r")) > 8)
    assert line.truncated == (len(line.data) > 8)
