"""Programs from Debian packages, for tests that drive the real thing; nothing of the machine is changed.

What is installed is used; the rest is downloaded by apt, with lists and archives of its own, and unpacked
under `.cache/packages` of the checkout. That needs no root.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "packages"
TIMEOUT = 240  # seconds for one call of apt-get


def unavailable(reason: str) -> NoReturn:
    """Skip the test and say why; fail it where the services must be there (TEST_SERVICES=required)."""
    if os.environ.get("TEST_SERVICES") == "required":
        pytest.fail(f"{reason} (TEST_SERVICES=required)")
    pytest.skip(f"did not run: {reason}")


@dataclass(frozen=True)
class Package:
    """An unpacked package with the packages it depends on; `root` lies over the machine's own files."""

    root: Path

    def path(self, place: str) -> Path:
        """Give the file or folder that the package puts at `/place`."""
        unpacked = self.root / place
        return unpacked if unpacked.exists() else Path("/") / place

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which its programs find their libraries."""
        folders = {str(file.parent) for file in self.root.rglob("*.so*")}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LD_LIBRARY_PATH": ":".join(sorted(folders))}


def package(name: str) -> Package:
    """Give the package `name`, or skip the test where it cannot be had."""
    for program in ("apt-get", "dpkg"):
        if not shutil.which(program):
            unavailable(f"{name} comes from a Debian package and there is no {program}")
    return Package(cached(name, lambda aside: _unpack(name, aside)))


def cached(name: str, make: Callable[[Path], Path]) -> Path:
    """Give the folder `name` of the cache; `make` makes it where it is missing, in a folder aside."""
    root = CACHE / name
    if root.exists():
        return root
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may want it at once
        if not root.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                make(Path(scratch)).rename(root)
    return root


def _unpack(name: str, aside: Path) -> Path:
    aside.chmod(0o755)
    for folder in ("root", "lists/partial", "archives/partial"):
        (aside / folder).mkdir(parents=True)
    _apt(aside, "update")
    _apt(aside, "install", "--yes", "--download-only", "--no-install-recommends", name)
    for archive in sorted((aside / "archives").glob("*.deb")):
        subprocess.run(["dpkg", "-x", archive, aside / "root"], check=True, timeout=TIMEOUT)
    return aside / "root"


def _apt(aside: Path, *arguments: str) -> None:
    options = [
        f"Dir::State::lists={aside}/lists",
        f"Dir::Cache={aside}",
        f"Dir::Cache::archives={aside}/archives",
        "APT::Sandbox::User=",
        "Debug::NoLocking=1",  # the machine's own state is only read
        "Acquire::Retries=3",
    ]
    command = ["apt-get", "-qq", *(f"-o{option}" for option in options), *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired:
        unavailable(f"apt-get {arguments[0]} took longer than {TIMEOUT} s")
    if done.returncode:
        unavailable(f"apt-get {arguments[0]} failed: {done.stderr.strip()[-400:]}")
