"""ECS documents, which need no translation.

ECS 9: https://www.elastic.co/docs/reference/ecs
"""

from __future__ import annotations

import itertools

from streams.event import Fields, LogSource, Scalar, Value, as_list, first, flatten, strings
from streams.normalise.any_json import TIME, document_time
from streams.normalise.base import Context, Parsed
from streams.normalise.content_identity import file_identities
from streams.normalise.json_record import load_object, try_object
from streams.normalise.values import present, text

_DATASETS = {
    "o365.audit": LogSource(None, "m365", "audit"),
    "google_workspace.drive": LogSource(None, "google_workspace", "drive"),
    "system.security": LogSource(None, "windows", "security"),
    "windows.security": LogSource(None, "windows", "security"),
    "windows.sysmon_operational": LogSource(None, "windows", "sysmon"),
    "windows.powershell": LogSource(None, "windows", "powershell-classic"),
    "windows.powershell_operational": LogSource(None, "windows", "powershell"),
    "aws.cloudtrail": LogSource(None, "aws", "cloudtrail"),
    "azure.auditlogs": LogSource(None, "azure", "auditlogs"),
    "azure.signinlogs": LogSource(None, "azure", "signinlogs"),
    "azure.activitylogs": LogSource(None, "azure", "activitylogs"),
    "okta.system": LogSource(None, "okta", "okta"),
}
_CATEGORIES = {
    ("process", "start"): "process_creation",
    ("file", "creation"): "file_event",
    ("file", "deletion"): "file_delete",
}
"""By `event.category` and `event.type`; the product is the host's operating system."""
_MOVED = {"email": "email.attachments.file", "web": "file", "share": "file", "removable": "file"}
"""Which files an event of a channel moves or sends."""
_CHANNELS = {"web": "proxy", "email": "email"}


class Ecs:
    """One ECS document a line, nested or with dotted keys."""

    name = "ecs"
    summary = "ECS JSON, nested or with dotted keys, one document a line"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if '"@timestamp"' not in line:
            return False
        document = try_object(line) or {}
        return TIME in document and len(document) > 1

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        fields = flatten(load_object(line))
        fields.update(_derived(fields))
        time, untimed = document_time(fields, line, context)
        return Parsed(
            fields=fields,
            time=time,
            id=text(first(fields.get("event.id"))),
            logsources=_log_sources(fields),
            untimed=untimed,
        )


def _derived(fields: Fields) -> Fields:
    """Give our own fields where a document has only the ECS ones that say the same."""
    categories = strings(fields.get("event.category"))
    channel: Value = None
    if "email" in categories:
        channel = "email"
    elif "web" in categories and "url.domain" in fields:
        channel = "web"
    size = first(fields.get("http.request.bytes"))
    moved = _MOVED.get(text(first(fields.get("outfall.channel"))) or text(channel) or "")
    wanted: Fields = present(
        {
            "outfall.bytes": size if channel == "web" else None,
            "outfall.channel": channel,
            "outfall.content.carries": _identities(fields, moved) if moved else None,
        }
    )
    return {name: value for name, value in wanted.items() if fields.get(name) is None}


def _identities(fields: Fields, prefix: str) -> list[Scalar] | None:
    """Give the content identities of all files under a prefix, whose lists run in parallel.

    A list of another length than the longest tells nothing: which file's it is has been lost.
    """
    columns = [as_list(fields.get(f"{prefix}.{part}")) for part in ("name", "size", "hash.sha256")]
    files = max(map(len, columns))
    aligned = [values if len(values) == files else [None] * files for values in columns]
    found: list[Scalar] = []
    for name, size, digest in zip(*aligned, strict=True):
        found += file_identities(text(name), size if isinstance(size, int) else None, text(digest))
    return found or None


def _log_sources(fields: Fields) -> tuple[LogSource, ...]:
    """Give the log sources that are plain from the dataset, from category with type, and from the channel."""
    datasets, channels = strings(fields.get("event.dataset")), strings(fields.get("outfall.channel"))
    product = text(first(fields.get("host.os.type")))
    kinds = itertools.product(strings(fields.get("event.category")), strings(fields.get("event.type")))
    found = [
        *(_DATASETS[dataset] for dataset in datasets if dataset in _DATASETS),
        *(LogSource(_CATEGORIES[kind], product) for kind in kinds if kind in _CATEGORIES),
        *(LogSource(_CHANNELS[channel]) for channel in channels if channel in _CHANNELS),
    ]
    return tuple(dict.fromkeys(found))
