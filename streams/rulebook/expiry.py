"""Exceptions and lists over time: which have expired, which soon will, and which nothing refers to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from streams.detect.book import RuleBook
from streams.errors import Place
from streams.rule import Mandate
from streams.rulebook.house import Finding

WARNING = dt.timedelta(days=30)
"""So long before an exception or a list expires it is told."""


def mandates(book: RuleBook) -> Iterator[tuple[str, Place, Mandate]]:
    """Give all exceptions and lists of a book: what each is called, where it stands, and its mandate."""
    for rule in book.exceptions:
        if rule.mandate is not None:
            yield f"the exception {rule.label}", rule.place, rule.mandate
    for one in book.lists:
        yield f"the list {one.name}", one.place, one.mandate


def expiries(book: RuleBook, today: dt.date) -> list[Finding]:
    """Tell of what has expired, what will within `WARNING`, and of lists that no rule refers to."""
    found: list[Finding] = []
    for name, place, mandate in mandates(book):
        if mandate.expires < today:
            message = f"{name} expired on {mandate.expires} and does nothing any more; ask {mandate.owner}"
            found.append(Finding("expired", place, message))
        elif mandate.expires - today <= WARNING:
            message = f"{name} expires on {mandate.expires}; ask {mandate.owner}"
            found.append(Finding("expiring", place, message))
    return found + [
        Finding("unused-list", one.place, f"no rule refers to the list {one.name}")
        for one in book.unused_lists
    ]
