"""The audit of a case-management system, in the form that docs/formats/case_system.md defines."""

from __future__ import annotations

from typing import Any

from streams.errors import RecordError
from streams.event import Fields, LogSource
from streams.normalise.address import account, clean_ip, is_mail
from streams.normalise.base import Context, Parsed
from streams.normalise.content_identity import extension, file_identities, sha256_or_none
from streams.normalise.json_record import child, load_object, objects, try_object
from streams.normalise.time import parse_rfc3339
from streams.normalise.values import number, present, text, texts, within

ACTIONS = frozenset({"record.opened", "record.updated", "record.exported", "record.printed", "search"})
_MAKES_A_FILE = frozenset({"record.exported", "record.printed"})
_OUTCOMES = frozenset({"success", "failure"})


class CaseSystem:
    """One JSON object a line: who opened, changed, exported, printed or searched which people's records."""

    name = "case_system"
    summary = "a case-management system's audit as documented JSON (docs/formats/case_system.md)"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        if '"actor"' not in line or '"action"' not in line:
            return False
        document = try_object(line) or {}
        action = document.get("action")
        return isinstance(action, str) and action in ACTIONS and "account" in child(document, "actor")

    def parse(self, line: str, context: Context) -> Parsed:  # noqa: ARG002 - the interface's
        """See the interface."""
        document = load_object(line)
        action = _needed(document, "action")
        if action not in ACTIONS:
            raise RecordError("action is none of " + ", ".join(sorted(ACTIONS)))
        outcome = document.get("outcome", "success")
        if not isinstance(outcome, str) or outcome not in _OUTCOMES:
            raise RecordError("outcome is neither success nor failure")
        fields = present(
            {
                "event.action": action,
                "event.outcome": outcome,
                "outfall.channel": "case_system",
                "outfall.verdict": "allowed" if outcome == "success" else "blocked",
                "source.ip": clean_ip(text(child(document, "client").get("ip"))),
                "host.name": text(child(document, "client").get("host")),
            }
        )
        with within("time"):
            time = parse_rfc3339(_needed(document, "time"))
        fields |= _actor(document) | _records(document) | _file(child(document, "file"), action)
        return Parsed(
            fields=fields,
            time=time,
            id=_needed(document, "id"),
            logsources=(LogSource("case_system", "case_system"),),
        )


def _needed(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip():
        raise RecordError(f"{key} is missing or is no text")
    return value.strip()


def _actor(document: dict[str, Any]) -> Fields:
    actor = child(document, "actor")
    name, domain, mail = account(text(actor.get("account")))
    if name is None:
        raise RecordError("actor.account is missing or is no text")
    stated = text(actor.get("email"))
    email = stated if is_mail(stated) else mail
    return present({"user.name": name, "user.domain": domain, "user.email": email})


def _records(document: dict[str, Any]) -> Fields:
    listed = document.get("records")
    if listed is not None and not isinstance(listed, list):
        raise RecordError("records is no list")
    records = list(objects(listed))
    if len(records) != len(listed or []):
        raise RecordError("records holds something that is no object")
    flags = {record.get("vulnerable") for record in records if isinstance(record.get("vulnerable"), bool)}
    if any(text(record.get("record")) is None and text(record.get("person")) is None for record in records):
        raise RecordError("records holds one with neither record nor person")
    return present(
        {
            "outfall.raw.record": texts([record.get("record") for record in records]),
            "outfall.raw.subject": texts([record.get("person") for record in records]),
            "outfall.data.category": list(
                dict.fromkeys(category for record in records for category in texts(record.get("categories")))
            ),
            "outfall.data.vulnerable": (True in flags) if flags else None,
        }
    )


def _file(document: dict[str, Any], action: str) -> Fields:
    name, size = text(document.get("name")), number(document.get("size"))
    digest = sha256_or_none(text(document.get("sha256")))
    return present(
        {
            "file.name": name,
            "file.extension": extension(name),
            "file.size": size,
            "file.hash.sha256": digest,
            "outfall.content.produces": file_identities(name, size, digest)
            if action in _MAKES_A_FILE
            else None,
        }
    )
