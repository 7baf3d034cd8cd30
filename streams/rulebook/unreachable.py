"""Conditions that nothing can ever fulfil: a rule that looks as if it watched, and does not."""

from __future__ import annotations

from streams.detect.book import RuleBook
from streams.detect.tree import And, Node, Not, Or
from streams.rule import Rule, Threshold


def unreachable(book: RuleBook) -> list[Rule]:
    """Give the rules that never fire, whatever happens; those of which it cannot be told are not among them.

    A list-valued field can be two things at once, so that only what contradicts itself literally counts:
    `x and not x`, and a range whose ends exclude each other.
    """
    found = [detection.rule for detection in book.detections if _never(detection.condition)]
    dead = {rule.id for rule in found}
    for correlation in book.correlations:
        condition = correlation.condition
        empty = isinstance(condition, Threshold) and _is_empty(condition)
        if empty or all(rule in dead for rule in correlation.rules):
            found.append(correlation.rule)
            dead.add(correlation.rule.id)
    return found


def _never(node: Node) -> bool:
    if isinstance(node, Or):
        return all(map(_never, node.parts))
    if not isinstance(node, And):
        return False
    parts = _flat(node)
    denied = [part.part for part in parts if isinstance(part, Not)]
    return any(part in denied for part in parts) or any(map(_never, parts))


def _flat(node: And) -> list[Node]:
    """Give the parts of an `and`, those of an `and` among them too."""
    return [inner for part in node.parts for inner in (_flat(part) if isinstance(part, And) else [part])]


def _is_empty(condition: Threshold) -> bool:
    """Tell whether a range has no number in it; one whose ends are the wrong way round is refused before."""
    if condition.upper is None:
        return False
    (lower, low), (upper, high) = condition.comparisons
    return low == high and (lower, upper) != ("gte", "lte")
