"""Postfix's mail log: one event a line, through syslog or postlogd. `postfix_join` makes messages of them.

What the daemons log: postlogd(8), smtpd(8), cleanup(8), qmgr(8), smtp(8), header_checks(5), queue ids as in
postconf(5) `enable_long_queue_ids`. A message's size counts it as it is queued, with attachments in base64
(a third more than the files) and all headers; it is taken as it is.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from streams.errors import Ignored, RecordError
from streams.event import Fields, LogSource
from streams.normalise.address import account, clean_ip
from streams.normalise.base import PART, Context, Parsed
from streams.normalise.mail_header import attachment_name, decoded
from streams.normalise.syslog import Header, header_time, split_header
from streams.normalise.values import number, present

_MAX_LINE = 16_384
"""Longest line that is read; Postfix itself keeps its lines far below."""

_QUEUE_ID = re.compile(
    r"(?P<id>[0-9A-F]{6,20}|[0-9BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz]{12,24}|NOQUEUE): (?P<text>.*)",
    re.DOTALL,
)
_PAIR = re.compile(r"(?:^|, )(?P<key>[a-z][a-z_-]{0,31})=(?P<value><.{0,320}?>(?=,|$)|[^,]*)")
_STATUS = re.compile(r"status=(?P<status>[a-z-]{1,40})(?:,| \(|$)")
_PEER = re.compile(
    r"(?P<name>[A-Za-z0-9._-]{0,255})\[(?P<address>[^\s\[\]]{1,255})\](?::(?P<port>[0-9]{1,5}))?"
)
_ACTION = re.compile(
    r"(?P<action>[a-z][a-z_-]{1,31}): (?P<stage>(?:mime |nested )?header|body|CONNECT|HELO|EHLO|MAIL|RCPT|"
    r"DATA|BDAT|END-OF-MESSAGE|VRFY|ETRN|AUTH|STARTTLS|UNKNOWN)\b"
)
"""`reject: RCPT from …`, `milter-reject: END-OF-MESSAGE from …`, `warning: header Subject: …`."""
_ENVELOPE = re.compile(
    r";(?: from=<(?P<from>.{0,320}?)>,?)?(?: to=<(?P<to>.{0,320}?)>,?)?"
    r"(?: proto=(?P<proto>\w{1,16}),? helo=<(?P<helo>.*)>)?(?=: |$)"
)
_HEADER_LINE = re.compile(r"header (?P<name>[!-9;-~]{1,76}): (?P<value>.*)", re.DOTALL)
_REFUSALS = ("reject", "discard")
_OUTCOMES = {
    "sent": "success",
    "deliverable": "success",
    "bounced": "failure",
    "expired": "failure",
    "force-expired": "failure",
    "undeliverable": "failure",
    "undeliverable-but-not-cached": "failure",
}


class Postfix:
    """One line of the mail log, each an event of its own."""

    name = "postfix"
    summary = "Postfix's mail log; a message's lines are joined to one further event"

    def recognises(self, line: str) -> bool:
        """See the interface."""
        header = split_header(line)
        return header is not None and header.program.lower().startswith("postfix")

    def parse(self, line: str, context: Context) -> Parsed:
        """See the interface."""
        header = split_header(line)
        if header is None:
            raise RecordError("no syslog header (time, host, program) is at the line's beginning")
        if not header.program.lower().startswith("postfix"):
            raise Ignored("a line of another program than Postfix")
        if len(line) > _MAX_LINE:
            raise RecordError(f"longer than {_MAX_LINE} characters, which no line of Postfix is")
        if header.time is None:
            raise RecordError("the line has no time")
        return Parsed(
            fields=_fields(header),
            time=header_time(header.time, context),
            logsources=(LogSource(None, "postfix", "line"),),
            marks=(PART,),
        )


def _fields(header: Header) -> Fields:
    found = _QUEUE_ID.fullmatch(header.message)
    text = found["text"] if found else header.message
    queue_id = found["id"] if found and found["id"] != "NOQUEUE" else None
    fields = present(
        {
            "email.local_id": queue_id,
            "event.provider": header.program,
            "host.name": header.host,
            "process.name": header.program.rpartition("/")[2],
            "process.pid": header.pid,
        }
    )
    action = _ACTION.match(text)
    if action or text.startswith(("proxy-accept: ", "proxy-reject: ")):
        return fields | _judged(text, action)
    if found:
        return fields | _told(text)
    word, _, rest = text.partition(" ")
    return (
        fields
        | present({"event.action": word.rstrip(":") or None, "message": text or None})
        | _client(rest.rpartition("from ")[2])
    )


def _told(text: str) -> Fields:
    """Read what a line tells of its message: `key=value, …`, or a phrase such as `removed`."""
    status = _STATUS.search(text)
    told = text[: status.end("status")] if status else text.partition(" (")[0]
    if told.startswith(("message-id=", "resent-message-id=")):
        return present({"event.action": "message-id", "email.message_id": _bare(text.partition("=")[2])})
    if told.startswith("uid="):  # pickup(8) parts its two pairs by a space
        told = told.replace(" from=", ", from=", 1)
    pairs = {pair["key"]: pair["value"] for pair in _PAIR.finditer(told)}
    fields = present(
        {
            "email.from.address": _bare(pairs.get("from")),
            "email.to.address": _bare(pairs.get("to")),
            "postfix.orig_to": _bare(pairs.get("orig_to")),
            "postfix.orig_queue_id": pairs.get("orig_queue_id"),
            "postfix.relay": pairs.get("relay"),
            "postfix.delay": pairs.get("delay"),
            "postfix.dsn": pairs.get("dsn"),
            "postfix.status": status["status"] if status else None,
            "postfix.recipients": number(pairs.get("nrcpt")),
            "outfall.bytes": number(pairs.get("size")),
            "event.action": _action(pairs, status, text),
            "event.outcome": _OUTCOMES.get(status["status"], "unknown") if status else None,
            "message": text if not pairs else None,
        }
    )
    return fields | _user(pairs) | _client(pairs.get("client", "")) | _relay(pairs.get("relay", ""))


def _action(pairs: dict[str, str], status: re.Match[str] | None, text: str) -> str | None:
    """Name what happened by Postfix's own word: the status, the queue, the first key, or the phrase."""
    if status:
        return status["status"]
    if "size" in pairs:
        return text.rpartition(" (")[2].rstrip(")") if text.endswith(")") else "queue active"
    return next(iter(pairs), None) or text.partition(" ")[0].rstrip(":,") or None


