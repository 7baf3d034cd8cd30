"""The correlator against an oracle that knows nothing of increments: every window counted from scratch."""

from __future__ import annotations

import dataclasses
import itertools
import random
import statistics
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.alert import Status
from streams.correlate.correlator import Correlator
from streams.correlate.severity import SeverityTable
from streams.errors import Place
from streams.event import Event, Origin
from streams.rule import Correlation, CorrelationType, Expression, Extras, Rule, Threshold

SECOND = 1_000_000_000
SPAN = 10 * SECOND
QUIET = 12 * SECOND
LATENESS = 25 * SECOND
NEVER = -(2**62)


@pytest.fixture(scope="module", autouse=True, params=[2, 256], ids=["small_blocks", "usual_blocks"])
def blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let a few events fill several blocks of a timeline, as a hundred thousand would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streams.correlate.timeline.SIZE", request.param)
        yield


def rule(name: str, *, alerts: bool = False, extras: Extras | None = None) -> Rule:
    return Rule(
        name, name, name, Place("rules.yml"), alerts, extras=extras or Extras(group_by=["user"], quiet="12s")
    )


A, B, C = rule("a"), rule("b"), rule("c")
RULES = {"a": A, "b": B, "c": C}


def correlation(kind: CorrelationType, condition: Threshold | Expression, **other: object) -> Correlation:
    names = {"rules": ("a",), "timespan": SPAN, "group_by": ("user",)} | other
    return Correlation(rule=rule("outer", alerts=True), type=kind, condition=condition, **names)  # type: ignore[arg-type]  # by name


@dataclasses.dataclass(frozen=True)
class Seen:
    id: str
    time: int
    user: str | None
    value: int | list[int] | None
    rules: tuple[str, ...]

    def event(self) -> Event:
        return Event(
            self.id, self.time, {"user": self.user, "value": self.value}, Origin("s", "f", 0, int(self.id))
        )


seen = st.lists(
    st.builds(
        lambda time, user, value, rules: (time * SECOND, user, value, tuple(sorted(rules))),
        st.integers(0, 60),
        st.sampled_from(["ann", "Ann", "bob", None]),
        st.one_of(st.integers(0, 6), st.none(), st.lists(st.integers(0, 6), max_size=4)),
        st.sets(st.sampled_from(["a", "b", "c"]), min_size=1),
    ),
    max_size=30,
).map(lambda rows: [Seen(str(index), *row) for index, row in enumerate(rows)])


def run(
    correlations: Sequence[Correlation], events: Iterable[Seen], plain: Sequence[Rule] = ()
) -> Correlator:
    correlator = Correlator([*RULES.values(), *plain], correlations, SeverityTable(), keep_firings=True)
    for event in events:
        correlator.apply(event.event(), [RULES[name] for name in event.rules], NEVER)
    correlator.conclude()
    return correlator


def found(correlator: Correlator) -> list[tuple[str, int, float, frozenset[str]]]:
    return [(f.key, f.time, f.value, frozenset(f.events)) for f in correlator.firings()]


def values(event: Seen) -> list[int]:
    if event.value is None:
        return []
    return event.value if isinstance(event.value, list) else [event.value]


def metric(kind: CorrelationType, window: list[Seen], rules: tuple[str, ...]) -> float | None:
    numbers = [number for event in window for number in values(event)]
    match kind:
        case CorrelationType.EVENT_COUNT:
            return len(window)
        case CorrelationType.VALUE_COUNT:
            return len(set(numbers))
        case CorrelationType.VALUE_SUM:
            return sum(numbers) if numbers else None
        case CorrelationType.VALUE_AVG:
            return float(Fraction(sum(numbers), len(numbers))) if numbers else None
        case CorrelationType.VALUE_MEDIAN:
            return statistics.median(numbers) if numbers else None
        case CorrelationType.VALUE_MAX:
            return max(numbers, default=None)
        case CorrelationType.VALUE_MIN:
            return min(numbers, default=None)
        case CorrelationType.TEMPORAL:
            return len({name for event in window for name in event.rules if name in rules})
        case _:
            raise AssertionError(kind)


def oracle(
    kind: CorrelationType, condition: Threshold, rules: tuple[str, ...], events: list[Seen]
) -> list[object]:
    compare = {"gte": float.__ge__, "gt": float.__gt__, "lt": float.__lt__, "eq": float.__eq__}[
        condition.operator
    ]
    firings: list[object] = []
    matching = [event for event in events if event.user is not None and set(event.rules) & set(rules)]
    for user in ("ann", "bob"):
        group = [event for event in matching if event.user is not None and event.user.lower() == user]
        for time in sorted({event.time for event in group}):
            window = [event for event in group if time - SPAN <= event.time <= time]
            value = metric(kind, window, rules)
            if value is not None and compare(float(value), float(condition.number)):
                firings.append((user, time, value, frozenset(event.id for event in window)))
    return sorted(firings, key=lambda firing: (firing[1], firing[0]))  # type: ignore[index]  # tuples


