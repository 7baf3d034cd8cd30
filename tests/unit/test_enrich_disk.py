"""What Windows' own audit tells of content, from the events as the format gives them to the upload."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from enrich_folder import KEY, NOON, event

from streams.enrich import Enricher
from streams.enrich.load import load
from streams.event import NANOSECONDS, Event, Fields, strings

CONFIG = load(None, key=KEY)
HASH = "ab" * 32
HOME = r"C:\Users\ann\Downloads"


def at(seconds: float) -> int:
    return NOON + int(seconds * NANOSECONDS)


def exported(seconds: float, name: str = "review.xlsx", people: int = 5, id: str = "export") -> Event:  # noqa: A002 - the field's name
    fields: Fields = {
        "outfall.channel": "case_system",
        "user.name": "ann",
        "file.name": name,
        "outfall.raw.subject": [f"{id}{n}" for n in range(people)],
        "outfall.content.produces": [f"sha256:{HASH}", f"file:{name}:100"],
    }
    return event(fields, time=at(seconds), id=id)


def disk(seconds: float, action: str, path: str, process: str, pid: int = 7, **more: Any) -> Event:
    fields: Fields = {
        "outfall.channel": "file",
        "outfall.verdict": "allowed",
        "user.name": "ann",
        "host.name": "WS-1",
        "event.action": action,
        "file.path": path,
        "process.name": process,
        "process.pid": pid,
    }
    return event(fields | more, time=at(seconds), id=f"{action}@{seconds}")


def downloaded(seconds: float, path: str = HOME + r"\review.xlsx") -> Event:
    return disk(seconds, "file-stream-created", path, "msedge.exe", **{"file.hash.sha256": HASH})


def created(seconds: float, path: str, process: str, pid: int = 7) -> Event:
    return disk(seconds, "file-created", path, process, pid)


def read(seconds: float, path: str, process: str, pid: int = 7, use: str = "access") -> Event:
    return disk(seconds, "object-accessed", path, process, pid, **{"event.type": [use]})


def uploaded(seconds: float, size: int = 90_000, **more: Any) -> Event:
    fields: Fields = {"outfall.channel": "web", "user.name": "ann", "url.domain": "mega.nz"}
    fields |= {"http.request.method": "POST", "http.request.bytes": size}
    return event(fields | more, time=at(seconds), id="end")


def people(events: list[Event], id: str = "end") -> int:  # noqa: A002 - the field's name
    engine, found = Enricher(CONFIG), {}
    for one in events:
        for out in engine.enrich(copy.deepcopy(one), None):
            found[out.id] = out
    return len(strings(found[id].fields.get("outfall.subjects.id")))


def test_zipped_moved_and_uploaded_in_any_order_of_arrival() -> None:
    zipped, moved = HOME + r"\review.zip", r"D:\IMG_1.jpg"
    events = [
        exported(0),
        downloaded(2),
        read(60, HOME + r"\Review.xlsx", "7zG.exe"),
        created(61, zipped, "7zG.exe"),
        created(100, moved, "explorer.exe", 3),
        read(101, zipped, "explorer.exe", 3, "deletion"),
        read(200, moved, "chrome.exe", 4),
        uploaded(230),
    ]
    for shuffled in itertools.islice(itertools.permutations(events), 0, None, 97):
        assert people([*shuffled]) == 5
    engine = Enricher(CONFIG)
    last = [engine.enrich(one, None) for one in events][-1][0]
    assert last.marks == ("content_inferred",)
    assert last.fields["outfall.content.origin"] == ["export"]


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        ([read(60, HOME + r"\review.xlsx", "7z.exe"), created(61, r"D:\x.bin", "7z.exe")], 5),
        ([read(60, HOME + r"\review.xlsx", "7z.exe"), created(61, r"D:\x.zip", "7z.exe", 8)], 0),
        ([read(60, HOME + r"\review.xlsx", "7z.exe"), created(661, r"D:\x.zip", "7z.exe")], 0),
        ([created(60, r"D:\x.zip", "7z.exe"), read(90, HOME + r"\review.xlsx", "7z.exe")], 5),
        ([read(60, HOME + r"\other.xlsx", "7z.exe"), created(61, r"D:\x.zip", "7z.exe")], 0),
        (
            [
                read(60, HOME + r"\review.xlsx", "explorer.exe"),
                created(61, r"D:\review.xlsx", "explorer.exe"),
            ],
            5,
        ),
        ([read(60, HOME + r"\review.xlsx", "explorer.exe"), created(61, r"D:\x.txt", "explorer.exe")], 0),
        ([read(60, HOME + r"\review.xlsx", "dllhost.exe"), created(61, r"D:\x.zip", "dllhost.exe")], 5),
        ([read(60, HOME + r"\review.xlsx", "dllhost.exe"), created(99, r"D:\x.zip", "dllhost.exe")], 0),
        ([read(60, HOME + r"\review.xlsx", "winword.exe"), created(61, r"D:\review.xlsx", "winword.exe")], 0),
        (
            [
                created(60, r"D:\x.txt", "cmd.exe"),
                read(62, HOME + r"\review.xlsx", "cmd.exe", use="deletion"),
            ],
            5,
        ),
        (
            [
                created(60, r"D:\x.txt", "cmd.exe"),
                read(69, HOME + r"\review.xlsx", "cmd.exe", use="deletion"),
            ],
            0,
        ),
    ],
)
def test_which_writes_are_of_what_was_read(writes: list[Event], expected: int) -> None:
    [path] = [str(one.fields["file.path"]) for one in writes if one.fields["event.action"] == "file-created"]
    events = [exported(0), downloaded(2), *writes, read(700, path, "firefox.exe"), uploaded(710)]
    assert people(events) == expected


@pytest.mark.parametrize(
    ("upload", "expected"),
    [
        (uploaded(60), 5),
        (uploaded(10 + 120), 5),
        (uploaded(10 + 121), 0),
        (uploaded(60, 100), 0),
        (uploaded(60, **{"user.name": "bob"}), 0),
        (uploaded(60, **{"http.request.method": "GET"}), 0),
        (uploaded(60, **{"outfall.content.carries": ["sha256:" + "cd" * 32]}), 0),
    ],
)
def test_which_upload_is_of_what_the_browser_read(upload: Event, expected: int) -> None:
    events = [exported(0), downloaded(2), read(10, HOME + r"\review.xlsx", "msedge.exe"), upload]
    assert people(events) == expected


@pytest.mark.parametrize(
    ("name", "seconds", "expected"), [("review.xlsx", 5, 5), ("x.xlsx", 5, 0), ("review.xlsx", 601, 0)]
)
def test_a_download_is_known_by_the_name_of_what_was_just_exported(
    name: str, seconds: int, expected: int
) -> None:
    events = [
        exported(0),
        created(seconds, rf"{HOME}\{name}", "chrome.exe"),
        read(700, rf"{HOME}\{name}", "chrome.exe"),
        uploaded(701),
    ]
    assert people(events) == expected


def test_a_file_written_over_is_not_what_it_was() -> None:
    path = HOME + r"\review.xlsx"
    events = [
        exported(0, people=5, id="first"),
        created(5, path, "chrome.exe"),
        exported(1000, people=3, id="second"),
        created(1005, path, "chrome.exe"),
        read(1010, path, "chrome.exe"),
        uploaded(1011),
    ]
    for one in events:
        if one.id in ("first", "second"):
            one.fields["outfall.content.produces"] = [f"file:review.xlsx:{one.time}"]
    assert people(events) == 3


def test_a_stick_without_hashes() -> None:
    stick = disk(
        64,
        "object-accessed",
        r"\Device\HarddiskVolume9\Review.xlsx",
        "explorer.exe",
        **{"event.type": ["change"], "outfall.channel": "removable"},
    )
    events = [exported(0), downloaded(2), read(60, HOME + r"\review.xlsx", "explorer.exe"), stick]
    assert people(events, stick.id) == 5
    assert people([*events[:2], stick], stick.id) == 0
