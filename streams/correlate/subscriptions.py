"""Which correlations an event matters to, by the rules that match it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streams.correlate.entry import counted_fields
from streams.event import NANOSECONDS
from streams.rule import Correlation, CorrelationType, Rule, Threshold

QUIET = 24 * 3600 * NANOSECONDS
"""An episode closes after this long without a firing, if its rule says nothing else."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Serving:
    """That a rule serves a correlation.

    `names` are the fields of the rule's events that make the group, `counted` those that the metric counts.
    """

    correlation: Correlation
    names: tuple[str, ...]
    rules: frozenset[str]
    counted: frozenset[tuple[str, ...]]


class Subscriptions:
    """The correlations of a book, and one for each detection that alerts by itself."""

    def __init__(self, rules: Iterable[Rule], correlations: Sequence[Correlation]) -> None:
        alone = [_alone(rule) for rule in rules if rule.alerts]
        self._by_id = {correlation.rule.id: correlation for correlation in (*correlations, *alone)}
        self._serving: dict[str, list[Serving]] = {}
        for correlation in (*correlations, *alone):
            for rule in dict.fromkeys(correlation.rules):
                names = tuple(correlation.field_for(name, rule) for name in correlation.group_by)
                only = frozenset((rule,))
                serving = Serving(correlation, names, only, counted_fields(correlation, only))
                self._serving.setdefault(rule, []).append(serving)

    def find(self, rule_id: str) -> Correlation | None:
        """Give the correlation of a rule."""
        return self._by_id.get(rule_id)

    def serving(self, rule_id: str) -> Sequence[Serving]:
        """Give the correlations that refer to a rule."""
        return self._serving.get(rule_id, ())

    def feeds(self, correlation: Correlation) -> bool:
        """Tell whether other correlations refer to this one; what refers to a detection sees its events."""
        return correlation.timespan > 0 and correlation.rule.id in self._serving


def quiet(rule: Rule) -> int:
    """Give how long a rule's episode stays open without a firing, in nanoseconds."""
    text = rule.extras.quiet
    return QUIET if text is None else int(text[:-1]) * _UNITS[text[-1]] * NANOSECONDS


def _alone(rule: Rule) -> Correlation:
    """Treat a detection that alerts by itself as a correlation: one event is enough, over no time at all."""
    return Correlation(
        rule=rule,
        type=CorrelationType.EVENT_COUNT,
        rules=(rule.id,),
        timespan=0,
        condition=Threshold("gte", 1),
        group_by=tuple(rule.extras.group_by),
    )
