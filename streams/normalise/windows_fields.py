"""Who, from where and which process: the ECS fields that any Windows event may give by its data's names."""

from __future__ import annotations

from streams.event import Fields, Value
from streams.normalise.address import clean_ip
from streams.normalise.content_identity import sha256_or_none
from streams.normalise.values import number, present, text
from streams.normalise.windows_record import WindowsRecord
from streams.normalise.windows_tables import PRINT, SECURITY, SYSMON

_LOGONS = frozenset({4624, 4625, 4634, 4647})
"""Security events whose actor is the target: the subject is the machine that let them in."""
_HASHES = {"md5": 32, "sha1": 40, "sha256": 64}
"""Algorithms that ECS has a field for, with the length of their digest in hexadecimal."""
_MAX_HEX = 16


def ecs_fields(record: WindowsRecord, channel: str) -> Fields:
    """Give `user.*`, `source.*`, `destination.*`, `dns.*` and `process.*`. `channel` is in lower case."""
    data = record.data
    fields = _users(record, channel) | _process(data, channel, record.event_id)
    return fields | present(
        {
            "source.ip": clean_ip(
                told(data, "IpAddress") or told(data, "SourceIp") or told(data, "ClientAddress")
            ),
            "source.port": number(told(data, "IpPort") or told(data, "SourcePort")),
            "source.domain": (told(data, "Param4") or "").lstrip("\\") or None if channel == PRINT else None,
            "destination.ip": clean_ip(told(data, "DestinationIp")),
            "destination.port": number(told(data, "DestinationPort")),
            "destination.domain": told(data, "DestinationHostname"),
            "dns.question.name": told(data, "QueryName"),
        }
    )


def told(data: Fields, name: str) -> str | None:
    """Give a datum as text; None where the event says `-`, its word for nothing."""
    value = text(data.get(name))
    return None if value == "-" else value


def base_name(path: str | None) -> str | None:
    """Give what stands after the last separator of a path."""
    return path.replace("/", "\\").rpartition("\\")[2] or None if path else None


def hashes(value: Value, prefix: str) -> Fields:
    """Give Sysmon's `SHA1=…,SHA256=…` as ECS fields under a prefix (`file.hash`), in lower case."""
    fields: Fields = {}
    for part in (text(value) or "").split(","):
        algorithm, _, digest = part.strip().partition("=")
        if _HASHES.get(algorithm.lower()) == len(digest) and digest.isalnum():
            fields[f"{prefix}.{algorithm.lower()}"] = digest.lower()
    if sha256_or_none(text(fields.get(f"{prefix}.sha256"))) is None:
        fields.pop(f"{prefix}.sha256", None)
    return fields


def hex_number(value: str | None) -> int | None:
    """Give a number that is written in decimal or as `0x…`."""
    if value is None or not value.lower().startswith("0x") or len(value) > _MAX_HEX:
        return number(value)
    try:
        return int(value, 16)
    except ValueError:
        return None


def _users(record: WindowsRecord, channel: str) -> Fields:
    """Say who did it, and to whom where the event tells.

    The account that the event was logged under counts only when nobody else is named: often it is a
    service's own, such as Sysmon's.
    """
    data = record.data
    target = _person(data, "Target")
    subject = _person(data, "Subject")
    written = (
        told(data, "User") or told(data, "SourceUser") or (told(data, "Param3") if channel == PRINT else None)
    )
    if target and (not subject or (channel == SECURITY and record.event_id in _LOGONS)):
        actor, target = target, {}
    elif subject:
        actor = subject
    elif written is not None:
        domain, slash, name = written.partition("\\")
        actor = {"name": name, "domain": domain} if slash else {"name": written}
    else:
        actor = {"name": record.account[0], "domain": record.account[1], "id": record.sid}
    return present(
        {f"user.{part}": value for part, value in actor.items()}
        | {f"user.target.{part}": value for part, value in target.items()}
    )


def _person(data: Fields, who: str) -> dict[str, str | None]:
    """Give the subject or the target; nothing where its name is not told."""
    name = told(data, f"{who}UserName")
    if name is None:
        return {}
    sid = told(data, f"{who}UserSid") or told(data, f"{who}Sid")
    return {"name": name.partition("@")[0], "domain": told(data, f"{who}DomainName"), "id": sid}


def _process(data: Fields, channel: str, event_id: int) -> Fields:
    if (channel, event_id) == (SECURITY, 4688):
        path, pid = told(data, "NewProcessName"), told(data, "NewProcessId")
        parent, parent_pid = told(data, "ParentProcessName"), told(data, "ProcessId")
    else:
        path, pid = told(data, "Image") or told(data, "ProcessName"), told(data, "ProcessId")
        parent, parent_pid = told(data, "ParentImage"), told(data, "ParentProcessId")
    if path is None:
        return {}
    own_hashes = hashes(data.get("Hashes"), "process.hash") if (channel, event_id) == (SYSMON, 1) else {}
    return own_hashes | present(
        {
            "process.executable": path,
            "process.name": base_name(path),
            "process.pid": hex_number(pid),
            "process.entity_id": told(data, "ProcessGuid"),
            "process.command_line": told(data, "CommandLine"),
            "process.parent.executable": parent,
            "process.parent.name": base_name(parent),
            "process.parent.pid": hex_number(parent_pid) if parent is not None else None,
            "process.parent.command_line": told(data, "ParentCommandLine"),
        }
    )
