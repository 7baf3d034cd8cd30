"""Random and mutated records among good ones: each is processed or a dead letter, and all good ones count.

`POISON=10000` in the environment is what `make soak` takes.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from services.kafka import Kafka
from services.live_worker import LiveFolder
from streams.cli import exits
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.stages.reader import Reader, Source

pytestmark = pytest.mark.services

POISON = int(os.environ.get("POISON", "2000"))
GOOD = 500
RULES = """
title: An export
name: export
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f01
logsource: {category: file, product: outfall}
detection: {event: {event.action: export, user.name: good}, condition: event}
---
title: Every good export
name: every_good_export
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f02
level: high
correlation:
  type: event_count
  rules: [export]
  group-by: [user.name]
  timespan: 1d
  condition: {gte: 500}
"""
PIECES = [
    *(b"", b"\x00", b"\xff\xfe", b"{", b"}", b'"', b"\n", b",", b"null", b"\\ud800"),
    *(b"[" * 500, b"9" * 400),
]


def event(number: int, user: str) -> bytes:
    minute, second = divmod(number % 3600, 60)
    return orjson.dumps(
        {
            "@timestamp": f"2026-03-02T10:{minute:02d}:{second:02d}Z",
            "event": {"id": f"{user}-{number}", "action": "export"},
            "user": {"name": user},
            "outfall": {"channel": "file"},
        }
    )


def mutated(chance: Random, number: int) -> bytes:
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(200))
    data = event(number, "bad")
    for _ in range(chance.randrange(1, 4)):
        start = chance.randrange(len(data) + 1)
        data = data[:start] + chance.choice(PIECES) + data[start + chance.randrange(8) :]
    return data


def rejected(value: bytes, offset: int) -> bool:
    reader = Reader([Source("app", FORMATS["ecs"])], None)
    return reader.prepare(RawRecord(value, Origin("app", "s", offset, offset), 0)).rejected is not None


def test_poison_is_put_aside_and_the_good_goes_on(kafka: Kafka, tmp_path: Path) -> None:
    chance = Random(7)  # noqa: S311 - repeatable, not secret
    live = LiveFolder(tmp_path, kafka.bootstrap, more="[dead_letters.breaker]\nshare = 1.0")
    live.rules(RULES)
    done = live.outfall("topics", "create")
    assert done.returncode == exits.DONE, done.stderr
    records = [event(number, "good") for number in range(GOOD)]
    records += [mutated(chance, number) for number in range(POISON)]
    chance.shuffle(records)
    expected = {offset for offset, value in enumerate(records) if rejected(value, offset)}
    assert 0.2 * POISON < len(expected) < POISON
    live.send(records)
    with live.worker() as worker:
        (alert, *_) = sorted(live.alerts(1), key=lambda one: -one.revision)
        worker.wait("all to be read", lambda: counted(worker.page("/metrics")[1]) == len(records))
    letters: list[Any] = live.records("dead_letters")
    places = [dict(letter.headers)["outfall.place"].decode() for letter in letters]
    assert sorted(places) == sorted(f"{live.prefix}.raw/0/{offset}" for offset in expected)
    for place, letter in zip(places, letters, strict=True):
        assert letter.value == records[int(place.rpartition("/")[2])]
    last = max(live.alerts(1), key=lambda one: one.revision)
    assert (last.id, last.observed) == (alert.id, GOOD)


def counted(page: str) -> float:
    """Give how many records the worker has read, whatever became of them."""
    lines = [line for line in page.splitlines() if line.startswith("outfall_records_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
