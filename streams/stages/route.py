"""Which partition counts a group of a correlation.

All that must meet counts in one place: the windows of one group; a correlation and those that refer to its
firings; and whatever is grouped by the actor, whose breaches page once over all rules. So correlations that
refer to each other make a *family*, which is routed by the group fields that all of it have in common, by
the actor alone where that is one of them. A family without a common field counts in one partition.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

from streams.correlate.entry import SEPARATOR, fold, groups
from streams.correlate.subscriptions import Subscriptions
from streams.event import Fields, Scalar, first
from streams.rule import Correlation, Rule

ACTOR = "outfall.actor.id"


class Router:
    """The routes of a rule book's groups over so many partitions."""

    def __init__(self, rules: Sequence[Rule], correlations: Sequence[Correlation], partitions: int) -> None:
        self._subscriptions = Subscriptions(rules, correlations)
        self._partitions = partitions
        self._routes = _families(correlations)

    def partition(self, correlation: Correlation, group: Mapping[str, Scalar]) -> int:
        """Give the partition in which a group counts."""
        if not self._partitions:
            return 0
        family, names = self._routes.get(correlation.rule.id) or _alone(correlation)
        if ACTOR in names:
            family, names = ACTOR, (ACTOR,)
        key = SEPARATOR.join([family, *(fold(group.get(name)) for name in names)])
        return zlib.crc32(key.encode("utf-8", "surrogatepass")) % self._partitions

    def partitions(self, fields: Fields, rules: Sequence[Rule]) -> set[int]:
        """Give the partitions that an event which these rules match must reach."""
        found: set[int] = set()
        for rule in rules:
            for serving in self._subscriptions.serving(rule.id):
                correlation, names = serving.correlation, serving.names
                spelled = [values for _, values in groups(fields, names)]
                if not spelled and not correlation.timespan:
                    spelled = [tuple(first(fields.get(name)) for name in names)]
                for values in spelled:
                    group = dict(zip(correlation.group_by, values, strict=True))
                    found.add(self.partition(correlation, group))
        return found


def _alone(correlation: Correlation) -> tuple[str, tuple[str, ...]]:
    """Give the route of a detection that alerts by itself, which nothing refers to as a correlation."""
    return correlation.rule.id, correlation.group_by


def _families(correlations: Sequence[Correlation]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give each correlation's family and the fields by which it is routed."""
    by_id = {correlation.rule.id: correlation for correlation in correlations}
    family = {rule_id: rule_id for rule_id in by_id}

    def root(rule_id: str) -> str:
        while family[rule_id] != rule_id:
            rule_id = family[rule_id]
        return rule_id

    common = {rule_id: set(correlation.group_by) for rule_id, correlation in by_id.items()}
    for correlation in correlations:
        for referred in correlation.rules:
            if referred not in by_id:
                continue
            ours, theirs = root(correlation.rule.id), root(referred)
            # A name that stands for another field of the firings does not name one thing in both.
            shared = {name for name in common[ours] if correlation.field_for(name, referred) == name}
            shared &= common[theirs]
            first_of, other = sorted((ours, theirs))
            family[other] = first_of
            common[first_of] = shared
    return {rule_id: (root(rule_id), tuple(sorted(common[root(rule_id)]))) for rule_id in by_id}
