"""What atoms ask of an event, worked out once for each event however many rules ask."""

from __future__ import annotations

from streams.detect.text import as_text, fold
from streams.event import Event, Scalar, as_list

Names = tuple[str, ...]
"""The fields that stand for a rule's field, the first that the event has counts (see `fields`)."""


class EventView:
    """An event's fields by name, as values, as text, and as text without case.

    The whole event, in which keywords are searched for, leaves out what is ours: the identity that we gave it
    and all under `outfall.`, such as pseudonyms, since none of it stood in the log.
    """

    __slots__ = ("_all_folded", "_all_texts", "_fields", "_folded", "_id", "_texts")

    def __init__(self, event: Event) -> None:
        self._id = event.id
        self._fields = event.fields
        self._texts: dict[Names, list[str]] = {}
        self._folded: dict[Names, list[str]] = {}
        self._all_texts: list[str] | None = None
        self._all_folded: list[str] | None = None

    def exists(self, names: Names) -> bool:
        """Tell whether a field is there at all, also as an object with fields of its own."""
        return self._key(names) is not None or self._is_object(names)

    def is_null(self, names: Names) -> bool:
        """Tell whether a field is absent or null, or a list with a null."""
        key = self._key(names)
        if key is None:
            return not self._is_object(names)
        value = self._fields[key]
        return value is None or (isinstance(value, list) and (not value or None in value))

    def values(self, names: Names) -> list[Scalar]:
        """Give a field's values without the nulls."""
        key = self._key(names)
        return [] if key is None else [value for value in as_list(self._fields[key]) if value is not None]

    def texts(self, names: Names | None, *, cased: bool) -> list[str]:
        """Give a field's values as text, or those of the whole event."""
        if names is None:
            return self._whole(cased=cased)
        store = self._texts if cased else self._folded
        found = store.get(names)
        if found is None:
            found = [as_text(value) for value in self.values(names)]
            if not cased:
                found = [fold(text) for text in found]
            store[names] = found
        return found

    def _whole(self, *, cased: bool) -> list[str]:
        if self._all_texts is None:
            self._all_texts = [
                as_text(value)
                for key, values in self._fields.items()
                if not (key.startswith("outfall.") or (key == "event.id" and values == self._id))
                for value in as_list(values)
                if value is not None
            ]
        if cased:
            return self._all_texts
        if self._all_folded is None:
            self._all_folded = [fold(text) for text in self._all_texts]
        return self._all_folded

    def _key(self, names: Names) -> str | None:
        return next((name for name in names if name in self._fields), None)

    def _is_object(self, names: Names) -> bool:
        prefixes = tuple(f"{name}." for name in names)
        return any(key.startswith(prefixes) for key in self._fields)
