"""The metrics of the correlation types, as reducers: entries go in and out, `value` tells where it stands.

Sums are kept as exact fractions, so that the order of arrival can never change a result.
"""

from __future__ import annotations

import bisect
import math
import sys
from collections import Counter
from fractions import Fraction
from typing import Protocol

from streams.correlate.entry import Entry
from streams.correlate.ordered import Chains, is_satisfied
from streams.rule import Correlation, CorrelationType, Expression, Threshold

Number = int | float
Exact = int | Fraction
_LARGEST = 2**63 - 1
"""Whole values beyond are given as floats: the JSON of state and alerts holds 64 bits."""


class Metric(Protocol):
    """State over the entries of one window position: they come and go in the order of time."""

    def add(self, entry: Entry) -> None:
        """Take an entry in."""
        ...

    def remove(self, entry: Entry) -> None:
        """Let an entry go that was taken in before."""
        ...

    def value(self) -> Exact | None:
        """Give the metric's value, or None where nothing can be said (the mean of nothing)."""
        ...


class EventCount:
    """How many events."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, entry: Entry) -> None:  # noqa: ARG002 - one event is one, whatever it holds
        self._count += 1

    def remove(self, entry: Entry) -> None:  # noqa: ARG002 - as above
        self._count -= 1

    def value(self) -> Exact | None:
        return self._count


class ValueCount:
    """How many distinct values."""

    def __init__(self) -> None:
        self._times: Counter[str | int | float] = Counter()

    def add(self, entry: Entry) -> None:
        for value in entry.values:
            self._times[value] += 1

    def remove(self, entry: Entry) -> None:
        for value in entry.values:
            self._times[value] -= 1
            if not self._times[value]:
                del self._times[value]

    def value(self) -> Exact | None:
        return len(self._times)


class Sum:
    """The sum of the values, or their mean."""

    def __init__(self, *, mean: bool) -> None:
        self._mean = mean
        self._sum = Fraction(0)
        self._count = 0

    def add(self, entry: Entry) -> None:
        for value in entry.values:
            self._sum += exact(value)
        self._count += len(entry.values)

    def remove(self, entry: Entry) -> None:
        for value in entry.values:
            self._sum -= exact(value)
        self._count -= len(entry.values)

    def value(self) -> Exact | None:
        if not self._count:
            return None
        return self._sum / self._count if self._mean else self._sum


class Percentile:
    """The percentile of the values, interpolated linearly between the closest ranks (numpy's default).

    Sigma leaves the interpolation open; this is the definition of Hyndman and Fan (1996), type 7.
    """

    def __init__(self, percent: int) -> None:
        self._percent = percent
        self._values: list[str | int | float] = []

    def add(self, entry: Entry) -> None:
        for value in entry.values:
            bisect.insort(self._values, value)

    def remove(self, entry: Entry) -> None:
        for value in entry.values:
            del self._values[bisect.bisect_left(self._values, value)]

    def value(self) -> Exact | None:
        if not self._values:
            return None
        rank = Fraction(self._percent, 100) * (len(self._values) - 1)
        low, high = exact(self._values[math.floor(rank)]), exact(self._values[math.ceil(rank)])
        return low + (high - low) * (rank - math.floor(rank))


class Temporal:
    """How many of the rules have matched; with an expression, whether it holds."""

    def __init__(self, expression: Expression | None) -> None:
        self._expression = expression
        self._times: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        self._times.update(entry.rules)

    def remove(self, entry: Entry) -> None:
        for rule in entry.rules:
            self._times[rule] -= 1
            if not self._times[rule]:
                del self._times[rule]

    def value(self) -> Exact | None:
        if self._expression is not None and not _holds(self._expression, self._times):
            return None
        return len(self._times)


class TemporalOrdered:
    """How many of the rules have matched one after another, at strictly increasing times."""

    def __init__(self, rules: tuple[str, ...]) -> None:
        self._chains = Chains(rules)

    def add(self, entry: Entry) -> None:
        self._chains.add(entry.time, entry.rules)

    def remove(self, entry: Entry) -> None:
        self._chains.forget(entry.time)

    def value(self) -> Exact | None:
        return self._chains.longest()


class TemporalOrderedExpression:
    """How many of the rules have matched, where an extended condition holds in order."""

    def __init__(self, expression: Expression) -> None:
        self._expression = expression
        self._entries: dict[str, Entry] = {}

    def add(self, entry: Entry) -> None:
        self._entries[entry.id] = entry

    def remove(self, entry: Entry) -> None:
        del self._entries[entry.id]

    def value(self) -> Exact | None:
        times: dict[str, list[int]] = {}
        for entry in self._entries.values():
            for rule in entry.rules:
                times.setdefault(rule, []).append(entry.time)
        return len(times) if is_satisfied(self._expression, times) else None


_PERCENTS = {CorrelationType.VALUE_MIN: 0, CorrelationType.VALUE_MEDIAN: 50, CorrelationType.VALUE_MAX: 100}


def metric_for(correlation: Correlation) -> Metric:
    """Make an empty metric of the correlation's type."""
    condition = correlation.condition
    expression = condition if isinstance(condition, Expression) else None
    match correlation.type:
        case CorrelationType.EVENT_COUNT:
            return EventCount()
        case CorrelationType.VALUE_COUNT:
            return ValueCount()
        case CorrelationType.VALUE_SUM:
            return Sum(mean=False)
        case CorrelationType.VALUE_AVG:
            return Sum(mean=True)
        case CorrelationType.VALUE_MIN | CorrelationType.VALUE_MEDIAN | CorrelationType.VALUE_MAX as kind:
            return Percentile(_PERCENTS[kind])
        case CorrelationType.VALUE_PERCENTILE:
            percent = condition.percentile if isinstance(condition, Threshold) else None
            return Percentile(50 if percent is None else percent)
        case CorrelationType.TEMPORAL:
            return Temporal(expression)
        case CorrelationType.TEMPORAL_ORDERED:
            if expression is None:
                return TemporalOrdered(correlation.rules)
            return TemporalOrderedExpression(expression)


_COMPARE = {
    "lt": lambda value, number: value < number,
    "lte": lambda value, number: value <= number,
    "gt": lambda value, number: value > number,
    "gte": lambda value, number: value >= number,
    "eq": lambda value, number: value == number,
    "neq": lambda value, number: value != number,
}


def is_true(condition: Threshold | Expression, value: Exact | None) -> bool:
    """Tell whether a metric's value satisfies the condition; a metric without a value satisfies none."""
    if value is None:
        return False
    if isinstance(condition, Expression):
        return True  # the metric has evaluated it: no value where it does not hold
    return all(_COMPARE[operator](value, exact(number)) for operator, number in condition.comparisons)


def needs_absence(condition: Threshold | Expression) -> bool:
    """Tell whether a firing may rest on something *not* having happened: it must await the watermark."""
    if isinstance(condition, Threshold):
        return any(operator in ("lt", "lte", "eq", "neq") for operator, _ in condition.comparisons)
    return condition.operator == "not" or any(needs_absence(operand) for operand in condition.operands)


def _holds(expression: Expression, seen: Counter[str]) -> bool:
    match expression.operator:
        case "rule":
            return expression.rule in seen
        case "not":
            return not _holds(expression.operands[0], seen)
        case "and":
            return all(_holds(operand, seen) for operand in expression.operands)
        case _:
            return any(_holds(operand, seen) for operand in expression.operands)


def exact(number: str | Number) -> Fraction:
    """Give a number as it was written: 0.1 is a tenth, not the double next to it."""
    return Fraction(number if isinstance(number, int) else repr(number))


def plain(number: Exact) -> Number:
    """Give the number to show: whole where it is whole and 64 bits hold it, the nearest double otherwise."""
    if number.denominator == 1 and -_LARGEST <= number <= _LARGEST:
        return number.numerator
    try:
        return float(number)
    except OverflowError:
        return sys.float_info.max if number > 0 else -sys.float_info.max
