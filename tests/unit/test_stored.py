"""Stored logs have the origins that the same logs have when they are followed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import ConfigError
from streams.event import RawRecord
from streams.runtime.files import FileInput
from streams.runtime.stored import HELD, stored_records

LINES = st.lists(
    st.one_of(st.sampled_from([b"", b" ", b"#Fields: a b", b"one two\r", b"three"]), st.binary(max_size=6)),
    max_size=8,
)


def followed(folder: Path, log: bytes) -> list[RawRecord]:
    path = folder / "log"
    path.write_bytes(log)
    source = FileInput("s", path, [], clock=lambda: 7, final=True)
    records = []
    for feed in source.poll():
        while (record := feed.peek()) is not None:
            records.append(record)
            feed.take()
    source.close()
    return records


@given(LINES, st.booleans())
def test_a_stored_log_gives_the_records_that_following_it_gives(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], finished: bool
) -> None:
    log = b"\n".join(lines) + (b"\n" if finished and lines else b"")
    folder = tmp_path_factory.getbasetemp()
    assert list(stored_records("s", io.BytesIO(log), 7)) == followed(folder, log)


def test_streams_that_begin_alike_are_told_apart() -> None:
    taken: set[str] = set()
    streams = [
        {record.origin.stream for record in stored_records("s", io.BytesIO(log), 0, taken)}
        for log in (b"begin\none\n", b"begin\ntwo\n", b"other\n")
    ]
    (first,), (second,), (third,) = streams
    assert second == f"{first}.1"
    assert taken == {first, second, third}


def test_what_begins_with_comments_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="begins with more than"):
        list(stored_records("s", io.BytesIO(b"#\n" * (HELD // 256)), 0))
