"""Who has which id and name: two rules with one are told apart here, and references are looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streams.detect.document import Document
from streams.detect.metadata import identity_key
from streams.rule import Rule

_KINDS = ("correlation", "filter", "detection")


@dataclass(slots=True)
class Entry:
    """A document that claimed its identity; `rule` is None while, and if, it does not compile."""

    document: Document
    kind: str
    rule: Rule | None = None


class Register:
    """Ids and names share one space, since a reference may be either (Sigma 2.1, "Related rules")."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def claim(self, document: Document, stem: str) -> Entry:
        """Enter a document under its id and name, before anything else can go wrong with it.

        Raises:
            RefusedError: another has one of them.
        """
        content = document.content
        keys = {key: value for key in ("id", "name") if isinstance(value := content.get(key), str) and value}
        entry = Entry(document, next((kind for kind in _KINDS if kind in content), "detection"))
        for key, identity in keys.items():
            if (other := self._entries.get(identity_key(identity))) is not None:
                reason = f"the {key} `{identity}` belongs to the rule at {other.document.at()}"
                raise document.refuse(reason, key)
        if not keys:
            unnamed = f"{stem}:{document.index}"
            if unnamed in self._entries:
                raise document.refuse(f"another rule is called `{unnamed}` too; give it an id")
            keys["id"] = unnamed
        for identity in keys.values():
            self._entries[identity_key(identity)] = entry
        return entry

    def find(self, reference: str, document: Document, *path: Any) -> Rule:
        """Give the rule that `document` refers to at `path`.

        Raises:
            RefusedError: there is none, it is a filter, or it was refused itself.
        """
        entry = self._entries.get(identity_key(reference))
        if entry is None:
            raise document.refuse(f"there is no rule `{reference}`", *path)
        if entry.kind == "filter":
            raise document.refuse(f"`{reference}` is a filter", *path)
        if entry.rule is None:
            place = entry.document.at()
            raise document.refuse(f"the rule `{reference}` at {place} was refused", *path)
        return entry.rule

    def known(self, reference: str) -> Rule | None:
        """Give the rule that a reference means, None where there is none or it was refused."""
        entry = self._entries.get(identity_key(reference))
        return None if entry is None else entry.rule

    def forget(self, rule: Rule) -> None:
        """Take back that a rule compiled."""
        self._entries[identity_key(rule.id)].rule = None
