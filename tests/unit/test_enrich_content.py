from __future__ import annotations

import copy
import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from enrich_folder import DAY, KEY, NOON, enricher, event
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.enrich import Enricher
from streams.enrich.load import load
from streams.event import NANOSECONDS, Event, Fields
from streams.state import Table

MINUTE = 60 * NANOSECONDS
CONFIG = load(None, key=KEY)
A, B, C = (f"sha256:{digit * 64}" for digit in "abc")


def export(id: str, time: int, made: list[str], people: list[str], user: str = "ann", **more: Any) -> Event:  # noqa: A002 - the field's name
    fields = {"outfall.channel": "case_system", "user.name": user, "outfall.content.produces": made}
    return event(fields | {"outfall.raw.subject": people} | more, time=time, id=id)


def made(id: str, time: int, of: list[str], result: list[str], user: str = "ann") -> Event:  # noqa: A002 - the field's name
    fields: Fields = {"outfall.channel": "file", "user.name": user}
    fields |= {"outfall.content.from": [*of], "outfall.content.produces": [*result]}
    return event(fields, time=time, id=id)


def sent(id: str, time: int, carried: list[str], user: str = "ann") -> Event:  # noqa: A002 - the field's name
    fields: Fields = {"outfall.channel": "email", "user.name": user, "email.to.address": "x@example.org"}
    return event(fields | {"outfall.content.carries": [*carried]}, time=time, id=id)


def outcome(events: list[Event], engine: Enricher | None = None) -> dict[str, Fields]:
    """Enrich events in the order given; give what each was like when it was last given out."""
    engine = engine or Enricher(CONFIG)
    return {out.id: out.fields for one in events for out in engine.enrich(copy.deepcopy(one), None)}


def origins(events: list[Event], id: str = "mail") -> list[str] | None:  # noqa: A002 - the field's name
    found: Any = outcome(events)[id].get("outfall.content.origin")
    return found


def test_an_export_explains_the_mail_that_carries_it() -> None:
    more = {
        "outfall.data.category": ["care"],
        "outfall.data.vulnerable": True,
        "outfall.raw.record": ["CR-1"],
    }
    events = [
        export("export", NOON, [A], [f"P{n}" for n in range(400)], **more),
        sent("mail", NOON + MINUTE, [A]),
    ]
    mail = outcome(events)["mail"]
    assert mail["outfall.subjects.count"] == 400
    assert mail["outfall.records.count"] == 1
    assert mail["outfall.data.category"] == ["care"]
    assert mail["outfall.data.vulnerable"] is True
    assert mail["outfall.content.origin"] == ["export"]
    (told,) = mail["outfall.content.origin_told"]
    assert told.endswith(" line 0)")
    assert outcome(events[::-1]) == outcome(events)


def test_an_export_that_comes_late_gives_the_mail_out_again_complete() -> None:
    engine = Enricher(CONFIG)
    mail = sent("mail", NOON + MINUTE, [A])
    assert engine.enrich(mail, None) == [mail]
    first, again = engine.enrich(export("export", NOON, [A], ["P1"]), None)
    assert (first.id, again.id) == ("export", "mail")
    assert again.fields["email.to.address"] == "x@example.org"
    assert again.fields["outfall.egress"] is True
    assert again.fields["outfall.subjects.count"] == 1
    assert again.logsources == mail.logsources
    assert "outfall.subjects.id" not in mail.fields


