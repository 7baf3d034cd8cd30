"""An event as it is kept for hunting, and back: nested ECS, and where it was read and what the rules need.

What ECS has no field for stands under `outfall.origin` (source, stream, offset, line), `outfall.logsources`
(each as `category/product/service`) and `outfall.marks`. So the rules can be run on it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from streams.errors import RecordError
from streams.event import Event, Fields, LogSource, Origin, flatten
from streams.normalise.rim import document
from streams.normalise.time import parse_time

_ORIGIN, _LOGSOURCES, _MARKS = "origin", "logsources", "marks"
_ATTACHMENTS = "attachments"


def kept(event: Event) -> dict[str, Any]:
    """Give the document of an event."""
    made = document(event)
    ours = made.setdefault("outfall", {})
    ours[_ORIGIN] = asdict(event.origin)
    ours[_LOGSOURCES] = ["/".join(part or "" for part in source) for source in event.logsources]
    if event.marks:
        ours[_MARKS] = list(event.marks)
    return made


def event_of(identity: str, made: Mapping[str, Any]) -> Event:
    """Give the event of a document.

    Raises:
        RecordError: it is none; the reason tells nothing of its content.
    """
    try:
        ours = made["outfall"]
        origin = Origin(**ours[_ORIGIN])
        sources = tuple(LogSource(*(part or None for part in text.split("/"))) for text in ours[_LOGSOURCES])
        marks = tuple(map(str, ours.get(_MARKS, ())))
        time = parse_time(made["@timestamp"])
        rest = {name: value for name, value in ours.items() if name not in (_ORIGIN, _LOGSOURCES, _MARKS)}
        fields = flatten({**made, "outfall": rest} if rest else _without(made, "outfall"))
        mail = made.get("email")
        if isinstance(mail, Mapping) and isinstance(mail.get(_ATTACHMENTS), list):
            fields |= _attachments(mail[_ATTACHMENTS])
    except (KeyError, TypeError, AttributeError, RecordError) as error:
        raise RecordError(f"not an event that was kept whole: {type(error).__name__}") from None
    return Event(identity, time, fields, origin, sources, marks)


def _without(made: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in made.items() if key != name}


def _attachments(listed: list[Any]) -> Fields:
    """Give the parallel lists of the attachments' fields, with null where one lacks a field."""
    flat = [flatten(one) for one in listed]
    names = dict.fromkeys(name for one in flat for name in one)
    columns: Fields = {}
    for name in names:
        values = [one.get(name) for one in flat]
        columns[f"email.{_ATTACHMENTS}.{name}"] = [None if isinstance(v, list) else v for v in values]
    return columns
