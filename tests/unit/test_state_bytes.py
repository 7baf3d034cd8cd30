"""What a batch writes to the state grows with its events, not with the windows that they fall into."""

from __future__ import annotations

import pytest

from streams.correlate.describe import Edition
from streams.correlate.severity import SeverityTable
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.enrich.load import load as load_enrichment
from streams.event import Event, Origin
from streams.settings import Limits
from streams.stages.breaker import Bounds
from streams.stages.correlate import CorrelateStage
from streams.stages.parts import Parts
from streams.stages.wire import Carried, Message

SECOND = 1_000_000_000
BATCH = 100
FIRST = 1_000_000  # so that all numbers are as long
RULES = """
title: Access
name: access
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f01
logsource: {product: any}
detection: {event: {event.action: access}, condition: event}
---
title: Many
name: many
id: 7a3cf5c2-30a9-4d5b-9a2b-0c4f1f0b7f02
level: high
correlation:
  type: CONDITION
  rules: [access]
  group-by: [user.name]
  timespan: 30d
  condition: {gte: 5, field: outfall.subjects.id}
"""


def stage(rules: str) -> CorrelateStage:
    book = loads(rules)
    assert not book.refused
    parts = Parts(
        book,
        RuleSet(book),
        load_enrichment(None, key="k1:" + "A" * 43 + "="),
        SeverityTable(),
        Edition(book.hash),
        Limits(),
        300 * SECOND,
        1,
        Bounds(0.5, 1000),
    )
    return CorrelateStage(0, parts, parts.router())


def event(number: int, rule: str) -> Carried:
    fields = {
        "event.action": "access",
        "user.name": "alice",
        "outfall.actor.id": "alice",
        "outfall.subjects.id": [f"k1:{number:032x}"],
        "outfall.bytes": number,
    }
    origin = Origin("app", "f" * 16, number * 100, number)
    return Carried(Event(f"{number:032x}", number * SECOND, fields, origin), None, [rule])


@pytest.mark.parametrize("condition", ["value_count", "event_count"])
def test_a_batch_writes_as_much_into_a_large_window_as_into_a_small_one(condition: str) -> None:
    text = RULES.replace("CONDITION", condition)
    if condition == "event_count":
        text = text.replace(", field: outfall.subjects.id", "")
    task = stage(text)
    (rule,) = {one.rule.id for one in loads(text).detections}
    sizes: list[int] = []
    for start in range(FIRST, FIRST + 5000, BATCH):
        some = [event(number, rule) for number in range(start, start + BATCH)]
        task.process([Message("u", events=some)])
        changes = [change for table in task.tables for change in table.drain()]
        sizes.append(sum(len(change.key) + len(change.value or b"") for change in changes))
    once_it_pages = sizes[len(sizes) // 2]  # the people of a breach are written down as well
    assert sizes[-1] < 1.05 * once_it_pages, sizes
    assert sizes[-1] / BATCH < 1500, "bytes an event"
