"""Lists of values that rules refer to by name, as `field|expand: '%name%'` (Sigma 2.1, `expand`).

Sigma has the placeholder and leaves to others what fills it in; this is what does here. A list is a document
of its own:

    list: watched_hosts
    owner: …
    reason: …
    expires: 2027-03-31
    values: [a.example, "*.b.example"]

Events after its last day see it as empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from streams.detect.document import Document
from streams.rule import LIST, Mandate, ValueList

PLACEHOLDER = re.compile(r"%([A-Za-z0-9_-]+)%")
_KEYS = {LIST, "description", "values", *Mandate.model_fields}
_NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(slots=True)
class Lists:
    """The lists of a book by their names, and which of them a rule refers to."""

    by_name: dict[str, ValueList] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def add(self, document: Document) -> None:
        """Read a list.

        Raises:
            RefusedError: it is not as a list must be.
        """
        found = list_of(document)
        if found.name in self.by_name:
            first = self.by_name[found.name].place
            raise document.refuse(f"the list `{found.name}` stands at {first} already", LIST)
        self.by_name[found.name] = found

    def use(self, name: str) -> ValueList | None:
        """Give a list that a rule refers to."""
        self.used.add(name)
        return self.by_name.get(name)

    def unused(self) -> Iterable[ValueList]:
        """Give the lists that no rule refers to."""
        return (one for name, one in self.by_name.items() if name not in self.used)


def list_of(document: Document) -> ValueList:
    """Read a list's document.

    Raises:
        RefusedError: it is not as a list must be.
    """
    content = document.content
    for key in content:
        if key not in _KEYS:
            raise document.refuse(f"`{key}` is not part of a list", key)
    name, values = content[LIST], content.get("values")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise document.refuse("a list's name is made of letters, digits, _ and -", LIST)
    if not isinstance(values, list) or not values:
        raise document.refuse("a list has `values`, at least one", "values")
    for index, value in enumerate(values):
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise document.refuse("a value of a list is text or a number", "values", index)
    stated = {key: content[key] for key in Mandate.model_fields if key in content}
    return ValueList(name, document.at(), mandate_of(stated, document), tuple(values))


def mandate_of(stated: Any, document: Document, *path: str) -> Mandate:
    """Read who answers for something, why it is there, and until when; `path` leads to what is stated.

    Raises:
        RefusedError: one of them is missing, or not as it must be.
    """
    try:
        return Mandate.model_validate(stated)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        text = "; ".join(f"{'.'.join(map(str, (*path, *p['loc'])))}: {p['msg']}" for p in problems)
        raise document.refuse(text, *path, *problems[0]["loc"]) from None
