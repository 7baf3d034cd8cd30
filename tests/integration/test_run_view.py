"""How alerts look to a person: what came from a log can do nothing to the terminal."""

from __future__ import annotations

import re

import pytest

from streams.alert import Actor, Alert, AlertRule, Evidence, Exposure, Status
from streams.cli.alert_view import explain, print_table
from streams.sinks.handling import Action, Handling, Stored

LAST = "2026-03-02T10:00:00.123456Z"
NASTY = "a\x1b[2Jb\x9b1mc\u202ed[red]e\nf"


@pytest.fixture
def stored() -> Stored:
    evidence = Evidence(
        id="e",
        time="2026-03-02T09:00:00Z",
        source="s",
        stream="x",
        offset=0,
        line=7,
        fields={
            "event.action": "upload",
            "file.name": NASTY,
            "outfall.destination.name": ["mega.nz", "a.example"],
            "outfall.subjects.count": 180,
        },
    )
    alert = Alert(
        id="a1b2",
        revision=2,
        status=Status.OPEN,
        rule=AlertRule(
            id="r", name=None, title=NASTY, level="high", place="r.yml:1", version="v", runbook=[NASTY]
        ),
        group={"user.name": NASTY},
        reason=NASTY,
        severity="high",
        tier=10,
        page=False,
        pages=0,
        actor=Actor(id=NASTY, leaver=True),
        channels=["web"],
        destinations=[NASTY],
        destination_classes=["webmail"],
        verdict="allowed",
        exposure=Exposure(people=12, subjects=[], records=12, categories=["care"], vulnerable=True, bytes=1),
        files=[],
        observed=12,
        threshold="> 10",
        first="2026-03-02T09:00:00Z",
        last="2026-03-02T10:00:00Z",
        firings=1,
        evidence=[evidence],
    )
    done = Handling(Action.COMMENT, "sam", NASTY, 1, "2026-03-02T11:00:00Z")
    return Stored(alert, (done,))


def test_an_explanation(
    stored: Stored, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    explain(stored)
    shown = capsys.readouterr().out
    assert not set(shown) & {"\x1b", "\x9b", "\u202e"}
    assert "[red]" in shown
    for part in (
        "12 people",
        "vulnerable",
        "leaver",
        "> 10",
        "line 7",
        "sam",
        "at revision 1, now 2",
        "action=upload to=mega.nz,a.example people=180",
    ):
        assert part in shown


def test_a_table_of_100_columns_has_one_line_for_each_alert(
    stored: Stored, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    rule = stored.alert.rule.model_copy(update={"name": "many_care_records_sent_outside"})
    places = [f"place{number}.example" for number in range(5)]
    update = {"actor": Actor(id="mingham"), "rule": rule, "destinations": places, "last": LAST}
    seen = stored.alert.model_copy(update=update)
    print_table([Stored(seen, ()), Stored(seen, ())])
    head, *lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "assignee" not in head
    shown = r"a1b2 +high +2026-03-02 10:00:00 +12 mingham place0\.\S*… many_care_records_sent_outside new *"
    assert re.fullmatch(shown, lines[0])
    print_table([Stored(seen, (Handling(Action.ASSIGN, "sam", "lee", 2, LAST),)), Stored(seen, ())])
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.rstrip().endswith("assignee")
    assert first.rstrip().endswith("lee")
    assert second.rstrip().endswith("-")


def test_a_table(stored: Stored, capsys: pytest.CaptureFixture[str]) -> None:
    print_table([stored])
    shown = capsys.readouterr().out
    assert not set(shown) & {"\x1b", "\x9b", "\u202e"}
    assert "a1b2" in shown
