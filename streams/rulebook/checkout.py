"""A rule book as it was at another commit: its files put aside, so that both run on the same records."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from streams.errors import ConfigError

_PATIENCE = 60


def check_out(paths: Sequence[Path], revision: str, into: Path) -> list[Path]:
    """Write the files below `paths` as they were at a revision of their git repository; give where they are.

    A path that was not there then is left out.

    Raises:
        ConfigError: there is no such revision or repository, or nothing of the paths was there.
    """
    found: list[Path] = []
    for number, path in enumerate(paths):
        folder = path if path.is_dir() else path.parent
        top = _git(folder, "rev-parse", "--show-toplevel").decode().strip()
        name = path.resolve().relative_to(Path(top).resolve()).as_posix()
        wanted = f"{revision}^{{commit}}"
        commit = _git(folder, "rev-parse", "--verify", "--end-of-options", wanted).decode().strip()
        if not _git(Path(top), "ls-tree", "--name-only", commit, "--", name):
            continue
        archive = _git(Path(top), "archive", "--format=tar", commit, "--", name)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(into / str(number), filter="data")
        found.append(into / str(number) / name)
    if not found:
        raise ConfigError([f"at {revision} there was nothing at {', '.join(map(str, paths))}"])
    return found


def _git(folder: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 - no shell, and options end before the revision
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError([f"git: {error}"]) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise ConfigError([f"git: {said[-1] if said else 'failed'}"])
    return done.stdout
