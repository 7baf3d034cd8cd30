"""MITRE ATT&CK for Enterprise, in the one version that the rule book is written for.

`attack.json` has ids, names and tactics (https://attack.mitre.org), so that no network is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PREFIX = "attack."


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique or sub-technique: `tactics` are those that it serves, as tags name them."""

    id: str
    name: str
    tactics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attack:
    """All of a version; techniques by their id in capitals."""

    version: str
    tactics: frozenset[str]
    techniques: dict[str, Technique]


@cache
def attack() -> Attack:
    """Read the pinned version, once."""
    content = json.loads(Path(__file__).with_name("attack.json").read_text(encoding="utf-8"))
    techniques = {
        identity: Technique(identity, one["name"], tuple(one["tactics"]))
        for identity, one in content["techniques"].items()
    }
    return Attack(content["version"], frozenset(content["tactics"]), techniques)


def techniques(tags: Iterable[str]) -> list[Technique]:
    """Give the techniques that tags name, unknown ones left out."""
    known = attack().techniques
    names = (tag.removeprefix(PREFIX).upper() for tag in tags if tag.startswith(PREFIX))
    return [known[name] for name in names if name in known]
