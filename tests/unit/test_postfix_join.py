"""Joining the lines of a message: what comes out in the end depends on the set of lines alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.event import Event, Origin, RawRecord
from streams.normalise import FORMATS, normalise
from streams.normalise.base import Context
from streams.normalise.postfix_join import PostfixJoin

SENT = Path(__file__).with_name("postfix_message.log").read_text(encoding="utf-8").splitlines()
"""All lines of one message; `{id}` stands for its queue id, and the date is left out."""

REFUSED = (
    "10:00:02 mx1 postfix/cleanup[9]: {id}: milter-reject: END-OF-MESSAGE from pc16[10.20.1.16]: 5.7.1 no; "
    "from=<tom@council.example> to=<tom@home.example> proto=ESMTP helo=<pc16>"
)
REJECTED = (
    "10:00:03 mx1 postfix/smtpd[8]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 5.7.1 <a@b.example>: no; "
    "from=<x@y.example> to=<a@b.example> proto=ESMTP helo=<x>"
)
OTHER = [
    "10:00:00 mx1 postfix/smtpd[8]: connect from pc15.council.example[10.20.1.15]",
    REJECTED,
    "10:00:06 mx1 postfix/smtpd[8]: disconnect from pc15.council.example[10.20.1.15] ehlo=2",
]


def events(lines: Iterable[str], queue_id: str = "4fQxyz0TbBz1J0N", date: str = "2026-03-02") -> list[Event]:
    found = []
    for number, line in enumerate(lines):
        text = f"{date}T{line[:8]}Z{line[8:].format(id=queue_id)}"
        record = RawRecord(text.encode(), Origin("mail", date + queue_id, number, number))
        found.append(normalise(record, FORMATS["postfix"], Context(received=0)))
    return found


def joined(lines: Iterable[Event], join: PostfixJoin | None = None) -> list[Event]:
    join = join or PostfixJoin()
    return [message for line in lines for message in join.add(line)]


def standing(messages: Iterable[Event]) -> dict[str, Event]:
    """What stands in the end: of each message the last that came out."""
    return {message.id: message for message in messages}


def test_a_whole_message_comes_out_when_it_leaves_the_queue() -> None:
    lines = events(SENT)
    join = PostfixJoin()
    assert joined(lines[:-1], join) == []
    (message,) = join.add(lines[-1])
    assert message.fields == {
        "@timestamp": "2026-03-02T10:00:05Z",
        "event.dataset": "postfix",
        "event.id": message.id,
        "event.action": "sent",
        "event.outcome": "success",
        "event.start": "2026-03-02T10:00:00Z",
        "event.end": "2026-03-02T10:00:05Z",
        "email.from.address": "jane.doe@council.example",
        "email.to.address": ["jane@home.example", "ann@council.example"],
        "email.subject": "the list",
        "email.message_id": "17@council.example",
        "email.attachments.file.name": ["a.xlsx", "b.csv"],
        "email.local_id": "4fQxyz0TbBz1J0N",
        "destination.domain": "mail.council.example",
        "destination.ip": "10.20.0.26",
        "host.name": "mx1",
        "outfall.bytes": 734003,
        "outfall.channel": "email",
        "outfall.verdict": "allowed",
        "source.ip": "10.20.1.15",
        "source.domain": "pc15.council.example",
        "user.name": "jane.doe",
    }
    assert message.marks == ()
    assert message.time == lines[-1].time
    assert message.origin == lines[-1].origin
    assert [source.product for source in message.logsources] == ["postfix"]


@given(st.permutations(range(len(SENT))), st.lists(st.integers(0, len(SENT) - 1)))
def test_order_and_repetition_do_not_matter(order: Sequence[int], repeated: list[int]) -> None:
    lines = events(SENT)
    in_order = standing(joined(lines))
    shuffled = [lines[place] for place in (*order, *repeated)]
    found = standing(joined(shuffled))
    assert {key: (event.time, event.fields, event.marks) for key, event in found.items()} == {
        key: (event.time, event.fields, event.marks) for key, event in in_order.items()
    }


@given(st.data())
def test_messages_of_the_same_and_of_other_ids_do_not_mix(data: st.DataObject) -> None:
    ids = ("0A1B2C3D4E", "0A1B2C3D4F")
    days = ("2026-03-02", "2026-03-03")
    per_message = {(one, day): events(SENT, one, day) for one in ids for day in days}
    # Under one short queue id, lines of different days are of different messages: ids are used again.
    wanted = standing(message for lines in per_message.values() for message in joined(lines))
    assert len(wanted) == 4
    by_day = [
        [line for (_, one_day), lines in per_message.items() if one_day == day for line in lines]
        for day in days
    ]
    shuffled = [line for lines in by_day for line in data.draw(st.permutations(lines))]
    assert standing(joined(shuffled)) == wanted


def test_the_lines_of_two_messages_of_one_id_may_come_in_any_order_within_the_hour() -> None:
    first = events(SENT, "0A1B2C3D4E")
    later = events([line.replace("10:00", "10:30", 1) for line in SENT], "0A1B2C3D4E")
    wanted = {key: event.fields for key, event in standing([*joined(first), *joined(later)]).items()}
    for lines in ([*first, *later], [*later, *first], [*reversed(first), *reversed(later)]):
        assert {key: event.fields for key, event in standing(joined(lines)).items()} == wanted


@given(st.permutations(range(len(SENT))), st.sets(st.integers(0, len(SENT))))
def test_a_restart_changes_nothing(order: Sequence[int], restarts: set[int]) -> None:
    lines = [events(SENT)[place] for place in order]
    saved: dict[str, bytes] = {}
    join, found = PostfixJoin(), []
    for number, line in enumerate(lines):
        if number in restarts:
            join = PostfixJoin()
            for key, value in saved.items():
                join.table.restore(key, value)
        found += join.add(line)
        for change in join.table.drain():
            if change.value is None:
                saved.pop(change.key, None)
            else:
                saved[change.key] = change.value
    assert found == joined(lines)


def test_a_late_line_brings_the_message_again_under_its_id() -> None:
    lines = events(SENT)
    late = lines.pop(8)
    first, second = joined([*lines, late])
    assert first.id == second.id
    assert first.fields["email.to.address"] == ["jane@home.example"]
    assert first.marks == ("incomplete",)
    assert second.fields["email.to.address"] == ["jane@home.example", "ann@council.example"]
    assert second.marks == ()


def test_a_late_line_that_tells_nothing_new_brings_nothing() -> None:
    lines = events(SENT)
    deferred = lines.pop(6)
    assert len(joined([*lines, deferred])) == 1


def test_lines_of_no_message_give_none() -> None:
    assert joined(events(OTHER)) == []


def test_a_message_that_a_filter_refuses_is_blocked() -> None:
    (message,) = joined(events([SENT[0], SENT[1], REFUSED]))
    assert message.fields["outfall.verdict"] == "blocked"
    assert message.fields["event.outcome"] == "failure"
    assert message.fields["email.to.address"] == ["tom@home.example"]
    assert message.fields["user.name"] == "jane.doe"
    assert message.marks == ()


@pytest.mark.parametrize(
    ("statuses", "action", "outcome"),
    [
        (["sent", "bounced"], "sent", "success"),
        (["bounced", "bounced"], "bounced", "failure"),
        (["expired"], "expired", "failure"),
        (["deferred"], "deferred", "unknown"),
    ],
)
def test_the_outcome_is_that_of_the_deliveries(statuses: list[str], action: str, outcome: str) -> None:
    deliveries = [
        f"10:00:03 mx1 postfix/smtp[10]: {{id}}: to=<p{number}@home.test>, relay=none, status={status} (x)"
        for number, status in enumerate(statuses)
    ]
    (message,) = joined(events([SENT[5], *deliveries, SENT[-1]]))
    assert (message.fields["event.action"], message.fields["event.outcome"]) == (action, outcome)
    assert message.fields["outfall.verdict"] == "allowed"


def test_a_log_that_begins_in_the_middle_gives_what_it_has() -> None:
    (message,) = joined(events(SENT[7:]))
    assert message.marks == ("incomplete",)
    assert joined(events(SENT[-1:])) == []


def test_beyond_the_bound_the_oldest_comes_out_as_it_is() -> None:
    join = PostfixJoin(max_messages=3)
    found = []
    for number in range(5):
        found += joined(events(SENT[:-1], f"0A1B2C3D4{number}", f"2026-03-0{number + 1}"), join)
        assert len(join.table) <= 3
    assert [message.fields["email.local_id"] for message in found] == ["0A1B2C3D40", "0A1B2C3D41"]
    assert all(message.marks == ("incomplete",) for message in found)
    assert found[0].fields["email.to.address"] == ["jane@home.example", "ann@council.example"]


def test_beyond_the_bound_what_is_done_goes_before_what_is_open() -> None:
    join = PostfixJoin(max_messages=2)
    joined(events(SENT[:-1], "0A1B2C3D40", "2026-03-01"), join)
    joined(events(SENT, "0A1B2C3D41"), join)
    assert joined(events(SENT[:-1], "0A1B2C3D42"), join) == []
    assert sorted(join.table) == ["mx1/0A1B2C3D40", "mx1/0A1B2C3D42"]


def test_what_is_done_is_forgotten_after_an_hour() -> None:
    join = PostfixJoin()
    joined(events(SENT, "0A1B2C3D40"), join)
    joined(events([line.replace("10:00", "10:59", 1) for line in SENT], "0A1B2C3D41"), join)
    assert len(join.table) == 2
    joined(events([line.replace("10:00", "11:02", 1) for line in SENT], "0A1B2C3D42"), join)
    assert sorted(join.table) == ["mx1/0A1B2C3D41", "mx1/0A1B2C3D42"]


def test_a_clock_that_is_ahead_makes_nothing_forgotten() -> None:
    join = PostfixJoin()
    lines = events(SENT)
    late = lines.pop(8)
    joined(lines, join)
    for ahead in events(SENT, "0A1B2C3D40", "2027-03-02"):
        ahead.marks += ("clock_ahead",)
        join.add(ahead)
    (message,) = join.add(late)
    assert message.fields["email.to.address"] == ["jane@home.example", "ann@council.example"]


def test_the_same_queue_id_on_two_hosts_is_two_messages() -> None:
    here, there = events(SENT), events([line.replace(" mx1 ", " mx2 ") for line in SENT])
    mixed = [line for pair in zip(here, there, strict=True) for line in pair]
    assert len(standing(joined(mixed))) == 2
