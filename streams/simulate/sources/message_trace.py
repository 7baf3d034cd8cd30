"""Exchange Online's message trace, of mail that comes in and of mail between the council's own mailboxes.

Properties: MessageTrace of the Office 365 Reporting web service; one entry for each recipient.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from random import Random

from streams.simulate.moment import to_microsecond
from streams.simulate.people import DOMAIN
from streams.simulate.record import Record
from streams.simulate.workdays import DAY


def traced(
    random: Random,
    time: int,
    sender: str,
    recipients: Sequence[str],
    subject: str,
    *,
    identity: str,
    size: int,
) -> list[Record]:
    """Write a delivered message, one entry for each recipient."""
    trace = str(uuid.UUID(int=random.getrandbits(128), version=4))
    day = time - time % DAY
    inside = sender.endswith(f"@{DOMAIN}")
    return [
        Record(
            time + place * 1000,
            "message_trace",
            {
                "Organization": DOMAIN,
                "MessageId": f"<{identity}>",
                "Received": to_microsecond(time + place * 1000),
                "SenderAddress": sender,
                "RecipientAddress": recipient,
                "Subject": subject,
                "Status": "Delivered",
                "ToIP": None,
                "FromIP": "10.20.0.25" if inside else f"198.51.100.{random.randint(1, 254)}",
                "Size": size,
                "MessageTraceId": trace,
                "StartDate": f"{to_microsecond(day)}Z",
                "EndDate": f"{to_microsecond(day + DAY)}Z",
                "Index": place,
            },
        )
        for place, recipient in enumerate(recipients)
    ]