def _judged(text: str, action: re.Match[str] | None) -> Fields:
    """Read a line by which a restriction, a check, a filter or a milter tells its judgement."""
    word = action["action"] if action else text.partition(":")[0]
    place = text.rfind("; from=<")
    place = place if place >= 0 else max(text.rfind("; to=<"), text.rfind("; proto="))
    envelope = _ENVELOPE.match(text, place) if place >= 0 else None
    judged = text[: envelope.start()] if envelope else text
    said, _, client = judged.partition(": ")[2].rpartition(" from ")
    if action and not action["stage"].endswith("header"):
        said, client = judged, judged.partition(" from ")[2]
    blocked = word.rpartition("-")[2] in _REFUSALS
    fields = present(
        {
            "event.action": word,
            "event.outcome": "failure" if blocked else "unknown",
            "outfall.verdict": "blocked" if blocked else None,
            "postfix.stage": action["stage"] if action else text.partition(": ")[2].partition(":")[0],
            "message": judged,
        }
    )
    if envelope:
        fields |= present(
            {
                "email.from.address": envelope["from"] or None,
                "email.to.address": envelope["to"] or None,
                "network.protocol": envelope["proto"].lower() if envelope["proto"] else None,
                "postfix.helo": envelope["helo"] or None,
            }
        )
    return fields | (_client(client) if action else {}) | _mail_header(said)


def _mail_header(text: str) -> Fields:
    """Read a header of the message itself, which header_checks had logged."""
    found = _HEADER_LINE.search(text)
    if not found:
        return {}
    name = found["name"].lower()
    if name == "subject":
        return {"email.subject": decoded(found["value"])}
    if name in ("content-disposition", "content-type"):
        return present({"email.attachments.file.name": attachment_name(found["value"])})
    return {}


def _client(text: str) -> Fields:
    """Read `name[address]:port`; smtpd says `unknown` where the name is not known."""
    found = _PEER.match(text)
    if not found:
        return {}
    return present(
        {
            "source.ip": clean_ip(found["address"]),
            "source.domain": found["name"].lower() if found["name"] not in ("", "unknown") else None,
            "source.port": number(found["port"]),
        }
    )


def _relay(text: str) -> Fields:
    found = _PEER.fullmatch(text)
    if not found:
        return {}
    return present(
        {
            "destination.domain": found["name"].lower() or None,
            "destination.ip": clean_ip(found["address"]),
            "destination.port": number(found["port"]),
        }
    )


def _user(pairs: dict[str, str]) -> Fields:
    """Give who handed the message in: who logged on to send it, or the account on the machine."""
    name, domain, mail = account(unquote(pairs.get("sasl_username", "")))
    return present(
        {"user.name": name, "user.domain": domain, "user.email": mail, "user.id": pairs.get("uid")}
    )


def _bare(address: str | None) -> str | None:
    """Take the angle brackets off; the empty sender `<>` is none."""
    text = (address or "").strip()
    return text.removeprefix("<").removesuffix(">") or None if text.startswith("<") else text or None
