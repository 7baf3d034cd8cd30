"""The mail gateway for what leaves Exchange Online: one ECS document a message, with its attachments' hashes.

Fields: https://www.elastic.co/docs/reference/ecs/ecs-email. What the gateway sends is logged nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.simulate.document import Document
from streams.simulate.moment import to_millisecond
from streams.simulate.record import Record


def sent(
    time: int,
    sender: str,
    recipients: Sequence[str],
    subject: str,
    *,
    identity: str,
    size: int,
    attachments: Sequence[Document] = (),
) -> Record:
    """Write one delivered message; `identity` is its Message-ID without brackets, `size` its bytes in all."""
    email: dict[str, Any] = {
        "direction": "outbound",
        "from": {"address": [sender]},
        "to": {"address": list(recipients)},
        "subject": subject,
        "message_id": identity,
    }
    if attachments:
        email["attachments"] = [
            {
                "file": {
                    "name": file.name,
                    "extension": file.extension,
                    "mime_type": file.mime_type,
                    "size": file.size,
                    "hash": {"sha256": file.sha256},
                }
            }
            for file in attachments
        ]
    body = {
        "@timestamp": f"{to_millisecond(time)}Z",
        "ecs": {"version": "9.0.0"},
        "event": {
            "id": identity,
            "kind": "event",
            "category": ["email"],
            "type": ["info"],
            "action": "message-delivered",
            "outcome": "success",
            "dataset": "mail_gateway",
            "provider": "mail-gateway",
        },
        "email": email,
        "user": {"email": sender},
        "source": {"ip": "10.20.0.30"},
        "observer": {"hostname": "gw1.northmoor.example", "type": "email-gateway"},
        "outfall": {"channel": "email", "verdict": "allowed", "bytes": size},
    }
    return Record(time, "gateway", body)
