"""The shape that an event has outside: nested ECS JSON."""

from __future__ import annotations

from typing import Any

from streams.event import Event, Fields, Value, as_list, nested

_ATTACHMENTS = "email.attachments."


def document(event: Event) -> dict[str, Any]:
    """Give an event as nested ECS, each attachment an object of its own."""
    fields: dict[str, Any] = dict(event.fields)
    attachments = attachments_of(event.fields)
    if attachments is not None:
        fields = {name: value for name, value in fields.items() if not name.startswith(_ATTACHMENTS)}
        fields["email.attachments"] = attachments
    return nested(fields)


def attachments_of(fields: Fields) -> list[dict[str, Any]] | None:
    """Zip the parallel lists of the attachments' fields into one object for each attachment.

    None where there are none, or where the lists differ in length, so that nobody's size is told of another.
    """
    columns: dict[str, list[Value]] = {
        name.removeprefix(_ATTACHMENTS): list(as_list(value))
        for name, value in fields.items()
        if name.startswith(_ATTACHMENTS)
    }
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1 or "email.attachments" in fields:
        return None
    return [
        nested({name: value for name, value in zip(columns, row, strict=True) if value is not None})
        for row in zip(*columns.values(), strict=True)
    ]
