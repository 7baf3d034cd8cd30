"""Remembering what a pure function gave, so that what logs say again and again is worked out once.

Only speed depends on it. What is remembered is bounded in number and in length, since attackers write logs;
what is longer is worked out each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

ENTRIES = 16_384
LONGEST = 256
"""Characters of a text for which something is remembered: no host name, account or time has more."""


def remembered(function: Callable[[str], T]) -> Callable[[str], T]:
    """Give a function that gives the same: of the text alone, and what nobody may change."""
    known = lru_cache(maxsize=ENTRIES)(function)

    def recall(text: str) -> T:
        return known(text) if len(text) <= LONGEST else function(text)

    return recall