@pytest.mark.parametrize("operator", ["gte", "lt", "eq"])
@pytest.mark.parametrize(
    "kind",
    [
        CorrelationType.EVENT_COUNT,
        CorrelationType.VALUE_COUNT,
        CorrelationType.VALUE_SUM,
        CorrelationType.VALUE_AVG,
        CorrelationType.VALUE_MEDIAN,
        CorrelationType.VALUE_MAX,
        CorrelationType.VALUE_MIN,
        CorrelationType.TEMPORAL,
    ],
)
@given(events=seen, number=st.integers(1, 6))
@settings(max_examples=60)
def test_firings_equal_those_counted_from_scratch(
    kind: CorrelationType, operator: str, events: list[Seen], number: int
) -> None:
    rules = ("a", "b", "c") if kind is CorrelationType.TEMPORAL else ("a",)
    fields = () if kind in (CorrelationType.EVENT_COUNT, CorrelationType.TEMPORAL) else ("value",)
    condition = Threshold(operator, number, fields)
    correlator = run([correlation(kind, condition, rules=rules)], events)
    assert found(correlator) == oracle(kind, condition, rules, events)


def ordered_holds(window: list[Seen], rules: tuple[str, ...]) -> bool:
    """Try every choice of one event for each rule."""

    def search(index: int, after: int) -> bool:
        if index == len(rules):
            return True
        return any(search(index + 1, e.time) for e in window if rules[index] in e.rules and e.time > after)

    return search(0, -1)


@given(events=seen)
@settings(max_examples=150)
def test_temporal_ordered_needs_every_rule_strictly_later(events: list[Seen]) -> None:
    rules = ("a", "b", "c")
    condition = Threshold("gte", 3)
    correlator = run([correlation(CorrelationType.TEMPORAL_ORDERED, condition, rules=rules)], events)
    expected = set()
    for user in ("ann", "bob"):
        group = [event for event in events if event.user is not None and event.user.lower() == user]
        for time in {event.time for event in group}:
            if ordered_holds([event for event in group if time - SPAN <= event.time <= time], rules):
                expected.add((user, time))
    assert {(key, time) for key, time, *_ in found(correlator)} == expected


@given(events=seen, data=st.data())
@settings(max_examples=150)
def test_a_changed_version_of_an_event_replaces_the_former(events: list[Seen], data: st.DataObject) -> None:
    versions = [
        dataclasses.replace(event, id=str(data.draw(st.integers(0, max(1, len(events) // 2)), label="id")))
        for event in events
    ]
    latest = list({event.id: event for event in versions}.values())
    condition = Threshold("gte", 2, ("value",))
    correlations = [
        *everything(),
        dataclasses.replace(
            correlation(CorrelationType.VALUE_COUNT, condition), rule=rule("values", alerts=True)
        ),
    ]
    one, other = run(correlations, versions), run(correlations, latest)
    assert found(one) == found(other)
    assert story(one) == story(other)


def story(correlator: Correlator) -> list[object]:
    """The episodes without their ids: what must not depend on the order of arrival."""
    return sorted(
        (
            (
                c.track.correlation.rule.id,
                c.track.key,
                c.episode.first,
                c.episode.last,
                sorted(c.episode.tally.evidence),
            )
            for c in correlator.take()
            if c.episode.status is Status.OPEN
        ),
    )


def everything() -> list[Correlation]:
    inner = dataclasses.replace(
        correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 2)), rule=rule("inner", alerts=False)
    )
    outer = correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 2), rules=("inner",), timespan=2 * SPAN)
    absent = Expression(
        "and", operands=(Expression("rule", "a"), Expression("not", operands=(Expression("rule", "b"),)))
    )
    lonely = dataclasses.replace(
        correlation(CorrelationType.TEMPORAL, absent, rules=("a", "b")), rule=rule("lonely", alerts=True)
    )
    return [inner, outer, lonely]


@given(events=seen, data=st.data())
@settings(max_examples=150)
def test_order_and_duplicates_of_arrival_do_not_matter(events: list[Seen], data: st.DataObject) -> None:
    shuffled = data.draw(
        st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else [])
    )
    one, other = run(everything(), events), run(everything(), shuffled)
    assert found(one) == found(other)
    assert story(one) == story(other)


