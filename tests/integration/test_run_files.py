"""Real files, followed while they are appended to, rotated, truncated and copied."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest

from streams.normalise.base import MAX_BYTES
from streams.runtime.files import GRACE, FileInput
from streams.runtime.position import Position


class Reader:
    """Reads all that waits, keeps positions as the run would, and can start again from them."""

    def __init__(self, path: Path, *, final: bool = False) -> None:
        self.path, self.final, self.now = path, final, 0.0
        self.positions: dict[str, Position] = {}
        self.restart()

    def restart(self) -> None:
        self.input = FileInput(
            "log",
            self.path,
            self.positions.values(),
            clock=lambda: 0,
            final=self.final,
            monotonic=lambda: self.now,
        )

    def read(self) -> list[str]:
        return [data.decode() for data, _ in self.records()]

    def records(self) -> list[tuple[bytes, tuple[str, int, int]]]:
        found: list[tuple[bytes, tuple[str, int, int]]] = []
        idle = 0
        while idle < 3:
            before = len(found)
            for feed in self.input.poll():
                while record := feed.peek():
                    feed.take()
                    origin = record.origin
                    found.append((record.data, (origin.stream, origin.offset, origin.line)))
                self.positions[feed.stream] = feed.position
            for position in self.input.finished():
                self.positions[position.stream] = position
            idle = idle + 1 if len(found) == before else 0
        return found


def append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def test_gives_offsets_in_bytes_and_line_numbers(log: Path) -> None:
    append(log, "# header\nfür\r\n\nlast\n")
    records = Reader(log).records()
    stream = records[0][1][0]
    assert records == [
        (b"# header", (stream, 0, 0)),
        ("für".encode(), (stream, 9, 1)),
        (b"", (stream, 15, 2)),
        (b"last", (stream, 16, 3)),
    ]
    assert len(stream) == 16


def test_waits_for_a_file_that_is_yet_to_come(log: Path) -> None:
    reader = Reader(log)
    assert reader.read() == []
    append(log, "one\n")
    assert reader.read() == ["one"]


def test_an_unfinished_last_line_waits(log: Path) -> None:
    append(log, "one\ntw")
    reader = Reader(log)
    assert reader.read() == ["one"]
    reader.restart()
    assert reader.read() == []
    append(log, "o\nthree\n")
    assert reader.read() == ["two", "three"]


def test_an_unfinished_last_line_is_taken_at_the_end(log: Path) -> None:
    append(log, "one\ntwo")
    reader = Reader(log, final=True)
    assert reader.read() == ["one", "two"]
    assert reader.input.ended


def test_a_file_without_any_line_is_no_stream_yet(log: Path) -> None:
    append(log, "#Fields: a b\nbegun")
    reader = Reader(log)
    assert reader.read() == []
    append(log, " and ended\n")
    assert reader.read() == ["#Fields: a b", "begun and ended"]


@pytest.mark.parametrize("content", ["", "# only a comment\n", "\n\n"])
def test_without_data_the_end_comes_at_once(log: Path, content: str) -> None:
    append(log, content)
    reader = Reader(log, final=True)
    assert reader.read() == content.splitlines()
    assert reader.input.ended


def test_goes_on_after_a_restart(log: Path) -> None:
    append(log, "one\ntwo\n")
    reader = Reader(log)
    assert reader.read() == ["one", "two"]
    append(log, "three\n")
    reader.restart()
    assert reader.read() == ["three"]


def test_rotation_by_renaming(log: Path) -> None:
    append(log, "one\n")
    reader = Reader(log)
    assert reader.read() == ["one"]
    append(log, "two\n")
    log.rename(f"{log}.1")
    append(log, "three\n")
    assert reader.read() == ["two", "three"]


def test_what_is_still_written_to_a_renamed_file_is_read(log: Path) -> None:
    append(log, "one\n")
    reader = Reader(log)
    reader.read()
    renamed = log.rename(f"{log}.1")
    append(log, "three\n")
    reader.read()
    reader.now = GRACE / 2
    append(renamed, "two")
    assert reader.read() == []
    reader.now = GRACE * 2
    assert reader.read() == ["two"]
    stream = next(iter(reader.positions))
    reader.now = GRACE * 4
    reader.read()
    assert reader.positions[stream].finished


def test_a_file_that_was_renamed_while_nobody_looked_is_read_to_its_end(log: Path) -> None:
    append(log, "one\n")
    reader = Reader(log)
    reader.read()
    append(log, "two\n")
    log.rename(log.with_name("access.log-20260301"))
    append(log, "three\n")
    reader.restart()
    assert reader.read() == ["two", "three"]


def test_a_file_that_vanished_while_nobody_looked_is_reported(
    log: Path, caplog: pytest.LogCaptureFixture
) -> None:
    append(log, "one\n")
    reader = Reader(log)
    reader.read()
    log.unlink()
    append(log, "three\n")
    reader.restart()
    assert reader.read() == ["three"]
    assert "is gone; what came after that is not read" in caplog.text
    caplog.clear()
    reader.restart()
    reader.read()
    assert "gone" not in caplog.text


def test_rotation_by_copying_and_truncating(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    append(log, "one\n")
    reader = Reader(log)
    assert reader.read() == ["one"]
    append(log, "two\n")
    shutil.copy(log, f"{log}.1")
    os.truncate(log, 0)
    append(log, "three\n")
    assert reader.read() == ["two", "three"]
    assert "was truncated" in caplog.text


def test_truncated_and_longer_again_before_anybody_looked(log: Path) -> None:
    append(log, "one\n")
    reader = Reader(log)
    assert reader.read() == ["one"]
    os.truncate(log, 0)
    append(log, "two\nthree\nfour\n")
    assert reader.read() == ["two", "three", "four"]


def test_truncated_and_begun_with_the_same_line(log: Path) -> None:
    append(log, "begin\none\n")
    reader = Reader(log)
    assert reader.read() == ["begin", "one"]
    os.truncate(log, 0)
    append(log, "begin\ntwo\n")
    records = reader.records()
    assert [data for data, _ in records] == [b"begin", b"two"]
    assert records[0][1][0].endswith(".1")
    reader.restart()
    append(log, "three\n")
    assert reader.read() == ["three"]


def test_the_unfinished_line_of_a_truncated_file_is_not_lost(log: Path) -> None:
    append(log, "one\ntwo is unfin")
    reader = Reader(log)
    assert reader.read() == ["one"]
    os.truncate(log, 0)
    append(log, "three\n")
    assert reader.read() == ["two is unfin", "three"]


def test_a_glob_follows_each_file_and_rotation_among_them(tmp_path: Path) -> None:
    append(tmp_path / "a.log", "a1\n")
    append(tmp_path / "b.log", "b1\n")
    with gzip.open(tmp_path / "c.log.gz", "wt") as file:
        file.write("c1\n")
    reader = Reader(tmp_path / "*.log*")
    assert sorted(reader.read()) == ["a1", "b1"]
    append(tmp_path / "a.log", "a2\n")
    (tmp_path / "a.log").rename(tmp_path / "a.log.1")
    append(tmp_path / "a.log", "a3\n")
    assert sorted(reader.read()) == ["a2", "a3"]


def test_a_copy_of_a_followed_file_is_not_read_twice(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    append(log, "begin\none\ntwo\n")
    reader = Reader(tmp_path / "*.log*")
    assert reader.read() == ["begin", "one", "two"]
    copy = tmp_path / "a.log.1"
    append(copy, "begin\non")  # the copy is being made
    assert reader.read() == []
    append(copy, "e\ntwo\nthree\n")
    os.truncate(log, 0)
    append(log, "four\n")
    assert sorted(reader.read()) == ["four", "three"]


def test_two_files_that_begin_with_the_same_line_are_both_read(tmp_path: Path) -> None:
    append(tmp_path / "a.log", "begin\na\n")
    append(tmp_path / "b.log", "begin\nb\n")
    reader = Reader(tmp_path / "*.log")
    assert sorted(reader.read()) == ["a", "b", "begin", "begin"]
    append(tmp_path / "a.log", "a2\n")
    append(tmp_path / "b.log", "b2\n")
    reader.restart()
    assert sorted(reader.read()) == ["a2", "b2"]


def test_an_overlong_line_is_cut_and_the_next_one_is_whole(log: Path) -> None:
    append(log, "one\n" + "x" * (3 * MAX_BYTES) + "\nthree\n")
    records = Reader(log).records()
    assert [len(data) for data, _ in records] == [3, MAX_BYTES + 1, 5]
    assert records[2][1][1:] == (4 + 3 * MAX_BYTES + 1, 2)


def test_a_folder_in_the_file_s_place_is_reported(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    log.mkdir()
    assert Reader(log).read() == []
    assert "is not a file" in caplog.text
