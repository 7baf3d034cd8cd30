"""Files of a publication or a bundle, written below the state folder: once, and all or nothing."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from streams.errors import ConfigError


def put_aside(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files by their paths into a folder, unless it is there: its name says what is in it.

    Raises:
        ConfigError: they cannot be written.
    """
    try:
        if folder.is_dir():
            return
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder.parent))
        for path, data in files.items():
            place = aside / PurePosixPath(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        with contextlib.suppress(OSError):  # another process on this machine was faster
            aside.rename(folder)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise ConfigError([f"{error.filename}: {error.strerror}"]) from None