@given(events=seen, number=st.integers(1, 4), data=st.data())
@settings(max_examples=150)
def test_episodes_are_the_runs_of_firings_no_further_apart_than_the_quiet_period(
    events: list[Seen], number: int, data: st.DataObject
) -> None:
    condition = Threshold("gte", number, ("value",))
    firings = oracle(CorrelationType.VALUE_COUNT, condition, ("a",), events)
    expected: list[list[object]] = []
    for user in ("ann", "bob"):
        run_so_far: list[object] | None = None
        for key, time, _, ids in firings:  # type: ignore[misc]  # tuples
            if key == user:
                if run_so_far is not None and time - run_so_far[2] <= QUIET:  # type: ignore[has-type]  # just built
                    run_so_far[2:] = [time, run_so_far[3] | ids]
                else:
                    run_so_far = [user, time, time, ids]
                    expected.append(run_so_far)
    correlator = run(
        [correlation(CorrelationType.VALUE_COUNT, condition)], data.draw(st.permutations(events))
    )
    assert story(correlator) == sorted(
        ("outer", u, first, last, sorted(ids)) for u, first, last, ids in expected
    )


def step(correlator: Correlator, events: Sequence[Seen]) -> list[str]:
    newest = NEVER
    for event in events:
        newest = max(newest, event.time)
        correlator.apply(event.event(), [RULES[name] for name in event.rules], newest - LATENESS)
    correlator.advance(newest - LATENESS)
    ids = [change.episode.id for change in correlator.take()]
    correlator.forget()
    return ids


@given(events=seen, cuts=st.lists(st.integers(0, 30), max_size=4))
@settings(max_examples=150)
def test_restored_from_its_tables_anywhere_it_goes_on_the_same(events: list[Seen], cuts: list[int]) -> None:
    events = [dataclasses.replace(event, time=event.time * 2) for event in events]
    whole = Correlator(RULES.values(), everything(), SeverityTable())  # type: ignore[arg-type]  # any iterable will do
    expected = set(step(whole, events))
    rows: dict[tuple[str, str], bytes] = {}
    actual: set[str] = set()
    done: list[Seen] = []
    bounds = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    for start, end in itertools.pairwise(bounds):
        correlator = Correlator(RULES.values(), everything(), SeverityTable())  # type: ignore[arg-type]  # as above
        tables = {table.name: table for table in correlator.tables}
        for (name, key), value in rows.items():
            tables[name].restore(key, value)
        newest = max((event.time for event in done), default=NEVER)
        correlator.after_restore(newest - LATENESS)
        for event in events[start:end]:
            newest = max(newest, event.time)
            correlator.apply(event.event(), [RULES[name] for name in event.rules], newest - LATENESS)
        correlator.advance(newest - LATENESS)
        actual |= {change.episode.id for change in correlator.take()}
        correlator.forget()
        done += events[start:end]
        for table in correlator.tables:
            for change in table.drain():
                if change.value is None:
                    rows.pop((change.table, change.key), None)
                else:
                    rows[change.table, change.key] = change.value
    assert expected <= actual
    assert {key for name, key in rows if name == "episodes"} == {
        change.key
        for table in whole.tables
        for change in table.drain()
        if change.table == "episodes" and change.value
    }


def event(number: int, time: int, fields: dict[str, object], line: int = 0) -> Event:
    return Event(str(number), time * SECOND, fields, Origin("s", "f", line, line))  # type: ignore[arg-type]  # scalars


def test_no_group_value_passes_for_two_by_holding_the_separator() -> None:
    pair = correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 2), group_by=("user", "host"))
    correlator = Correlator([A], [pair], SeverityTable())
    correlator.apply(event(1, 1, {"user": "a\x1fb", "host": "c"}), [A], NEVER)
    correlator.apply(event(2, 2, {"user": "a", "host": "b\x1fc"}), [A], NEVER)
    assert correlator.firings() == []


def test_an_event_of_two_rules_counts_in_each_group_what_its_rules_there_say() -> None:
    total = correlation(
        CorrelationType.VALUE_SUM,
        Threshold("gte", 0, ("value",)),
        rules=("a", "b"),
        aliases={"user": {"a": "one", "b": "two"}, "value": {"a": "small", "b": "large"}},
    )
    correlator = Correlator([A, B], [total], SeverityTable())
    fields = {"one": "ann", "two": ["ann", "bob"], "small": [1, 1], "large": [10, 1]}
    correlator.apply(event(1, 1, fields), [A, B], NEVER)
    assert [(f.key, f.value) for f in correlator.firings()] == [("ann", 13), ("bob", 11)]


