"""Exceptions and lists over time: which have expired, which soon will, and which nothing refers to."""

from __future__ import annotations

import datetime as dt

from streams.detect.book import RuleBook
from streams.rulebook.house import Finding

WARNING = dt.timedelta(days=30)
"""So long before an exception or a list expires it is told."""


def expiries(book: RuleBook, today: dt.date) -> list[Finding]:
    """Tell of what has expired, what will within `WARNING`, and of lists that no rule refers to."""
    found: list[Finding] = []
    for kind, name, place, mandate in book.mandates:
        what = f"the {kind} {name}"
        if mandate.expires < today:
            message = f"{what} expired on {mandate.expires} and does nothing any more; ask {mandate.owner}"
            found.append(Finding("expired", place, message))
        elif mandate.expires - today <= WARNING:
            message = f"{what} expires on {mandate.expires}; ask {mandate.owner}"
            found.append(Finding("expiring", place, message))
    return found + [
        Finding("unused-list", one.place, f"no rule refers to the list {one.name}")
        for one in book.unused_lists
    ]
