"""State of the pure middle that outlives a process, as tables whose changes a shell can save.

A stateful step keeps its state in `Table`s and nowhere else. After a batch the shell drains the changes and
saves them together with the positions of the sources, in one transaction; at the start it restores them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import orjson

Row = TypeVar("Row")


class Change(NamedTuple):
    """The new encoded value of one key of one table, or None where the key was deleted."""

    table: str
    key: str
    value: bytes | None


class Saved(Protocol):
    """What a shell saves of a step's state and restores."""

    name: str

    def drain(self) -> list[Change]:
        """Give the changes since the last call, in the order in which the keys were first touched."""
        ...

    def restore(self, key: str, value: bytes) -> None:
        """Put back a saved row; it does not count as a change."""
        ...


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


class EncodedTable:
    """A table of JSON values that are held as they are saved: smaller, and decoded when they are read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows: dict[str, bytes] = {}
        self._changed: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __getitem__(self, key: str) -> Any:
        return orjson.loads(self._rows[key])

    def __setitem__(self, key: str, value: Any) -> None:
        self._rows[key] = bytes(memoryview(orjson.dumps(value)))  # a copy: what orjson gives is too large
        self._changed[key] = None

    def __delitem__(self, key: str) -> None:
        del self._rows[key]
        self._changed[key] = None

    def drain(self) -> list[Change]:
        """Give the changes since the last call, in the order in which the keys were first touched."""
        changes = [Change(self.name, key, self._rows.get(key)) for key in self._changed]
        self._changed.clear()
        return changes

    def restore(self, key: str, value: bytes) -> None:
        """Put back a saved row; it does not count as a change."""
        self._rows[key] = value


class Journal(Generic[Row]):
    """A table that does not hold its rows, for what lives elsewhere: it only knows what changed.

    `write` gives the JSON value of a row. Restored rows wait until `take_restored` gives them away.
    """

    def __init__(self, name: str, write: Callable[[Row], Any]) -> None:
        self.name = name
        self._write = write
        self._changed: dict[str, Row | None] = {}
        self._restored: dict[str, bytes] = {}

    def put(self, key: str, row: Row) -> None:
        """Take note of a new or changed row."""
        self._changed[key] = row

    def delete(self, key: str) -> None:
        """Take note that a row is gone."""
        self._changed[key] = None

    def drain(self) -> list[Change]:
        """Give the changes since the last call, in the order in which the keys were first touched."""
        changes = [
            Change(self.name, key, None if row is None else orjson.dumps(self._write(row)))
            for key, row in self._changed.items()
        ]
        self._changed.clear()
        return changes

    def restore(self, key: str, value: bytes) -> None:
        """Put back a saved row; it does not count as a change."""
        self._restored[key] = value

    def take_restored(self) -> Iterator[tuple[str, Any]]:
        """Give the restored rows, each once."""
        restored, self._restored = self._restored, {}
        return ((key, orjson.loads(value)) for key, value in restored.items())
