"""What a window holds of one event, and how group keys and values are read from events."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from sys import intern

from streams.event import Scalar, Value, as_list
from streams.rule import Correlation, CorrelationType, Threshold

SEPARATOR = "\x1f"
_ESCAPED = str.maketrans({"\x1e": "\x1e0", SEPARATOR: "\x1e1"})
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
"""Whole numbers that surely fit the 64 bits of the state's JSON."""

Counted = str | int | float
"""What a metric counts: folded text for `value_count`, numbers for the others."""
Bare = Counted | tuple[Counted, ...]
"""The values of an entry, a single one as it is."""


class Entry:
    """One event in one window, or one firing of a correlation that another correlation refers to.

    `rules` are those of the correlation's rules that matched. `bare` is what the metric counts, a single
    value as it is. `chained` are the ids of the events behind a firing; it is None for an event, which is its
    own evidence. There may be an entry for each event and window, so it is kept small.
    """

    __slots__ = ("bare", "chained", "id", "rules", "time")

    def __init__(
        self,
        id: str,  # noqa: A002 - the usual name for it
        time: int,
        rules: frozenset[str],
        values: Bare = (),
        chained: tuple[str, ...] | None = None,
    ) -> None:
        self.id = id
        self.time = time
        self.rules = rules
        self.bare: Bare = values[0] if isinstance(values, tuple) and len(values) == 1 else values
        self.chained = chained

    @property
    def values(self) -> tuple[Counted, ...]:
        """What the metric counts."""
        values = self.bare
        return values if isinstance(values, tuple) else (values,)

    @property
    def evidence(self) -> tuple[str, ...]:
        """The ids of the events behind it."""
        return (self.id,) if self.chained is None else self.chained

    @property
    def size(self) -> int:
        """How many values it brings into a window, at least one: it is itself kept."""
        values = self.bare
        return len(values) or 1 if type(values) is tuple else 1

    def same(self, other: Entry) -> bool:
        """Tell whether two entries of one window and id say the same."""
        return (
            self.time == other.time
            and self.rules == other.rules
            and self.bare == other.bare
            and self.chained == other.chained
        )


def fold(value: Scalar) -> str:
    """Write a value so that equal ones are one text: case does not matter, and 5, 5.0, "5" are one."""
    if isinstance(value, str):
        folded = value.casefold()
        return value if folded == value else folded  # one text, where the event's own will do
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
        value = fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            choices.append((value,))
            continue
        present = [item for item in value if item is not None]
        if not present:
            return []
        spelled = {fold(item): item for item in sorted(present, key=repr, reverse=True)}
        choices.append(list(spelled.values()))
    return [(_key(values), values) for values in itertools.product(*choices)]


def _keys(fields: Mapping[str, Value], names: tuple[str, ...]) -> Iterable[str]:
    """Give the folded keys alone, without sorting out which spelling is shown."""
    if len(names) == 1:
        return [_escaped(fold(value)) for value in as_list(fields.get(names[0])) if value is not None]
    return [key for key, _ in groups(fields, names)]


def _key(values: Iterable[Scalar]) -> str:
    """Join folded values, so that no value can pass for two by holding the separator."""
    return SEPARATOR.join([_escaped(fold(value)) for value in values])


def _escaped(text: str) -> str:
    return text.translate(_ESCAPED) if SEPARATOR in text or "\x1e" in text else text


def counted_fields(correlation: Correlation, rules: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """Give the fields that a correlation's metric counts of an event that these rules match.

    A field counts once, however many of the rules it stands for.
    """
    condition = correlation.condition
    if not isinstance(condition, Threshold) or not condition.fields:
        return frozenset()
    return frozenset(tuple(correlation.field_for(name, rule) for name in condition.fields) for rule in rules)


def metric_values(
    kind: CorrelationType, fields: Mapping[str, Value], counted: Iterable[tuple[str, ...]]
) -> tuple[Counted, ...]:
    """Read from an event what a correlation's metric counts.

    `value_count` takes every element of a list as a value of its own; with several fields, each combination.
    The numeric metrics take numbers and numeric text, and leave out what is neither.
    """
    if not counted:
        return ()
    if kind is CorrelationType.VALUE_COUNT:
        return tuple(sorted({intern(key) for names in counted for key in _keys(fields, names)}))
    return tuple(sorted(number for names in counted for name in names for number in _numbers(fields, name)))


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
