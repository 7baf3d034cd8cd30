"""Rules as they are without exceptions: their alerts say what the exceptions suppress.

A shadow is the same rule once more, of which the exceptions are left out, and so is every correlation over
it. What it raises for events that an exception covers is kept, counted and listed, and wakes nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from streams.detect.book import Detection
from streams.rule import SHADOW, Correlation, Expression, Rule, Threshold

_Without = tuple[tuple[str, str], ...]
"""Exceptions, each with the detection that it is for."""


def shadows(
    detections: Iterable[Detection],
    excepted: Mapping[str, Sequence[str]],
    correlations: Iterable[Correlation],
) -> tuple[list[Detection], list[Correlation]]:
    """Make the shadows of a book.

    `detections` are those with exceptions, as they are without them; `excepted` gives the exceptions' names
    by the rules' ids. `correlations` stand after those that they refer to.
    """
    detections = [*detections]
    labels = {one.rule.id: one.rule.label for one in detections}
    without = {
        rule_id: tuple((name, labels[rule_id]) for name in names) for rule_id, names in excepted.items()
    }
    made = [replace(one, rule=_shadow(one.rule, without[one.rule.id])) for one in detections]
    above: list[Correlation] = []
    for correlation in correlations:
        below = sorted({pair for rule in correlation.rules for pair in without.get(rule, ())})
        if below:
            without[correlation.rule.id] = tuple(below)
            above.append(_over_shadows(correlation, without))
    return made, above


def _shadow(rule: Rule, without: _Without) -> Rule:
    return replace(rule, id=f"{rule.id}{SHADOW}", without=without)


def _over_shadows(correlation: Correlation, without: Mapping[str, _Without]) -> Correlation:
    def named(rule_id: str) -> str:
        return f"{rule_id}{SHADOW}" if rule_id in without else rule_id

    def expression(one: Expression) -> Expression:
        rule = None if one.rule is None else named(one.rule)
        return replace(one, rule=rule, operands=tuple(map(expression, one.operands)))

    condition = correlation.condition
    return replace(
        correlation,
        rule=_shadow(correlation.rule, without[correlation.rule.id]),
        rules=tuple(map(named, correlation.rules)),
        condition=condition if isinstance(condition, Threshold) else expression(condition),
        aliases={
            alias: {named(rule_id): name for rule_id, name in fields.items()}
            for alias, fields in correlation.aliases.items()
        },
    )
