"""What atoms ask of an event, worked out once for each event however many rules ask."""

from __future__ import annotations

from streams.detect.text import as_text, fold
from streams.event import Event, Fields, Scalar, as_list

Names = tuple[str, ...]
"""The fields that stand for a rule's field, the first that the event has counts (see `fields`)."""

BETWEEN = "\x00"
"""What stands between texts that are searched together: a literal without it lies within one of them."""


class EventView:
    """An event's fields by name, as values, as text, and as text without case.

    The whole event, in which keywords are searched for, leaves out what is ours: the identity that we gave it
    and all under `outfall.`, such as pseudonyms, since none of it stood in the log.
    """

    __slots__ = ("_fields", "_folded", "_id", "_joined", "_texts", "time")

    def __init__(self, event: Event) -> None:
        self.time = event.time
        self._id = event.id
        self._fields = event.fields
        self._texts: dict[Names | None, list[str]] = {}
        self._folded: dict[Names | None, list[str]] = {}
        self._joined: dict[bool, str] | None = None

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
        for name in names:
            if name in self._fields:
                return [value for value in as_list(self._fields[name]) if value is not None]
        return []

    def texts(self, names: Names | None, *, cased: bool) -> list[str]:
        """Give a field's values as text, or those of the whole event."""
        store = self._texts if cased else self._folded
        found = store.get(names)
        if found is None:
            if not cased:
                found = [fold(text) for text in self.texts(names, cased=True)]
            elif names is None:
                found = _texts_of_all(self._fields, self._id)
            else:
                found = [as_text(value) for value in self.values(names)]
            store[names] = found
        return found

    def joined(self, *, cased: bool) -> str:
        """Give the texts of the whole event as one, with `BETWEEN` between them."""
        if self._joined is None:
            text = BETWEEN.join(self.texts(None, cased=True))
            self._joined = {True: text, False: fold(text)}
        return self._joined[cased]

    def _key(self, names: Names) -> str | None:
        for name in names:
            if name in self._fields:
                return name
        return None

    def _is_object(self, names: Names) -> bool:
        prefixes = tuple(f"{name}." for name in names)
        return any(key.startswith(prefixes) for key in self._fields)


def _texts_of_all(fields: Fields, own_id: str) -> list[str]:
    """Give the texts of all values that stood in the log."""
    texts: list[str] = []
    for key, value in fields.items():
        if key[:8] == "outfall.":  # not `startswith`: this runs over every field of many events
            continue
        if type(value) is str:
            texts.append(value)
        else:
            texts += [as_text(element) for element in as_list(value) if element is not None]
    if fields.get("event.id") == own_id:
        texts.remove(own_id)
    return texts
