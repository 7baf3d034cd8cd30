"""The sources: one file for each log, with the functions that make its lines."""

from __future__ import annotations

from typing import NamedTuple


class Source(NamedTuple):
    """A log: its file under `logs/`, its format's name, and how late its events may be."""

    file: str
    format: str
    lateness: str = "1h"


SOURCES: dict[str, Source] = {
    "proxy": Source("proxy.log", "squid_extended"),
    "zscaler": Source("zscaler.jsonl", "zscaler_web"),
    "mail": Source("mail.log", "postfix"),
    "gateway": Source("gateway.jsonl", "ecs"),
    "message_trace": Source("message_trace.jsonl", "message_trace"),
    "m365": Source("m365.jsonl", "o365_audit", "24h"),
    "drive": Source("drive.jsonl", "google_drive"),
    "case_system": Source("case_system.jsonl", "case_system"),
    "windows": Source("windows.jsonl", "windows_event"),
}
