"""A folder of the user's own for what can be made again: loaded rule books and prefilters."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path

_DIGEST = 32
_SUFFIX = ".entry"
_KEPT = 64
"""Entries that stay; the ones that were used longest ago go first."""


class FolderCache:
    """Keeps each entry in a file. Where the folder is not to be had, nothing is kept and nothing fails.

    What is read back is believed, so a folder that others own or may write to is not used.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """Give an entry, None where there is none."""
        if not self._is_ours():
            return None
        path = self._path(key)
        try:
            data = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        digest, value = data[:_DIGEST], data[_DIGEST:]
        return value if hashlib.sha256(value).digest() == digest else None

    def put(self, key: str, value: bytes) -> None:
        """Keep an entry, whole or not at all."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._is_ours():
                return
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", delete=False) as file:
                try:
                    file.write(hashlib.sha256(value).digest() + value)
                    file.flush()
                    Path(file.name).replace(self._path(key))
                except OSError:
                    Path(file.name).unlink(missing_ok=True)
                    raise
            self._tidy()

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _tidy(self) -> None:
        entries = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
        for path in entries[:-_KEPT]:
            path.unlink(missing_ok=True)

    def _is_ours(self) -> bool:
        try:
            found = self._folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def user_cache() -> FolderCache | None:
    """Give the cache where the XDG Base Directory Specification has it; None without a home."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        return FolderCache((base if base.is_absolute() else Path.home() / ".cache") / "outfall")
    except RuntimeError:  # there is no home
        return None
