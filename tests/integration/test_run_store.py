"""The store: one transaction a batch, revisions kept, what people did never overwritten."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from streams.alert import Actor, Alert, AlertRule, Exposure, Status
from streams.errors import ConfigError, OutfallError
from streams.event import Origin, RawRecord
from streams.runtime.lock import only_run
from streams.runtime.position import Position
from streams.runtime.store import FILE, Store
from streams.sinks.handling import Action
from streams.sinks.jsonl import JsonLines
from streams.stages.reader import DeadLetter
from streams.state import Change, Table


def alert(identity: str = "a1", revision: int = 1, severity: str = "medium") -> Alert:
    return Alert(
        id=identity,
        revision=revision,
        status=Status.OPEN,
        rule=AlertRule(id="r", name=None, title="Title", level="medium", place="r.yml:1", version="v"),
        group={"user.name": "kim"},
        reason="kim sent much",
        severity=severity,
        tier=10,
        page=False,
        pages=0,
        actor=Actor(id="kim"),
        channels=["web"],
        destinations=["example.org"],
        destination_classes=["webmail"],
        verdict="allowed",
        exposure=Exposure(people=12, subjects=[], records=12, categories=[], vulnerable=False, bytes=1),
        files=[],
        observed=12,
        threshold="> 10",
        first="2026-03-02T09:00:00Z",
        last=f"2026-03-02T10:00:0{revision}Z",
        firings=1,
        evidence=[],
    )


def letter(offset: int) -> DeadLetter:
    return DeadLetter(RawRecord(b"raw", Origin("log", "s", offset, 0)), "normalise", "line 1 is not JSON")


def test_a_batch_is_saved_and_restored(tmp_path: Path) -> None:
    position = Position("log", "s", "/x", 10, 2, 5, 3, "abc")
    with Store(tmp_path / "state") as store:
        store.commit(
            [Change("t", "k", b"1"), Change("t", "gone", b"2")], [position], [alert()], [letter(0)], 7
        )
        store.commit([Change("t", "gone", None)], [], [], [letter(0)], 7)
    with Store(tmp_path / "state") as store:
        table = Table("t")
        store.restore(table)
        assert dict(table) == {"k": 1}
        assert store.positions("log") == [position]
        assert store.positions("other") == []
        assert [item.alert for item in store.alerts.newest()] == [alert()]
        assert [entry.letter.reason for entry in store.letters.entries()] == ["line 1 is not JSON"]
    assert stat.S_IMODE((tmp_path / "state" / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_batch_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    broken = Change("t", "k2", object())  # type: ignore[arg-type]  # what SQLite cannot hold
    with Store(tmp_path) as store:
        with pytest.raises(sqlite3.Error):
            store.commit([Change("t", "k", b"1"), broken], [], [alert()], [], 0)
        table = Table("t")
        store.restore(table)
        assert not table
        assert list(store.alerts.newest()) == []


def test_revisions_are_kept_and_an_old_one_changes_nothing(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        for revision in (1, 2, 2, 1):
            store.commit([], [], [alert(revision=revision)], [], 0)
        assert [item.alert.revision for item in store.alerts.newest()] == [2]
        assert len(list(store.alerts.revisions_after(0))) == 2


def test_what_people_did_outlives_revisions(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.commit([], [], [alert("a1"), alert("b1")], [], 0)
        found = store.alerts.find("a")
        assert (found.state, found.open) == ("new", True)
        store.alerts.act(found, Action.ASSIGN, by="kim", text="lee", at="2026-03-02T11:00:00Z")
        store.alerts.act(found, Action.CLOSE, by="lee", text="agreed", at="2026-03-02T12:00:00Z")
        store.commit([], [], [alert("a1", 2)], [], 0)
        found = store.alerts.find("a1")
        assert (found.state, found.open, found.assignee) == ("closed", False, "lee")
        assert [item.revision for item in found.handling] == [1, 1]
        assert found.alert.revision == 2
        assert [item.state for item in store.alerts.newest()] == ["closed", "new"]


@pytest.mark.parametrize(
    ("prefix", "said"), [("x", "no alert"), ("a", "several"), (" ", "is empty"), ("%", "no alert")]
)
def test_an_id_must_name_one_alert(tmp_path: Path, prefix: str, said: str) -> None:
    with Store(tmp_path) as store:
        store.commit([], [], [alert("a1"), alert("a2")], [], 0)
        with pytest.raises(OutfallError, match=said):
            store.alerts.find(prefix)


def test_dead_letters_are_forgotten(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.commit([], [], [], [letter(0)], 100)
        store.commit([], [], [], [letter(1)], 200)
        assert store.letters.forget(150) == 1
        assert [entry.letter.origin.offset for entry in store.letters.entries()] == [1]


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    Store(tmp_path).__exit__(None, None, None)
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="newer outfall"):
        Store(tmp_path)


def test_one_run_at_a_time(tmp_path: Path) -> None:
    with only_run(tmp_path), pytest.raises(ConfigError, match="another run"), only_run(tmp_path):
        pass
    with only_run(tmp_path):
        pass


@pytest.mark.parametrize("unsaved", [0, 1, 2])
@pytest.mark.parametrize("unfinished", [b"", b'{"id": "a'])
def test_json_lines_have_each_revision_once_after_a_crash(
    tmp_path: Path, unsaved: int, unfinished: bytes
) -> None:
    path = tmp_path / "alerts.jsonl"
    with Store(tmp_path / "state") as store:
        store.commit([], [], [alert(revision=1)], [], 0)
        lines = JsonLines(path, store.alerts)
        lines.write()
        for revision in (2, 3):
            store.commit([], [], [alert(revision=revision)], [], 0)
        with path.open("ab") as file:  # a crash after so many lines, before the store knew of them
            for _, document in list(store.alerts.revisions_after(1))[:unsaved]:
                file.write(document.encode() + b"\n")
            file.write(unfinished)
    with Store(tmp_path / "state") as store:
        JsonLines(path, store.alerts).write()
        JsonLines(path, store.alerts).write()
    revisions = [Alert.model_validate_json(line).revision for line in path.read_bytes().splitlines()]
    assert revisions == [1, 2, 3]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_json_lines_go_on_after_their_file_was_rotated_away(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    with Store(tmp_path / "state") as store:
        lines = JsonLines(path, store.alerts)
        store.commit([], [], [alert(revision=1)], [], 0)
        lines.write()
        path.rename(tmp_path / "alerts.jsonl.1")
        store.commit([], [], [alert(revision=2)], [], 0)
        lines.write()
        JsonLines(path, store.alerts).write()
    assert [Alert.model_validate_json(line).revision for line in path.read_bytes().splitlines()] == [2]
