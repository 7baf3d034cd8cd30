"""A real postfix: someone mails a file to an outside domain, and outfall reads the mail log as it grows."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.outfall import normalise, outfall_run
from services.outside import mail_server
from services.postfix import Postfix, postfix
from services.process import free_port, wait_for

pytestmark = pytest.mark.services

SIZE = 60_000  # bytes of the attachment before it is encoded
SENDER = "jane.smith@borough.test"
PRIVATE = "jane.at.home@gmail.com"

RULE = """
title: Mail to the own private address
id: 8d1f1d56-6e5f-4b53-8a29-0e1a2f6f7c11
status: test
logsource:
    product: outfall
    category: egress
detection:
    mail:
        outfall.channel: email
        outfall.destination.class: self
    condition: mail
level: high
"""


def send(server: Postfix, *recipients: str) -> None:
    """Hand a mail with an attachment to postfix."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, ", ".join(recipients), "As discussed"
    message.set_content("Please find the file attached.")
    message.add_attachment(b"z" * SIZE, maintype="application", subtype="zip", filename="export.zip")
    with smtplib.SMTP("127.0.0.1", server.port, timeout=20) as connection:
        connection.send_message(message)


def finished_log(server: Postfix, count: int) -> bytes:
    """Give the log once so many messages have left the queue."""
    return wait_for(
        f"{count} messages to leave",
        lambda: log if (log := server.log.read_bytes()).count(b": removed") >= count else b"",
    )


def test_every_line_is_understood() -> None:
    with mail_server(free_port()) as outside, postfix(outside.port) as server:
        send(server, PRIVATE, "colleague@partner.example")
        log = finished_log(server, 1)
        assert len(outside.messages) >= 1
    events, status = normalise("postfix", log)
    assert status == 0, log
    assert None not in events
    queued = [event for event in events if event and "bytes" in event.get("outfall", {})]
    (size,) = {event["outfall"]["bytes"] for event in queued}
    assert SIZE < size < 2 * SIZE, log


def test_a_mail_raises_an_alert(tmp_path: Path) -> None:
    with (
        mail_server(free_port()) as outside,
        postfix(outside.port) as server,
        outfall_run(tmp_path, log=server.log, format_="postfix", rule=RULE) as outfall,
    ):
        send(server, PRIVATE)
        alert = outfall.alert("a mail", lambda alert: bool(alert["evidence"]))
        (message,) = outside.messages
        assert message.rcpt_tos == [PRIVATE]
        assert alert["actor"]["id"] == "E1001"
        assert alert["destinations"] == [PRIVATE]
        assert alert["destination_classes"] == ["self"]
        assert alert["channels"] == ["email"]
        assert alert["verdict"] == "allowed"
        assert SIZE < alert["exposure"]["bytes"] < 2 * SIZE
        assert [file["name"] for file in alert["files"]] == ["export.zip"]
        assert len(alert["evidence"]) == 1, "one mail is one event, of however many lines"
