"""What an event is marked with where enrichment could not do all, or had to infer; alerts show it."""

from __future__ import annotations

from streams.event import Event

CONTENT_INFERRED = "content_inferred"
"""An upload is taken to be of the file that the person's browser had just read."""
LINEAGE_TOO_LONG = "lineage_too_long"
"""The content went through too many hands to be followed exactly."""
PATTERNS_SEARCHED_PART = "patterns_searched_part"
"""A value was too long for the patterns of subjects.toml to search it whole."""
UPLOAD_SIZE_UNKNOWN = "upload_size_unknown"
"""The proxy does not log the size of an upload's request."""


def mark(event: Event, what: str) -> None:
    """Add a mark to an event, once."""
    if what not in event.marks:
        event.marks += (what,)
