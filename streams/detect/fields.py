"""Which fields of an event stand for a field of a Sigma rule, by the rule's log source.

Sigma's names: appendix "Taxonomy" of Sigma 2.1. A field that the event has under its Sigma name always counts
first; then the first that the event has of those here. Names are compared exactly, case included. Rules in
ECS names, as ours are, need no mapping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.event import LogSource


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """Names for some fields, and prefixes under which a format keeps everything else by its own name."""

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()

    def names_for(self, name: str) -> tuple[str, ...]:
        """Give the fields that stand for a rule's field, the one that counts first at the front."""
        found = (name, *self.names.get(name, ()), *(f"{prefix}.{name}" for prefix in self.prefixes))
        return tuple(dict.fromkeys(found))


_WINDOWS = FieldMapping(
    names={
        "Channel": ("winlog.channel",),
        "Computer": ("winlog.computer_name", "host.name"),
        "ComputerName": ("winlog.computer_name", "host.name"),
        "EventID": ("winlog.event_id", "event.code"),
        "EventRecordID": ("winlog.record_id",),
        "Level": ("winlog.level",),
        "Message": ("message",),
        "Provider_Name": ("winlog.provider_name", "event.provider"),
        "Task": ("winlog.task",),
    },
    prefixes=("winlog.event_data", "winlog.user_data"),
)

_WEB: dict[str, tuple[str, ...]] = {
    "c-ip": ("source.ip",),
    "c-uri": ("url.full", "url.original"),
    "c-uri-extension": ("url.extension",),
    "c-uri-path": ("url.path",),
    "c-uri-query": ("url.query",),
    "c-uri-stem": ("url.path",),
    "c-useragent": ("user_agent.original",),
    "cs-bytes": ("http.request.bytes",),
    "cs-host": ("url.domain", "destination.domain"),
    "cs-method": ("http.request.method",),
    "cs-referer": ("http.request.referrer",),
    "cs-referrer": ("http.request.referrer",),
    "cs-uri": ("url.full", "url.original"),
    "cs-uri-query": ("url.query",),
    "cs-uri-stem": ("url.path",),
    "cs-user-agent": ("user_agent.original",),
    "cs-username": ("user.name",),
    "cs-version": ("http.version",),
    "dst_ip": ("destination.ip",),
    "r-dns": ("url.domain", "destination.domain"),
    "r-ip": ("destination.ip",),
    "s-ip": ("destination.ip",),
    "sc-bytes": ("http.response.bytes",),
    "sc-status": ("http.response.status_code",),
    "src_ip": ("source.ip",),
}
_PROXY = FieldMapping(_WEB)
_WEBSERVER = FieldMapping(_WEB)

_M365 = FieldMapping(
    names={
        "ClientIP": ("o365.audit.ClientIP", "source.ip"),
        "Operation": ("o365.audit.Operation", "event.action"),
        "UserAgent": ("o365.audit.UserAgent", "user_agent.original"),
        "UserId": ("o365.audit.UserId", "user.id"),
        "Workload": ("o365.audit.Workload", "event.provider"),
        # SigmaHQ's rules for threat_management were written over Filebeat's fields, which are these
        "eventName": ("event.action",),
        "eventSource": ("event.provider",),
        "status": ("event.outcome",),
    },
    prefixes=("o365.audit",),
)

_GOOGLE_WORKSPACE = FieldMapping(
    names={"eventName": ("event.action",), "eventService": ("event.provider",)},
    prefixes=("google_workspace.drive",),
)

NONE = FieldMapping()
MAPPINGS: dict[str, FieldMapping] = {
    "google_workspace": _GOOGLE_WORKSPACE,
    "m365": _M365,
    "none": NONE,
    "proxy": _PROXY,
    "webserver": _WEBSERVER,
    "windows": _WINDOWS,
}
"""By name, for `--mapping`; `none` takes names as they are."""


def mapping_for(logsource: LogSource | None) -> FieldMapping:
    """Give the mapping for the rules of a log source."""
    category, product, service = ((part or "").lower() for part in logsource or LogSource())
    if category in {"proxy", "webserver"}:
        return MAPPINGS[category]
    if product == "gcp" and service.startswith("google_workspace"):
        product = "google_workspace"
    return MAPPINGS.get(product, NONE)
