"""The mail relay in the house: Postfix 3.7 with `enable_long_queue_ids`, through syslog with ISO 8601 stamps.

The lines are those of smtpd(8), cleanup(8), qmgr(8) and smtp(8); lmtp(8) delivers into the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from streams.simulate.document import Document
from streams.simulate.moment import to_microsecond
from streams.simulate.people import DOMAIN, Person
from streams.simulate.record import Record

_HOST = "mx1"
_BASE52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_BASE51 = _BASE52[:-1]
_QMGR = 1187


def relayed(
    random: Random,
    time: int,
    sender: Person,
    recipients: Sequence[str],
    *,
    identity: str,
    size: int,
    attachments: Sequence[Document] = (),
) -> list[Record]:
    """Write all lines of one message that an account handed in; `size` is its bytes in all.

    Attachments are known by name, from header_checks(5) with `/^Content-Disposition: attachment/ WARN`.
    """
    queue_id = _queue_id(random, time)
    smtpd, cleanup, deliverer = (random.randint(2_000, 60_000) for _ in range(3))
    client = f"{sender.host.lower()}.{DOMAIN}[{sender.ip}]"
    submission = f"postfix/submission/smtpd[{smtpd}]"
    records = [
        _line(time, submission, f"connect from {client}"),
        _line(
            time + 41_000,
            submission,
            f"{queue_id}: client={client}, sasl_method=PLAIN, sasl_username={sender.id}",
        ),
        _line(time + 63_000, f"postfix/cleanup[{cleanup}]", f"{queue_id}: message-id=<{identity}>"),
        *(
            _line(
                time + 70_000,
                f"postfix/cleanup[{cleanup}]",
                f'{queue_id}: warning: header Content-Disposition: attachment; filename="{file.name}" from'
                f" {client}; from=<{sender.email}> to=<{recipients[0]}> proto=ESMTP"
                f" helo=<{sender.host.lower()}.{DOMAIN}>",
            )
            for file in attachments
        ),
        _line(
            time + 88_000,
            f"postfix/qmgr[{_QMGR}]",
            f"{queue_id}: from=<{sender.email}>, size={size}, nrcpt={len(recipients)} (queue active)",
        ),
        _line(
            time + 95_000,
            submission,
            f"disconnect from {client} ehlo=2 starttls=1 auth=1 mail=1 rcpt={len(recipients)} data=1 quit=1"
            f" commands={len(recipients) + 7}",
        ),
    ]
    moment = time + 120_000
    for recipient in recipients:
        moment += random.randint(20_000, 400_000)
        records.append(_delivery(random, moment, time, queue_id, deliverer, recipient))
    records.append(_line(moment + 4_000, f"postfix/qmgr[{_QMGR}]", f"{queue_id}: removed"))
    return records


def _delivery(
    random: Random, moment: int, start: int, queue_id: str, deliverer: int, recipient: str
) -> Record:
    domain = recipient.rpartition("@")[2]
    delay = (moment - start) / 1_000_000
    if domain == DOMAIN:
        program, relay = "lmtp", f"mail.{DOMAIN}[10.20.0.26]:24"
        reply = f"250 2.0.0 <{recipient}> {random.getrandbits(64):016X} Saved"
    else:
        program, relay = "smtp", f"mx.{domain}[203.0.113.{random.randint(1, 254)}]:25"
        reply = f"250 2.0.0 Ok: queued as {_queue_id(random, moment)}"
    return _line(
        moment,
        f"postfix/{program}[{deliverer}]",
        f"{queue_id}: to=<{recipient}>, relay={relay}, delay={delay:.2g},"
        f" delays=0.12/0.01/0.02/{max(0.01, delay - 0.15):.2g}, dsn=2.0.0, status=sent ({reply})",
    )


def _line(time: int, program: str, text: str) -> Record:
    return Record(time, "mail", f"{to_microsecond(time)}+00:00 {_HOST} {program}: {text}")


def _queue_id(random: Random, time: int) -> str:
    """Make a long queue id: the second and microsecond in base 52, `z`, the file's number in base 51."""
    seconds, microseconds = divmod(time, 1_000_000)
    number = _digits(random.randint(400_000, 40_000_000), _BASE51)
    return f"{_digits(seconds, _BASE52):0>6}{_digits(microseconds, _BASE52):0>4}z{number}"


def _digits(number: int, alphabet: str) -> str:
    text = ""
    while number:
        number, digit = divmod(number, len(alphabet))
        text = alphabet[digit] + text
    return text or alphabet[0]
