"""What a window holds of one event, and how group keys and values are read from events."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from streams.event import Scalar, Value, as_list
from streams.rule import Correlation, CorrelationType, Threshold

SEPARATOR = "\x1f"
_ESCAPED = str.maketrans({"\x1e": "\x1e0", SEPARATOR: "\x1e1"})
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
"""Whole numbers that surely fit the 64 bits of the state's JSON."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in one window, or one firing of a correlation that another correlation refers to.

    `rules` are those of the correlation's rules that matched. `values` are what the metric counts: folded
    distinct values for `value_count`, numbers for the others. `evidence` are the ids of the events behind
    it: its own, or for a firing those that made it fire.
    """

    id: str
    time: int
    rules: frozenset[str]
    values: tuple[str | int | float, ...] = ()
    evidence: tuple[str, ...] = ()


def fold(value: Scalar) -> str:
    """Write a value so that equal ones are one text: case does not matter, and 5, 5.0, "5" are one."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).casefold()


def groups(fields: Mapping[str, Value], names: tuple[str, ...]) -> list[tuple[str, tuple[Scalar, ...]]]:
    """Give the groups that an event belongs to, each as a folded key and the values as they are in the event.

    An event whose list-valued group field has several values belongs to a group for each; one whose group
    field is null, absent or an empty list belongs to none (Sigma 2.1, "Correlation Rules", `group-by`).
    """
    choices: list[Sequence[Scalar]] = []
    for name in names:
        present = [value for value in as_list(fields.get(name)) if value is not None]
        if not present:
            return []
        spelled = {fold(value): value for value in sorted(present, key=repr, reverse=True)}
        choices.append(list(spelled.values()))
    return [(_key(values), values) for values in itertools.product(*choices)]


def _key(values: Iterable[Scalar]) -> str:
    """Join folded values, so that no value can pass for two by holding the separator."""
    return SEPARATOR.join(fold(value).translate(_ESCAPED) for value in values)


def metric_values(
    correlation: Correlation, fields: Mapping[str, Value], rules: Iterable[str]
) -> tuple[str | int | float, ...]:
    """Read from an event that these rules match what the correlation's metric counts.

    `value_count` takes every element of a list as a value of its own; with several fields, each combination.
    The numeric metrics take numbers and numeric text, and leave out what is neither. A field counts once,
    however many of the rules it stands for.
    """
    condition = correlation.condition
    if not isinstance(condition, Threshold) or not condition.fields:
        return ()
    read = {tuple(correlation.field_for(name, rule) for name in condition.fields) for rule in rules}
    if correlation.type is CorrelationType.VALUE_COUNT:
        return tuple(sorted({key for names in read for key, _ in groups(fields, names)}))
    return tuple(sorted(number for names in read for name in names for number in _numbers(fields, name)))


def _numbers(fields: Mapping[str, Value], name: str) -> list[int | float]:
    found: list[int | float] = []
    for value in as_list(fields.get(name)):
        number = _number(value)
        if number is not None:
            found.append(number)
    return found


def _number(value: Scalar) -> int | float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if _WHOLE.fullmatch(text):
            return int(text)
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None
