"""What one line of Postfix's log tells of its message, and what a set of such facts makes of it."""

from __future__ import annotations

from typing import Any

from streams.event import Event, Fields, first, rfc3339
from streams.normalise.values import present

Fact = dict[str, Any]
"""Those fields of a line's event that tell of the message, with the event's time under `time`."""

_CLIENT = ("source.ip", "source.domain", "user.name", "user.domain", "user.email")
_ENVELOPE = ("email.from.address", "outfall.bytes", "postfix.recipients")
_DELIVERY = ("email.to.address", "postfix.status", "destination.domain", "destination.ip")
_REFUSAL = ("email.from.address", "email.to.address", "source.ip", "source.domain", "outfall.verdict")
_HEADERS = ("email.message_id", "email.subject", "email.attachments.file.name")
_FINAL_STAGES = ("END-OF-MESSAGE", "header", "mime header", "nested header", "body")
_OUTCOMES = (("sent", "success"), ("deferred", "unknown"))


def fact_of(event: Event) -> Fact | None:
    """Give what a line tells of its message, or None where it tells nothing that belongs to the whole."""
    fields = event.fields
    action = first(fields.get("event.action"))
    taken: tuple[str, ...]
    if "postfix.stage" in fields:
        final = fields.get("outfall.verdict") == "blocked" and fields["postfix.stage"] in _FINAL_STAGES
        kind, taken = ("refused", _REFUSAL + _HEADERS) if final else ("header", _HEADERS)
    elif action == "removed":
        kind, taken = "removed", ()
    elif action == "client":
        kind, taken = "client", _CLIENT
    elif action == "uid":
        kind, taken = "client", ("user.id",)
    elif "outfall.bytes" in fields:
        kind, taken = "queued", _ENVELOPE
    elif "postfix.status" in fields and "email.to.address" in fields:
        kind, taken = "delivery", _DELIVERY
    else:
        kind, taken = "header", _HEADERS
    told = {name: fields[name] for name in taken if name in fields}
    if not told and kind in ("header", "client"):
        return None
    return {"kind": kind, "time": event.time, **told}


def ends(fact: Fact) -> bool:
    """Tell whether nothing becomes of a message after this: it left the queue, or was refused as a whole."""
    return fact["kind"] in ("removed", "refused")


def whole(facts: list[Fact]) -> tuple[Fields, bool]:
    """Put the facts of one message, in order, together to its fields, and tell whether any are missing."""
    deliveries = [fact for fact in facts if fact["kind"] == "delivery"]
    recipients = list(
        dict.fromkeys(str(fact["email.to.address"]) for fact in facts if "email.to.address" in fact)
    )
    refused = any(fact["kind"] == "refused" for fact in facts)
    expected = max((fact.get("postfix.recipients", 0) for fact in facts), default=0)
    queued = any(fact["kind"] == "queued" for fact in facts)
    names = _collected(facts, "email.attachments.file.name")
    relays = [fact for fact in deliveries if fact["postfix.status"] == "sent"] or deliveries
    statuses = _last_statuses(deliveries)
    fields: Fields = {
        "email.to.address": [*recipients],
        "email.attachments.file.name": [*names],
        "destination.domain": _latest(relays, "destination.domain"),
        "destination.ip": _latest(relays, "destination.ip"),
        "event.action": "refused" if refused else _action(statuses),
        "event.outcome": "failure" if refused else _outcome(statuses),
        "event.start": rfc3339(facts[0]["time"]),
        "event.end": rfc3339(facts[-1]["time"]),
        "outfall.channel": "email",
        "outfall.verdict": "blocked" if refused else "allowed",
    }
    for name in (
        *_CLIENT,
        "user.id",
        "email.from.address",
        "outfall.bytes",
        "email.message_id",
        "email.subject",
    ):
        fields[name] = _latest(facts, name)
    complete = refused or (queued and len(recipients) >= expected and any(map(ends, facts)))
    return present(fields), not complete


def _latest(facts: list[Fact], name: str) -> Any:
    return next((fact[name] for fact in reversed(facts) if name in fact), None)


def _collected(facts: list[Fact], name: str) -> list[str]:
    return list(dict.fromkeys(str(fact[name]) for fact in facts if name in fact))


def _last_statuses(deliveries: list[Fact]) -> list[str]:
    """Give each recipient's last status: a message that was deferred may be sent in the end."""
    last = {fact["email.to.address"]: str(fact["postfix.status"]) for fact in deliveries}
    return list(dict.fromkeys(last.values()))


def _action(statuses: list[str]) -> str | None:
    return next((status for status, _ in _OUTCOMES if status in statuses), next(iter(statuses), None))


def _outcome(statuses: list[str]) -> str:
    known = next((outcome for status, outcome in _OUTCOMES if status in statuses), "failure")
    return known if statuses else "unknown"