def test_a_not_in_order_may_come_after_any_match_of_what_stands_before_it() -> None:
    condition = Expression(
        "and", operands=(Expression("rule", "a"), Expression("not", operands=(Expression("rule", "b"),)))
    )
    ordered = correlation(CorrelationType.TEMPORAL_ORDERED, condition, rules=("a", "b"))
    events = [Seen(str(at), at * SECOND, "ann", None, (name,)) for at, name in enumerate("aba")]
    assert [time // SECOND for _, time, *_ in found(run([ordered], events))] == [0, 2]


def test_a_firing_that_awaited_the_watermark_still_meets_the_window_it_belongs_to() -> None:
    few = dataclasses.replace(
        correlation(CorrelationType.EVENT_COUNT, Threshold("lt", 9)), rule=rule("few", alerts=False)
    )
    outer = correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 1), rules=("few",), timespan=2 * SPAN)
    events = [Seen(str(at), at * SECOND, "ann", None, ("a",)) for at in (0, 20)]
    assert found(run([few, outer], events))[-1] == ("ann", 20 * SECOND, 2, frozenset({"0", "20"}))


def test_the_same_event_read_in_another_place_changes_nothing() -> None:
    correlator = Correlator(
        [A], [correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 1))], SeverityTable()
    )
    correlator.apply(event(1, 1, {"user": "ann"}), [A], NEVER)
    assert len(correlator.take()) == 1
    correlator.apply(event(1, 1, {"user": "ann"}, line=7), [A], NEVER)
    assert correlator.take() == []


def saved(correlator: Correlator, rows: dict[tuple[str, str], bytes]) -> None:
    for table in correlator.tables:
        for change in table.drain():
            if change.value is None:
                rows.pop((change.table, change.key), None)
            else:
                rows[change.table, change.key] = change.value


def test_restored_it_does_not_feed_again_what_the_outer_window_has_forgotten() -> None:
    inner = dataclasses.replace(
        correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 1)),
        rule=rule("inner", extras=Extras(quiet="1h")),
    )
    outer = correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 1), rules=("inner",), timespan=SECOND)
    told: list[list[tuple[str, int]]] = []
    for restarts in (False, True):
        rows: dict[tuple[str, str], bytes] = {}
        correlator = Correlator([A], [inner, outer], SeverityTable())
        told.append([])
        for number, time in enumerate((0, 100, 200)):
            correlator.apply(event(number, time, {"user": "ann"}), [A], time * SECOND)
            correlator.advance(time * SECOND)
            told[-1] += [(str(c.episode.status), c.episode.first // SECOND) for c in correlator.take()]
            correlator.forget()
            saved(correlator, rows)
            if restarts:
                correlator = Correlator([A], [inner, outer], SeverityTable())
                for table in correlator.tables:
                    for (name, key), value in rows.items():
                        if name == table.name:
                            table.restore(key, value)
                correlator.after_restore(time * SECOND)
    assert told[0] == told[1]


def test_one_late_event_that_completes_two_episodes_gives_each_an_id_of_its_own() -> None:
    inner = dataclasses.replace(
        correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 3), timespan=130 * SECOND),
        rule=rule("inner"),
    )
    outer = correlation(CorrelationType.EVENT_COUNT, Threshold("gte", 1), rules=("inner",), timespan=SECOND)
    correlator = Correlator([A], [inner, outer], SeverityTable())
    for number, time in enumerate((0, 90, 180, 60)):
        correlator.apply(event(number, time, {"user": "ann"}), [A], NEVER)
    ids = [change.episode.id for change in correlator.take() if change.episode.status is Status.OPEN]
    assert len(set(ids)) == len(ids) == 2


@pytest.mark.parametrize("late", [0.1, 0.5, 1.0], ids=["few late", "half late", "all shuffled"])
@pytest.mark.parametrize("distinct", [4, 400], ids=["few distinct", "all distinct"])
@pytest.mark.parametrize("number", [3, 12])
def test_a_giant_group_with_many_late_events(late: float, distinct: int, number: int) -> None:
    chance = random.Random(number)  # noqa: S311 - not for secrets
    events = [
        Seen(str(n), n * SECOND // 2 + (n // 100) * 30 * SECOND, "ann", chance.randrange(distinct), ("a",))
        for n in range(400)
    ]
    condition = Threshold("gte", number, ("value",))
    arriving = [event for event in events if chance.random() >= late]
    delayed = [event for event in events if event not in arriving]
    for event in chance.sample(delayed, len(delayed)):
        arriving.insert(chance.randrange(len(arriving) + 1), event)
    doubled = [*arriving, *chance.sample(events, 40)]
    correlator = run([correlation(CorrelationType.VALUE_COUNT, condition)], doubled)
    firings = oracle(CorrelationType.VALUE_COUNT, condition, ("a",), events)
    assert found(correlator) == firings
    parted: list[tuple[int, int, frozenset[str]]] = []
    for _, at, _, ids in firings:  # type: ignore[misc]  # tuples
        if parted and at - parted[-1][1] <= QUIET:
            parted[-1] = (parted[-1][0], at, parted[-1][2] | ids)
        else:
            parted.append((at, at, ids))
    assert story(correlator) == sorted(
        ("outer", "ann", first, last, sorted(ids)) for first, last, ids in parted
    )
