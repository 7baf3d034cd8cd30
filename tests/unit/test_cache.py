"""The user's cache: it may lose everything and must never believe what others wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.runtime.cache import FolderCache, user_cache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache"


def test_what_was_put_comes_back(folder: Path) -> None:
    cache = FolderCache(folder)
    assert cache.get("k") is None
    cache.put("k", b"one")
    cache.put("k", b"two")
    assert FolderCache(folder).get("k") == b"two"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_damaged_entry_is_none(folder: Path) -> None:
    cache = FolderCache(folder)
    cache.put("k", b"something")
    path = folder / "k.entry"
    for damaged in (path.read_bytes()[:-1], b"", b"x" + path.read_bytes()[1:]):
        path.write_bytes(damaged)
        assert cache.get("k") is None


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    cache = FolderCache(folder)
    cache.put("k", b"ours")
    folder.chmod(mode)
    assert cache.get("k") is None
    cache.put("other", b"ours")
    folder.chmod(0o700)
    assert cache.get("other") is None


def test_a_link_to_a_folder_is_not_used(folder: Path, tmp_path: Path) -> None:
    FolderCache(folder).put("k", b"ours")
    (tmp_path / "link").symlink_to(folder)
    assert FolderCache(tmp_path / "link").get("k") is None


def test_where_there_can_be_no_folder_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = FolderCache(tmp_path / "file" / "cache")
    cache.put("k", b"one")
    assert cache.get("k") is None


def test_what_was_used_longest_ago_goes_first(folder: Path) -> None:
    cache = FolderCache(folder)
    for number in range(64):
        cache.put(f"k{number}", b"x")
        os.utime(folder / f"k{number}.entry", (number, number))
    assert cache.get("k0") == b"x"  # used just now
    cache.put("new", b"x")
    assert cache.get("k0") == b"x"
    assert cache.get("k1") is None
    assert len(list(folder.iterdir())) == 64


def test_it_is_where_xdg_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    put()
    assert (tmp_path / "outfall" / "k.entry").is_file()
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, says the specification
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    put()
    assert (tmp_path / "home" / ".cache" / "outfall" / "k.entry").is_file()


def put() -> None:
    cache = user_cache()
    assert cache is not None
    cache.put("k", b"x")


def test_without_a_home_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError))
    assert user_cache() is None


def test_what_others_put_there_stays_and_failed_writes_leave_nothing(folder: Path) -> None:
    cache = FolderCache(folder)
    cache.put("k", b"x")
    (folder / "note").touch()
    (folder / "held.entry").mkdir()
    cache.put("held", b"x")  # cannot be put in its place
    for number in range(80):
        cache.put(f"k{number}", b"x")
    assert (folder / "note").exists()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
