"""Windows against an oracle that counts every time from scratch, through puts, replacements and removals."""

from __future__ import annotations

import itertools
import operator
import random
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.correlate.entry import Entry
from streams.correlate.window import Window
from streams.errors import Place
from streams.rule import Correlation, CorrelationType, Expression, Rule, Threshold

SPAN = 10
RULES = ("a", "b", "c")
COUNTS = [CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT]
NUMBERS = [
    CorrelationType.VALUE_SUM,
    CorrelationType.VALUE_AVG,
    CorrelationType.VALUE_MIN,
    CorrelationType.VALUE_MAX,
    CorrelationType.VALUE_PERCENTILE,
]
COMPARE = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}
TEMPORAL = [CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED]


@pytest.fixture(scope="module", params=[2, 256], ids=["small_blocks", "usual_blocks"])
def blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("streams.correlate.timeline.SIZE", request.param)
        yield


def correlation(kind: CorrelationType, condition: Threshold | Expression, span: int = SPAN) -> Correlation:
    rule = Rule("outer", "outer", "outer", Place("rules.yml"), alerts=True)
    return Correlation(rule, kind, RULES, span, condition)


def named(name: str) -> Expression:
    return Expression("rule", name)


def both(*operands: Expression) -> Expression:
    return Expression("and", operands=operands)


def either(*operands: Expression) -> Expression:
    return Expression("or", operands=operands)


def without(operand: Expression) -> Expression:
    return Expression("not", operands=(operand,))


expressions = st.recursive(
    st.sampled_from(RULES).map(named),
    lambda inner: st.one_of(
        st.builds(both, inner, inner), st.builds(either, inner, inner), st.builds(without, inner)
    ),
    max_leaves=4,
)
limits = st.one_of(st.integers(0, 5), st.just(2.5))


def thresholds(operators: list[str], upper: st.SearchStrategy[Any]) -> st.SearchStrategy[Threshold]:
    percentiles = st.sampled_from([0, 30, 50, 75, 100])
    return st.builds(Threshold, st.sampled_from(operators), limits, st.just(("value",)), percentiles, upper)


conditions = st.one_of(
    st.tuples(
        st.sampled_from([*COUNTS, *NUMBERS, *TEMPORAL]),
        st.one_of(
            thresholds(sorted(COMPARE), st.none()),
            thresholds(["gt", "gte"], st.tuples(st.sampled_from(["lt", "lte"]), limits)),
        ),
    ),
    st.tuples(st.sampled_from(TEMPORAL), expressions),
)
contents = st.tuples(
    st.integers(0, 40),
    st.one_of(st.just(frozenset("a")), st.sets(st.sampled_from(RULES), min_size=1).map(frozenset)),
    st.lists(st.integers(0, 5), max_size=3).map(lambda values: tuple(sorted(values))),
)
steps = st.lists(st.tuples(st.integers(0, 12), st.one_of(contents, st.none())), max_size=40)


def value(kind: CorrelationType, condition: Threshold | Expression, window: list[Entry]) -> object:
    """Give the metric's value over a window's entries, None where it has none or the expression is false."""
    numbers = sorted(number for entry in window for number in entry.values)
    seen = {rule for entry in window for rule in entry.rules}
    match kind:
        case CorrelationType.EVENT_COUNT:
            return len(window)
        case CorrelationType.VALUE_COUNT:
            return len(set(numbers))
        case CorrelationType.VALUE_SUM:
            return sum(numbers) if numbers else None
        case CorrelationType.VALUE_AVG:
            return Fraction(sum(numbers), len(numbers)) if numbers else None
        case CorrelationType.VALUE_MIN | CorrelationType.VALUE_MAX:
            return (min if kind is CorrelationType.VALUE_MIN else max)(numbers, default=None)
        case CorrelationType.VALUE_PERCENTILE:
            return percentile(numbers, condition.percentile) if numbers else None
        case CorrelationType.TEMPORAL if isinstance(condition, Threshold):
            return len(seen)
        case CorrelationType.TEMPORAL:
            return len(seen) if holds(condition, seen) else None
        case _ if isinstance(condition, Threshold):
            return longest(window)
        case _:
            start = min((entry.time for entry in window), default=0) - 1
            return len(seen) if ends(condition, window, start) else None


