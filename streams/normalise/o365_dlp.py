"""Verdicts of data loss prevention in Microsoft 365's unified audit.

Schema "DLP" of the Office 365 Management Activity API. `SensitiveInformationDetections` hold what was found,
personal data; nothing of it is taken over, only how much was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streams.event import Fields
from streams.normalise.address import is_mail, mail_addresses
from streams.normalise.content_identity import extension
from streams.normalise.json_record import child, objects
from streams.normalise.values import items, number, present, text, texts

_OPERATIONS = frozenset({"dlprulematch", "dlpruleundo", "dlpinfo"})


def dlp_verdict(record: dict[str, Any]) -> Fields:
    """Give the message or file, the number of matches and the verdict; nothing for another record."""
    operation = (text(record.get("Operation")) or "").lower()
    if operation not in _OPERATIONS:
        return {}
    rules = list(_rules(record))
    blocked = (
        operation != "dlpruleundo"
        and not record.get("ExceptionInfo")
        and any(
            "BlockAccess" in items(rule.get("Actions"))
            and not (text(rule.get("RuleMode")) or "").lower().startswith("audit")
            for rule in rules
        )
    )
    fields = present(
        {
            "event.outcome": "failure" if blocked else "success",
            "outfall.verdict": "blocked" if blocked else "allowed",
            "outfall.raw.anonymous": max((count for rule in rules for count in _counts(rule)), default=None),
            "rule.name": texts([rule.get("RuleName") for rule in rules]),
        }
    )
    return fields | _message(child(record, "ExchangeMetaData")) | _file(child(record, "SharePointMetaData"))


def _rules(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in objects(record.get("PolicyDetails")):
        yield from objects(policy.get("Rules"))


def _counts(rule: dict[str, Any]) -> Iterator[int]:
    """Give for each kind of sensitive information how many different ones were found, else how many."""
    for found in objects(child(rule, "ConditionsMatched").get("SensitiveInformation")):
        count = number(found.get("UniqueCount"))
        count = number(found.get("Count")) if count is None else count
        if count is not None:
            yield count


def _message(message: dict[str, Any]) -> Fields:
    if not message:
        return {}
    sender = next(iter(mail_addresses(text(message.get("From")))), None)
    return present(
        {
            "email.from.address": sender,
            "email.to.address": _addresses(message.get("To")),
            "email.cc.address": _addresses(message.get("CC")),
            "email.bcc.address": _addresses(message.get("BCC")),
            "email.subject": text(message.get("Subject")),
            "email.message_id": text(message.get("MessageID")),
            "outfall.channel": "email",
            "outfall.bytes": number(message.get("FileSize")),
            **_person(sender),
        }
    )


def _file(file: dict[str, Any]) -> Fields:
    if not file:
        return {}
    name = text(file.get("FileName"))
    return present(
        {
            "file.name": name,
            "file.extension": extension(name),
            "file.size": number(file.get("FileSize")),
            "url.full": text(file.get("FilePathUrl")),
            "outfall.channel": "file",
            **_person(text(file.get("From"))),
        }
    )


def _person(address: str | None) -> dict[str, str | None]:
    """Give the person whom the verdict is about; the record's own user is the DLP service."""
    if address is None or not is_mail(address):
        return {}
    return {"user.email": address, "user.name": address.rpartition("@")[0]}


def _addresses(value: Any) -> list[str]:
    return list(dict.fromkeys(address for item in texts(value) for address in mail_addresses(item)))
