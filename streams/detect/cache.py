"""What is worth keeping between runs: rule books and prefilters, by what they were made of.

The shells bring a place to keep it. It must be the user's own, as that of Python's compiled modules is: what
comes out of it is believed.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

_PACKAGE = Path(__file__).resolve().parents[1]
_MADE_BY = ("detect/*.py", "safe_regex/*.py", "event.py", "rule.py", "errors.py")


class Cache(Protocol):
    """A place where bytes are kept by name, or not."""

    def get(self, key: str) -> bytes | None:
        """Give what was put there last, None where it is gone."""

    def put(self, key: str, value: bytes) -> None:
        """Keep it if that is possible."""


def key_of(*parts: str | bytes) -> str:
    """Make the key of what follows from these parts and from the code that makes it."""
    digest = hashlib.sha256(_code())
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(b"%d:%b" % (len(data), data))
    return digest.hexdigest()


@cache
def _code() -> bytes:
    """Hash the code, so that another version of it never meets what this one made."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pysigma", "hyperscan", "google-re2", "orjson", "pyyaml"):
        digest.update(f"{name} {version(name)}\n".encode())
    for pattern in _MADE_BY:
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.digest()
