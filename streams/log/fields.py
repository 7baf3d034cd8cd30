"""The fields that our own lines may have. What is not listed is not shown: a value may be somebody's name."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from pathlib import PurePath
from typing import Any

PLACES: dict[str, str] = {
    "topic": "a Kafka topic",
    "partition": "the number of a partition",
    "source": "a source's name, as configured",
    "stage": "a step of a record's way",
    "rule": "a rule's id",
    "place": "file, line and column of a rule or a setting",
    "table": "a table of a step's state",
    "limit": "a setting under `limits`",
    "alert": "an alert's id",
    "sink": "who delivers: index, index-events or page",
    "dead_letter": "a dead letter's place: topic, partition and offset",
}
"""The fields that say where; lines that differ in one of them are different lines to `limit`."""

FIELDS: dict[str, str] = PLACES | {
    # how many, how long
    "records": "a number of records",
    "events": "a number of events",
    "rows": "a number of rows of state",
    "rules": "a number of rules",
    "refused": "a number of rules that do not run",
    "failures": "a number of events on which a rule failed",
    "bytes": "a number of bytes",
    "count": "a number of what the sentence says",
    "attempts": "how often it was tried",
    "percent": "how much of it is done",
    "seconds": "how long it took, or will take",
    "offset": "a position in a partition",
    # what
    "partitions": "partitions, each as topic/number",
    "reason": "a sentence of our own: why",
    "setting": "a setting's name",
    "path": "a file or folder of the configuration",
    "listen": "an address that is listened at",
    "brokers": "addresses of Kafka's brokers",
    "group": "a consumer group of Kafka",
    "signal": "a signal that the process got",
    "version": "outfall's version",
    "rule_book": "the hash of all rules",
    "configuration": "the hash of the settings and the enrichment",
    # set by the log itself
    "error": "the type of an exception",
    "error_text": "what the exception says, where that cannot hold what a record says",
    "traceback": "where it was raised: file, line and function, the innermost last",
    "line": "a line of which more would have been written",
    "suppressed": "how many more",
}
"""Each field with its meaning; docs/logs.md lists them."""

LONGEST = 500
"""Characters of a text that are shown, and the number of elements of a list."""

_UNKNOWN = "(not shown: no field of the log)"


def shown(name: str, value: Any) -> Any:
    """Give what is shown of a field's value."""
    return tamed(value) if name in FIELDS else _UNKNOWN


def tamed(value: Any) -> Any:
    """Give a value as JSON can hold it, bounded; of an object that is not plain, the type."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | PurePath):
        return bounded(str(value))
    if isinstance(value, list | tuple | AbstractSet):
        return [tamed(each) for each in list(value)[:LONGEST]]
    return f"({type(value).__name__})"


def bounded(text: str) -> str:
    """Cut a text that is too long."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
