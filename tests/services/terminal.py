"""Runs a program on a terminal of its own and reads what it shows."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path


def shown(arguments: Sequence[str | Path]) -> tuple[int, str]:
    """Give the exit status and all that was shown, as it came."""
    main, other = pty.openpty()
    environment = os.environ | {"COLUMNS": "400", "TERM": "xterm"}
    process = subprocess.Popen(arguments, stdout=other, stderr=subprocess.PIPE, env=environment)
    os.close(other)
    data = b""
    try:
        while more := os.read(main, 4096):
            data += more
    except OSError:  # that is how Linux says that the other end is closed
        pass
    finally:
        os.close(main)
    return process.wait(60), data.decode()


def plain(text: str) -> str:
    """Take the colours out."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
