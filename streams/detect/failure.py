"""What is said of a rule that raised on an event: never anything that the event holds."""

from __future__ import annotations


def failure_reason(error: Exception) -> str:
    """Give the kind of an error, and where its class has one the explanation that goes with it."""
    kind = type(error).__name__
    explanation = getattr(error, "explanation", None)
    return kind if explanation is None else f"{kind}: {explanation}"
