"""Mail: which system logs a message depends on whose it is and where it goes.

Outside mail of those on Exchange Online passes the gateway; their inside mail and what comes in stands in the
message trace. Teams on the relay in the house have all their mail in its log. So no message is logged twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from streams.simulate.document import Document, everyday, size
from streams.simulate.names import CORRESPONDENTS, FIRST_NAMES, SURNAMES, TOPICS
from streams.simulate.people import DOMAIN, Person
from streams.simulate.record import Record
from streams.simulate.sources import gateway, message_trace, postfix

_BODY = 14_000
_ATTACHED = 0.25
_TO_SEVERAL = 0.2


def subject(random: Random) -> str:
    """Make a subject line that says nothing about anybody."""
    prefix = random.choice(("", "", "Re: ", "FW: "))
    return f"{prefix}{random.choice(TOPICS).capitalize()} {random.choice(TOPICS)}"


def stranger(random: Random) -> str:
    """Make an address at an organisation outside."""
    return f"{random.choice(FIRST_NAMES)}.{random.choice(SURNAMES)}@{random.choice(CORRESPONDENTS)}".lower()


def identity(random: Random) -> str:
    """Make a Message-ID, without its brackets."""
    return f"{random.getrandbits(96):024x}@mail.{DOMAIN}"


def inside(random: Random, person: Person, moment: int, colleagues: Sequence[Person]) -> list[Record]:
    """Write to one or a few colleagues."""
    others = [one for one in random.sample(colleagues, min(6, len(colleagues))) if one is not person]
    count = random.randint(2, 5) if random.random() < _TO_SEVERAL else 1
    recipients = [one.email for one in others[:count]]
    if person.habits.mail == "postfix":
        return postfix.relayed(
            random, moment, person, recipients, identity=identity(random), size=size(random, _BODY)
        )
    return message_trace.traced(
        random,
        moment,
        person.email,
        recipients,
        subject(random),
        identity=identity(random),
        size=size(random, _BODY),
    )


def received(random: Random, person: Person, moment: int) -> list[Record]:
    """Get a message from outside."""
    if person.habits.mail == "postfix":
        return []
    return message_trace.traced(
        random,
        moment,
        stranger(random),
        [person.email],
        subject(random),
        identity=f"{random.getrandbits(96):024x}@mta.example",
        size=size(random, 3 * _BODY),
    )


def outside(random: Random, person: Person, moment: int) -> list[Record]:
    """Write to somebody outside about nobody's data, now and then with a file."""
    files = [everyday(random)] if random.random() < _ATTACHED else []
    return sent_outside(random, person, moment, [stranger(random)], subject(random), files)


def sent_outside(
    random: Random,
    person: Person,
    moment: int,
    recipients: Sequence[str],
    about: str,
    files: Sequence[Document] = (),
) -> list[Record]:
    """Send a message out; logged by the gateway or, for a team on the relay, by Postfix."""
    # Base64 makes four bytes of three.
    total = size(random, _BODY) + sum(file.size * 4 // 3 for file in files)
    if person.habits.mail == "postfix" and not person.service:
        return postfix.relayed(
            random, moment, person, recipients, identity=identity(random), size=total, attachments=files
        )
    return [
        gateway.sent(
            moment, person.email, recipients, about, identity=identity(random), size=total, attachments=files
        )
    ]
