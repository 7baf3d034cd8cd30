"""Which rule book is running: the hash of its content, and the git commit that it was checked out from."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from streams.correlate.describe import Edition
from streams.detect.load import RuleBook


def edition(book: RuleBook, paths: Sequence[Path]) -> Edition:
    """Give the edition of a book that was loaded from `paths`."""
    return Edition(book.hash, _commit(paths[0]) if paths else None)


def _commit(path: Path) -> str | None:
    """Give the commit that a path is at, with `-dirty` where files below it differ; None outside git."""
    folder = path if path.is_dir() else path.parent
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return f"{commit}-dirty" if _git(folder, "status", "--porcelain", "--", ".") else commit


def _git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; nothing where there is no git or no repository."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 - fixed words and a folder
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