def test_a_copy_renamed_and_zipped_still_counts() -> None:
    events = [
        export("export", NOON, ["file:review.xlsx:100"], ["P1", "P2"]),
        made("copy", NOON + MINUTE, ["file:review.xlsx:100"], ["file:copy.xlsx:100", A]),
        made("zip", NOON + 2 * MINUTE, [A], [B, "file:holiday.zip:50"]),
        made("rename", NOON + 3 * MINUTE, [B, "file:holiday.zip:50"], [B, "file:holiday.jpg:50"]),
        sent("mail", NOON + 4 * MINUTE, ["file:holiday.jpg:50"]),
    ]
    found = outcome(events)
    assert found["mail"]["outfall.subjects.count"] == 2
    assert found["rename"]["outfall.content.origin"] == ["export"]
    for shuffled in itertools.permutations(events):
        assert outcome([*shuffled]) == found


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # by hash every source counts
        ([export("e1", NOON, [A], ["P1"]), export("e2", NOON + MINUTE, [A], ["P2"])], ["e1", "e2"]),
        # by name and size only the most recent
        (
            [export("e1", NOON, ["file:a:1"], ["P1"]), export("e2", NOON + MINUTE, ["file:a:1"], ["P2"])],
            ["e2"],
        ),
        # the same actor's first
        (
            [
                export("e1", NOON, ["file:a:1"], ["P1"]),
                export("e2", NOON + MINUTE, ["file:a:1"], ["P2"], user="bob"),
            ],
            ["e1"],
        ),
        # not one that is later, but for the clocks' difference
        ([export("e1", NOON + 14 * MINUTE, ["file:a:1"], ["P1"])], ["e1"]),
        ([export("e1", NOON + 16 * MINUTE, ["file:a:1"], ["P1"])], None),
        ([export("e1", NOON + 16 * MINUTE, [A], ["P1"])], None),
        # not one older than the retention
        ([export("e1", NOON + 10 * MINUTE - 30 * DAY, [A], ["P1"])], ["e1"]),
        ([export("e1", NOON + 9 * MINUTE - 30 * DAY, [A], ["P1"])], None),
        # what failed made nothing
        ([export("e1", NOON, [A], ["P1"], **{"outfall.verdict": "blocked"})], None),
        ([export("e1", NOON, [A], ["P1"], **{"event.outcome": "failure"})], None),
        # a mere number of people is worth knowing
        ([export("e1", NOON, [A], [], **{"outfall.raw.anonymous": 400})], ["e1"]),
        # a maker that tells nothing does not hide one that does
        (
            [
                export("e1", NOON, ["file:a:1"], ["P1"]),
                made("download", NOON + MINUTE, ["file:a.part:1"], ["file:a:1"]),
            ],
            ["e1"],
        ),
    ],
)
def test_which_sources_count(events: list[Event], expected: list[str] | None) -> None:
    mail = sent("mail", NOON + 10 * MINUTE, [A, "file:a:1"])
    hashless = [e for e in events if A not in (e.fields["outfall.content.produces"] or [])]  # type: ignore[operator]  # a list of text
    if hashless:
        mail = sent("mail", NOON + 10 * MINUTE, ["file:a:1"])
    assert origins([*events, mail]) == expected
    assert origins([mail, *events]) == expected


def test_an_anonymous_number_travels_too() -> None:
    events = [export("e1", NOON, [A], ["P1"], **{"outfall.raw.anonymous": 400}), sent("mail", NOON, [A])]
    assert outcome(events)["mail"]["outfall.subjects.count"] == 400


def test_a_name_does_not_speak_against_hashes() -> None:
    first = export("e1", NOON, [A, "file:a:1"], ["P1"])
    assert origins([first, sent("mail", NOON, [B, "file:a:1"])]) is None
    assert origins([first, sent("mail", NOON, [A, "file:b:1"])]) == ["e1"]
    assert origins([first, sent("mail", NOON, [B, "file:b:2", "file:a:1"])]) == ["e1"]
    assert origins([export("e2", NOON, ["file:a:1"], ["P1"]), sent("mail", NOON, [B, "file:a:1"])]) == ["e2"]


def test_a_rename_there_and_back_is_followed() -> None:
    events = [
        export("export", NOON, ["file:a:1"], ["P1"], user="service"),
        made("there", NOON + MINUTE, ["file:a:1"], ["file:b:1"]),
        made("back", NOON + 2 * MINUTE, ["file:b:1"], ["file:a:1"]),
        sent("mail", NOON + 3 * MINUTE, ["file:a:1"]),
    ]
    assert origins(events) == ["export"]


def test_an_empty_file_is_nobodys() -> None:
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert origins([export("e1", NOON, [empty], ["P1"]), sent("mail", NOON, [empty])]) is None


def test_hundreds_of_renames_neither_break_nor_stall_it() -> None:
    names = [f"file:{n}:1" for n in range(520)]
    chain = [
        made(f"chain{n}", NOON + n, [old], [new]) for n, (old, new) in enumerate(itertools.pairwise(names))
    ]
    loop = [made(f"loop{n}", NOON + n, [f"file:{n % 2}:9"], [f"file:{1 - n % 2}:9"]) for n in range(100)]
    end = NOON + MINUTE
    events = [
        export("e1", NOON, [names[0]], ["P1"]),
        *chain,
        export("e2", NOON, ["file:0:9"], ["P2"]),
        *loop,
        sent("long", end, [names[-1]]),
        sent("short", end, [names[100]]),
        sent("circle", end, ["file:0:9"]),
    ]
    engine = Enricher(CONFIG)
    found = {out.id: out for one in events for out in engine.enrich(one, NOON + 20 * MINUTE)}
    expected = {"long": ["e1"], "short": ["e1"], "circle": ["e2"]}
    assert {mail: found[mail].fields["outfall.content.origin"] for mail in expected} == expected
    assert found["long"].marks == ("lineage_too_long",)
    assert found["short"].marks == ()


