"""The limits of correlation: what is left out is counted, marked and told; what is held goes on firing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alert import Alert
from streams.correlate.severity import SeverityTable
from streams.detect.load import loads
from streams.detect.ruleset import RuleSet
from streams.event import Origin, RawRecord
from streams.normalise import FORMATS
from streams.pipeline import Outcome, Pipeline
from streams.settings import Limits
from streams.stages.reader import Source

RULES = """
title: A download
name: download
logsource: {product: any}
detection:
  event: {action: download}
  condition: event
---
title: Downloads
name: downloads
correlation:
  type: %s
  rules: [download]
  group-by: [user]
  timespan: 1h
  condition: {%s}
"""
PEOPLE = RULES % ("value_count", "gte: 3, field: person")
ALONE = RULES.partition("---")[0].replace("logsource", "outfall: {group_by: [user]}\nlogsource")


class Run:
    """A pipeline over documents, saved after each batch, that can be killed and started again."""

    def __init__(self, rules: str, **limits: int) -> None:
        self._book = loads(rules)
        assert not self._book.refused
        self._limits = Limits(**limits)
        self._saved: dict[tuple[str, str], bytes] = {}
        self.alerts: dict[str, Alert] = {}
        self.outcome = Outcome()
        self.start()

    def start(self) -> None:
        source = Source("log", FORMATS["json"], lateness=3600 * 10**9, time_field="t", id_field="k")
        rules = RuleSet(self._book, ignore_logsource=True)
        self._pipeline = Pipeline([source], rules, self._book, None, SeverityTable(), limits=self._limits)
        tables = {table.name: table for table in self._pipeline.tables}
        for (name, key), value in self._saved.items():
            tables[name].restore(key, value)
        self._pipeline.after_restore()

    def process(self, documents: Sequence[dict[str, object]]) -> None:
        lines = [orjson.dumps({"action": "download", **document}) for document in documents]
        outcome = self._pipeline.process([RawRecord(line, Origin("log", "s", 0, 0)) for line in lines])
        assert not outcome.dead_letters
        self.outcome.counts.update(outcome.counts)
        self.alerts |= {alert.id: alert for alert in outcome.alerts}
        for table in self._pipeline.tables:
            for change in table.drain():
                if change.value is None:
                    self._saved.pop((change.table, change.key), None)
                else:
                    self._saved[change.table, change.key] = change.value

    def alert(self, rule: str) -> Alert:
        (found,) = (alert for alert in self.alerts.values() if alert.rule.name == rule)
        return found

    def raised(self) -> list[str | None]:
        return sorted(str(alert.rule.name) for alert in self.alerts.values())


def event(
    number: int, person: int | None = None, user: str = "ann", t: int | None = None
) -> dict[str, object]:
    return {"k": f"k{number}", "t": 1000 + (number if t is None else t), "user": user, "person": person}


@pytest.mark.parametrize("restarts", [False, True])
def test_a_full_window_goes_on_firing_by_what_it_holds_and_says_that_it_is_full(restarts: bool) -> None:
    run = Run(PEOPLE, values=4)
    for number in range(7):
        run.process([event(number, number)])
        if restarts:
            run.start()
    alert = run.alert("downloads")
    assert (alert.observed, alert.left_out) == (4, 3)
    assert "at least 4 values of person" in alert.reason
    assert "3 events were left out at a limit" in alert.reason
    assert run.outcome.counts["left_out"] == run.outcome.counts["limits.values"] == 3
    assert run.raised() == ["downloads", "limit_reached"]
    told = run.alert("limit_reached")
    assert told.evidence[0].fields["outfall.rule.failure"].startswith("limits.values is reached")  # type: ignore[union-attr]  # text


def test_a_full_window_that_does_not_fire_is_told_of_too() -> None:
    run = Run(PEOPLE, values=4)
    run.process([event(number, number % 2) for number in range(6)])
    assert run.raised() == ["limit_reached"]
    assert run.outcome.counts["left_out"] == 2


def test_below_its_limit_nothing_is_left_out() -> None:
    run = Run(PEOPLE, values=7)
    run.process([event(number, number) for number in range(7)])
    assert run.raised() == ["downloads"]
    assert run.alert("downloads").left_out == 0
    assert "left_out" not in run.outcome.counts


def test_there_is_room_again_when_the_alert_has_closed() -> None:
    run = Run(PEOPLE, values=4)
    run.process([event(number, number) for number in range(5)])
    run.process([event(10, 10, t=200_000)])
    run.process([event(number, number, t=200_000 + number) for number in range(11, 14)])
    assert run.outcome.counts["left_out"] == 1
    assert [
        (a.status, a.observed, a.left_out) for a in run.alerts.values() if a.rule.name == "downloads"
    ] == [
        ("closed", 4, 1),
        ("open", 4, 0),
    ]


def test_a_new_version_that_has_no_room_leaves_the_former_one() -> None:
    run = Run(PEOPLE, values=4)
    run.process([event(number, number) for number in range(4)])
    run.process([event(0, 0) | {"person": [7, 8]}])
    assert run.alert("downloads").observed == 4


def test_kinds_that_are_recomputed_have_a_limit_of_their_own() -> None:
    rules = RULES % ("value_sum", "gte: 3, field: person")
    run = Run(rules, values=100, values_recomputed=2)
    run.process([event(number, number + 1) for number in range(4)])
    assert run.alert("downloads").observed == 3
    assert run.outcome.counts["left_out"] == 2


def test_a_firing_brings_its_evidence_to_the_correlation_that_refers_to_it_within_a_limit() -> None:
    rules = (
        RULES % ("event_count", "gte: 1")
        + """
---
title: Many of them
name: many
correlation:
  type: event_count
  rules: [downloads]
  group-by: [user]
  timespan: 1h
  condition: {gte: 2}
"""
    )
    run = Run(rules, chained_evidence=10)
    run.process([event(number) for number in range(6)])
    assert (run.alert("many").observed, run.alert("many").left_out) == (4, 2)
    assert run.outcome.counts["left_out"] == 2


def test_groups_beyond_the_limit_are_told_of() -> None:
    run = Run(PEOPLE, groups=2)
    run.process([event(10 * group + n, n, user=f"u{group}") for n in range(3) for group in range(3)])
    assert run.raised() == ["downloads", "downloads", "limit_reached"]
    assert run.outcome.counts["groups_left_out"] == run.outcome.counts["limits.groups"] == 3


def test_a_detection_that_alerts_by_itself_still_does_without_room_for_its_group() -> None:
    run = Run(ALONE, groups=2)
    run.process([event(number, user=f"u{number}") for number in range(4)])
    assert run.raised() == ["download", "download", "download", "limit_reached"]


@given(
    seen=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6), st.integers(0, 40)), max_size=25),
    cuts=st.sets(st.integers(1, 24), max_size=4),
)
@settings(max_examples=60)
def test_restarted_anywhere_at_its_limit_it_goes_on_the_same(
    seen: list[tuple[int, int, int]], cuts: set[int]
) -> None:
    documents = [event(number, person, t=60 * t) for number, (_, person, t) in enumerate(seen)]
    told = []
    for restarts in (False, True):
        run = Run(PEOPLE, values=5)
        for start, end in itertools.pairwise(sorted({0, *(c for c in cuts if c < len(seen)), len(seen)})):
            run.process(documents[start:end])
            if restarts:
                run.start()
        del run.outcome.counts["rules_tried"]  # speed alone depends on what came in one batch
        told.append(({key: alert.canonical() for key, alert in run.alerts.items()}, run.outcome.counts))
    assert told[0] == told[1]
