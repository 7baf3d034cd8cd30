"""What a metric's value is compared with, and how numbers are kept exact.

Sums are exact fractions, so that the order of arrival can never change a result.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Collection
from fractions import Fraction
from typing import Any

from streams.rule import Expression, Threshold

Number = int | float
Exact = int | Fraction
_LARGEST = 2**63 - 1
"""Whole values beyond are given as floats: the JSON of state and alerts holds 64 bits."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "eq": operator.eq,
    "neq": operator.ne,
}


def test_of(condition: Threshold) -> Callable[[Exact, int], bool]:
    """Make the test whether a number, of which so many times its value are given, satisfies a condition."""
    comparisons = [(_COMPARE[name], exact(number)) for name, number in condition.comparisons]
    if len(comparisons) == 1:
        ((compare, limit),) = comparisons
        return lambda value, times: compare(value, limit * times)
    return lambda value, times: all(compare(value, limit * times) for compare, limit in comparisons)


def needs_absence(condition: Threshold | Expression) -> bool:
    """Tell whether a firing may rest on something *not* having happened: it must await the watermark."""
    if isinstance(condition, Threshold):
        return any(operator in ("lt", "lte", "eq", "neq") for operator, _ in condition.comparisons)
    return condition.operator == "not" or any(needs_absence(operand) for operand in condition.operands)


def holds(expression: Expression, seen: Collection[str]) -> bool:
    """Tell whether an extended condition holds, by the rules that were seen in any order."""
    match expression.operator:
        case "rule":
            return expression.rule in seen
        case "not":
            return not holds(expression.operands[0], seen)
        case "and":
            return all(holds(operand, seen) for operand in expression.operands)
        case _:
            return any(holds(operand, seen) for operand in expression.operands)


def exact(number: str | Number) -> Exact:
    """Give a number as it was written: 0.1 is a tenth, not the double next to it."""
    if isinstance(number, int):
        return number
    written = Fraction(repr(number))
    return written.numerator if written.denominator == 1 else written


def plain(number: Exact) -> Number:
    """Give the number to show: whole where it is whole and 64 bits hold it, the nearest double otherwise."""
    if number.denominator == 1 and -_LARGEST <= number <= _LARGEST:
        return number.numerator
    try:
        return float(number)
    except OverflowError:
        return sys.float_info.max if number > 0 else -sys.float_info.max
