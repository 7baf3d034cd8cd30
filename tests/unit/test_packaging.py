"""The lock files hold what pyproject.toml asks for, with hashes, and nothing of one machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
RUN = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
DEVELOP = [
    Requirement(text) for text in PROJECT["dependency-groups"]["dev"] + PROJECT["build-system"]["requires"]
]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def locked(name: str) -> dict[str, Requirement]:
    text = (CHECKOUT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [
        line.split(" --hash")[0] for line in text.splitlines() if line and not line.strip().startswith("#")
    ]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [(LOCKS[0], requirement) for requirement in RUN]
    + [(LOCKS[1], requirement) for requirement in RUN + DEVELOP],
    ids=str,
)
def test_what_is_asked_for_is_locked(lock: str, wanted: Requirement) -> None:
    found = locked(lock).get(canonicalize_name(wanted.name))
    assert found, f"{wanted} is not in {lock}: make lock"
    (pin,) = found.specifier
    assert wanted.specifier.contains(pin.version), (
        f"{lock} has {found}, pyproject.toml wants {wanted}: make lock"
    )


def test_both_locks_agree() -> None:
    run, develop = (locked(lock) for lock in LOCKS)
    assert {name: str(pin) for name, pin in run.items()} == {name: str(develop[name]) for name in run}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_no_place(lock: str) -> None:
    text = (CHECKOUT / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^[A-Za-z0-9_.-]+==.*\\\n +--hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pins) == len(locked(lock))
    assert not re.search(r"://|^--|^-[a-z]|file:|/", text, re.MULTILINE), "an index, an option or a path"


@pytest.mark.parametrize("wanted", RUN + DEVELOP, ids=str)
def test_each_dependency_is_explained(wanted: Requirement) -> None:
    assert f"`{wanted.name}`" in (CHECKOUT / "docs" / "dependencies.md").read_text(encoding="utf-8")