IDENTITIES = st.sampled_from(
    [A, B, C, "file:a:1", "file:b:1", "drive:d", "path:h:p", "archived:h:1", "moved:h:1", "uploaded:ann"]
)
SOME = st.lists(IDENTITIES, min_size=1, max_size=3, unique=True)
TIMES = st.integers(-7, 14).map(lambda minutes: NOON + minutes * MINUTE)
USERS = st.sampled_from(["ann", "bob"])
PEOPLE = st.lists(st.sampled_from(["P1", "P2", "P3", "P4"]), max_size=3)


@st.composite
def stories(draw: st.DrawFn) -> list[Event]:
    events: list[Event] = []
    for number in range(draw(st.integers(2, 9))):
        kind, time, user = draw(st.sampled_from(["export", "made", "sent"])), draw(TIMES), draw(USERS)
        if kind == "export":
            events.append(export(f"e{number}", time, draw(SOME), draw(PEOPLE), user))
        elif kind == "made":
            events.append(made(f"e{number}", time, draw(SOME), draw(SOME), user))
        else:
            events.append(sent(f"e{number}", time, draw(SOME), user))
    return events


@settings(max_examples=300, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_order_duplicates_and_a_restart_change_nothing(events: list[Event], chance: random.Random) -> None:
    expected = outcome(events)
    again = [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(again)
    assert outcome(again) == expected
    cut = chance.randrange(len(again) + 1)
    saved: dict[tuple[str, str], bytes] = {}
    before = Enricher(CONFIG)
    found = outcome(again[:cut], before)
    assert found | outcome(again[cut:], restarted(before, saved)) == expected


@settings(max_examples=200, deadline=None)
@given(stories(), st.randoms(use_true_random=False))
def test_what_expires_is_no_longer_needed(events: list[Event], chance: random.Random) -> None:
    """Shuffled within the lateness, with the watermark that goes with it, all is as if nothing expired."""
    retention, lateness = 6 * MINUTE, 3 * MINUTE
    expected = outcome(events, Enricher(CONFIG, lineage_retention=retention))
    arrivals = sorted((one.time + chance.randrange(lateness), one.id, one) for one in events)
    engine, newest, saved = Enricher(CONFIG, lineage_retention=retention), -(2**63), {}  # type: ignore[var-annotated]  # filled below
    found: dict[str, Fields] = {}
    for _, _, one in arrivals:
        newest = max(newest, one.time)
        found |= {out.id: out.fields for out in engine.enrich(copy.deepcopy(one), newest - lateness)}
        if chance.random() < 0.3:
            engine.expire(newest - lateness)
        if chance.random() < 0.3:
            engine = restarted(engine, saved, retention)
    assert found == expected


def restarted(engine: Enricher, saved: dict[tuple[str, str], bytes], retention: int = 30 * DAY) -> Enricher:
    """Drain an engine into `saved`, and go on with another one that is restored from there."""
    for change in (change for table in engine.tables for change in table.drain()):
        if change.value is None:
            saved.pop((change.table, change.key), None)
        else:
            saved[change.table, change.key] = change.value
    fresh = Enricher(CONFIG, lineage_retention=retention)
    tables: dict[str, Table] = {table.name: table for table in fresh.tables}
    for (name, key), value in saved.items():
        tables[name].restore(key, value)
    fresh.after_restore()
    return fresh


def test_nothing_stays_for_ever(tmp_path: Path) -> None:
    engine = enricher(tmp_path)
    for n in range(10):
        engine.enrich(export(f"e{n}", NOON + n, [A], ["P1"]), NOON)
        engine.enrich(sent(f"m{n}", NOON + n, [A]), NOON)
    assert {table.name: len(table) for table in engine.tables} == {
        "content_makers": 10,
        "content_bearers": 10,
    }
    engine.expire(NOON + 6 * MINUTE)
    assert {table.name: len(table) for table in engine.tables} == {"content_makers": 10, "content_bearers": 0}
    engine.expire(NOON + 31 * DAY)
    assert not any(len(table) for table in engine.tables)


def test_people_outside_the_caseload_are_found_through_the_content(tmp_path: Path) -> None:
    engine = enricher(tmp_path)
    mail = sent("mail", NOON, [A], user="jsmith")
    engine.enrich(mail, None)
    _, again = engine.enrich(export("export", NOON, [A], ["P7", "P8"], user="jsmith"), None)
    outside: Any = again.fields["outfall.subjects.outside_caseload"]
    assert len(outside) == 1
    assert set(outside) < set(again.fields["outfall.subjects.id"])  # type: ignore[arg-type]  # a list
