"""Any JSON exactly as it is, and the time of documents that are taken so."""

from __future__ import annotations

from streams.errors import RecordError
from streams.event import Fields, first, flatten
from streams.normalise.base import Context, Parsed
from streams.normalise.json_record import load_object
from streams.normalise.time import parse_time
from streams.normalise.values import text

TIME = "@timestamp"
"""Where the time stands unless another field is named."""


class Json:
    """Any JSON object a line, taken exactly as it is; `time_field` and `id_field` say what is what."""

    name = "json"
    summary = "any JSON objects, taken as they are; time and identity from the fields that are named"

    def recognises(self, line: str) -> bool:  # noqa: ARG002 - the interface's
        """Never: nothing tells what such a document means."""
        return False

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        fields = flatten(load_object(line))
        time, untimed = document_time(fields, line, context)
        return Parsed(
            fields=fields,
            time=time,
            id=text(first(fields.get(context.id_field))) if context.id_field else None,
            untimed=untimed,
            verbatim=True,
        )


def document_time(fields: Fields, line: str, context: Context) -> tuple[int | None, str | None]:
    """Read the time, exactly also where it is a fraction; where there is none give the reason instead."""
    name = context.time_field or TIME
    value = first(fields.get(name))
    if value is None:
        return None, f"{name} is missing, and with it the time"
    if isinstance(value, float):
        value = first(flatten(load_object(line, fractions_as_text=True)).get(name))
    try:
        return parse_time(value, context.zone), None
    except RecordError as error:
        return None, f"{name}: {error}"