def percentile(numbers: list[int], percent: int) -> Fraction:
    rank = Fraction(percent * (len(numbers) - 1), 100)
    low, high = numbers[int(rank)], numbers[-int(-rank // 1)]
    return low + (high - low) * (rank - int(rank))


def longest(window: list[Entry]) -> int:
    def extend(index: int, after: int) -> int:
        best = 0
        for further in range(index, len(RULES)):
            times = [entry.time for entry in window if RULES[further] in entry.rules and entry.time > after]
            if times:
                best = max(best, *(1 + extend(further + 1, found) for found in set(times)))
        return best

    return extend(0, -1)


def holds(expression: Expression, seen: set[str]) -> bool:
    if expression.operator == "rule":
        return expression.rule in seen
    found = [holds(operand, seen) for operand in expression.operands]
    return (
        not found[0]
        if expression.operator == "not"
        else (all if expression.operator == "and" else any)(found)
    )


def ends(expression: Expression, window: list[Entry], start: int) -> set[int]:
    """Give all times by which the expression can be satisfied from later than `start`."""
    if expression.operator == "rule":
        return {entry.time for entry in window if expression.rule in entry.rules and entry.time > start}
    if expression.operator == "not":
        return set() if ends(expression.operands[0], window, start) else {start}
    if expression.operator == "or":
        return set().union(*(ends(operand, window, start) for operand in expression.operands))
    starts = {start}
    for operand in expression.operands:
        starts = set().union(*(ends(operand, window, one) for one in starts))
    return starts


def expected(
    kind: CorrelationType, condition: Threshold | Expression, entries: list[Entry]
) -> dict[int, float]:
    firings = {}
    for now in sorted({entry.time for entry in entries}):
        window = [entry for entry in entries if now - SPAN <= entry.time <= now]
        found = value(kind, condition, window)
        if found is None:
            continue
        if isinstance(condition, Expression) or all(
            COMPARE[name](found, Fraction(number)) for name, number in condition.comparisons
        ):
            firings[now] = float(found)
    return firings


@pytest.mark.usefixtures("blocks")
@given(what=conditions, changes=steps, forgotten=st.integers(0, 30))
@settings(max_examples=300)
def test_a_window_is_a_function_of_its_entries(
    what: tuple[CorrelationType, Threshold | Expression],
    changes: list[tuple[int, tuple[int, frozenset[str], tuple[int, ...]] | None]],
    forgotten: int,
) -> None:
    kind, condition = what
    window = Window(correlation(kind, condition))
    held: dict[str, Entry] = {}
    before: dict[int, float] = {}
    whole = -1
    for place, (number, content) in enumerate(changes):
        name = str(number)
        if content is None or content[0] <= whole:
            if name not in held or held[name].time <= whole:
                continue
            window.discard(held.pop(name))
        else:
            time_, rules, values = content
            if kind is CorrelationType.VALUE_COUNT:
                values = tuple(sorted(set(values)))
            if name in held and held[name].time <= whole:
                continue
            entry = Entry(name, time_, rules, values)
            window.put(entry, held.get(name))
            held[name] = entry
        after = expected(kind, condition, [*held.values()])
        visible = {at: found for at, found in after.items() if at > whole}
        assert {at: float(window.value(at)) for at in window.firings(whole + 1, 1000)} == visible
        gone = {at for at in before if at > whole} - visible.keys()
        assert window.lost or not gone
        if not window.lost:
            assert {*window.gained} == visible.keys() - before.keys()
        assert [entry.id for entry in window.between(-1, 1000)] == [
            entry.id for entry in sorted(held.values(), key=lambda entry: (entry.time, entry.id))
        ]
        assert window.held == sum(entry.size for entry in held.values())
        before = after
        if place == len(changes) // 2 and forgotten:
            for entry in window.prune(forgotten):
                del held[entry.id]
            whole = max(whole, forgotten + SPAN - 1)
            before = {at: found for at, found in before.items() if at > whole}


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        (CorrelationType.EVENT_COUNT, Threshold("gte", 100)),
        (CorrelationType.VALUE_COUNT, Threshold("eq", 100, ("value",))),
        (CorrelationType.VALUE_AVG, Threshold("gte", 3, ("value",))),
        (CorrelationType.VALUE_MEDIAN, Threshold("gte", 3, ("value",))),
        (CorrelationType.TEMPORAL, both(named("a"), without(named("b")))),
        (CorrelationType.TEMPORAL_ORDERED, Threshold("gte", 3)),
        (CorrelationType.TEMPORAL_ORDERED, both(named("a"), without(named("b")), named("c"))),
    ],
    ids=lambda given: given.value if isinstance(given, CorrelationType) else "",
)
@pytest.mark.parametrize("order", ["shuffled", "backwards"])
def test_a_giant_group_out_of_order_does_not_stall(
    kind: CorrelationType, condition: Threshold | Expression, order: str
) -> None:
    window = Window(correlation(kind, condition, span=10_000))
    entries = [
        Entry(str(number), number, frozenset((rule,)), (number % 7,))
        for number, rule in zip(range(2000), itertools.cycle(RULES), strict=False)
    ]
    if order == "shuffled":
        random.Random(1).shuffle(entries)  # noqa: S311 - not for secrets
    else:
        entries.reverse()
    begin = time.process_time()
    for entry in entries:
        window.put(entry)
    assert time.process_time() - begin < 30  # some seconds where it is quiet
