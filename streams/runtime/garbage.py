"""Python's search for garbage in cycles, for a process that loads rules once and then sees events pass."""

from __future__ import annotations

import gc

_ALLOCATIONS = 50_000
"""Objects made, beyond those freed, before it is looked for cycles; events are freed without that."""


def spare_garbage_collection() -> None:
    """Leave what is loaded out of all later searches, and search seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
