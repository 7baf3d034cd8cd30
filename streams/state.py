"""State of the pure middle that outlives a process, as tables whose changes a shell can save.

A stateful step keeps its state in `Table`s and nowhere else. After a batch the shell drains the changes and
saves them together with the positions of the sources, in one transaction; at the start it restores them.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any, NamedTuple

import orjson


class Change(NamedTuple):
    """The new encoded value of one key of one table, or None where the key was deleted."""

    table: str
    key: str
    value: bytes | None


class Table(MutableMapping[str, Any]):
    """A mapping from text to JSON values that remembers which keys changed.

    A value that is altered in place must be assigned again to count as changed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows: dict[str, Any] = {}
        self._changed: dict[str, None] = {}

    def __getitem__(self, key: str) -> Any:
        return self._rows[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._rows[key] = value
        self._changed[key] = None

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._changed[key] = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def drain(self) -> list[Change]:
        """Give the changes since the last call, in the order in which the keys were first touched."""
        changes = [
            Change(self.name, key, orjson.dumps(self._rows[key]) if key in self._rows else None)
            for key in self._changed
        ]
        self._changed.clear()
        return changes

    def restore(self, key: str, value: bytes) -> None:
        """Put back a saved row; it does not count as a change."""
        self._rows[key] = orjson.loads(value)
