"""Mutants of a rule: the same rule with one thing left out or changed, which its tests must notice.

Mutation testing (DeMillo, Lipton, Sayward, "Hints on Test Data Selection", 1978): a mutant whose tests all
pass shows a condition that no test is about. One thing is
* a condition of a detection: a part of an `and`, a `not`, a branch of an `or` over several fields. The values
  that a field is compared with are one condition together, not one each; nor are the log source or an expiry
* a number that something is compared with, one up and one down; a timespan, half and double
* a field of `group-by`, a rule that a correlation refers to, what `outfall:` says of pages and severity
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from streams.detect.book import Detection, RuleBook
from streams.detect.tree import And, Atom, Before, Compare, Node, Not, Or, TimePart
from streams.detect.words import words
from streams.rule import Correlation, Expression, Rule, Threshold


@dataclass(frozen=True, slots=True)
class Mutant:
    """A whole rule book in which one rule says something else; `changed` says what, in words."""

    rule: Rule
    changed: str
    book: RuleBook


def mutants(book: RuleBook, path: str) -> Iterator[Mutant]:
    """Give every mutant of the rules that stand in a file."""
    without = {one.rule.base_id: one for one in book.shadow_detections}
    for number, detection in enumerate(book.detections):
        if detection.rule.place.path == path:
            base = without.get(detection.rule.id, detection)
            for changed, mutant in _of_detection(detection, base):
                changed_book = replace(book, detections=_with(book.detections, number, mutant))
                yield Mutant(detection.rule, changed, changed_book)
    names = {rule.id: rule.label for rule in book.rules}
    for number, correlation in enumerate(book.correlations):
        if correlation.rule.place.path == path:
            for changed, other in _of_correlation(correlation, names):
                changed_book = replace(book, correlations=_with(book.correlations, number, other))
                yield Mutant(correlation.rule, changed, changed_book)


def _with(items: tuple[Any, ...], number: int, item: Any) -> tuple[Any, ...]:
    return (*items[:number], item, *items[number + 1 :])


def _of_detection(detection: Detection, without: Detection) -> Iterator[tuple[str, Detection]]:
    """Give the mutants of a detection; `without` is the same without its exceptions, which have tests."""
    own = without.condition
    for changed, node in _of_tree(own):
        yield changed, replace(detection, condition=_put(detection.condition, own, node or _always(own)))
    for changed, rule in _of_rule(detection.rule):
        yield changed, replace(detection, rule=rule)
    if detection.rule.alerts:
        yield from (
            (f"without {name} in group_by", replace(detection, rule=_grouped(detection.rule, name)))
            for name in detection.rule.extras.group_by
        )


def _put(node: Node, old: Node, new: Node) -> Node:
    """Put a tree in place of another, down the first parts of a tree."""
    if node == old or not isinstance(node, And):
        return new
    return And((_put(node.parts[0], old, new), *node.parts[1:]))


def _grouped(rule: Rule, without: str) -> Rule:
    rest = [name for name in rule.extras.group_by if name != without]
    return replace(rule, extras=rule.extras.model_copy(update={"group_by": rest}))


def _of_tree(node: Node) -> Iterator[tuple[str, Node | None]]:
    """Give the trees that lack one condition, or compare with another number; None for one without any."""
    if isinstance(node, Before):
        return
    if _is_one(node):
        yield f"without: {_told(node)}", None
        yield from _numbers(node)
        return
    if isinstance(node, Not):
        yield f"without: {_told(node)}", None
        for changed, part in _of_tree(node.part):
            if part is not None:
                yield changed, Not(part)
        return
    parts = node.parts if isinstance(node, And | Or) else ()
    made = And if isinstance(node, And) else Or
    for number, part in enumerate(parts):
        rest = (*parts[:number], *parts[number + 1 :])
        for changed, inner in _of_tree(part):
            if inner is not None:
                yield changed, made((*parts[:number], inner, *parts[number + 1 :]))
            elif rest:
                yield changed, rest[0] if len(rest) == 1 else made(rest)


def _is_one(node: Node) -> bool:
    """Tell whether a node is one condition: an atom, or values of one field."""
    if isinstance(node, Or | And):
        fields = {part.field if not isinstance(part, And | Or | Not) else object() for part in node.parts}
        return len(fields) == 1 and all(type(part) is type(node.parts[0]) for part in node.parts)
    return not isinstance(node, Not)


def _numbers(node: Node) -> Iterator[tuple[str, Node | None]]:
    if isinstance(node, Compare | TimePart):
        for number in (node.number + 1, node.number - 1):
            yield f"{words(node)}: {number} instead", replace(node, number=number)


def _told(node: Node) -> str:
    if isinstance(node, Not):
        return f"not ({_told(node.part)})"
    if isinstance(node, And | Or):
        joint = " and " if isinstance(node, And) else " or "
        return joint.join(_told(part) for part in node.parts[:3]) + (" …" if len(node.parts) > 3 else "")
    return words(node)


def _always(node: Node) -> Node:
    """Give a tree that is true of every event, made of an atom of another."""
    while not isinstance(node, Atom):
        node = node.part if isinstance(node, Not) else node.parts[0]
    return Or((node, Not(node)))


def _of_correlation(correlation: Correlation, names: Mapping[str, str]) -> Iterator[tuple[str, Correlation]]:
    condition = correlation.condition
    if isinstance(condition, Threshold):
        for number in (condition.number + 1, condition.number - 1):
            changed = f"{condition.operator} {number} instead of {condition.number}"
            yield changed, replace(correlation, condition=replace(condition, number=number))
    for changed, span in (("half", correlation.timespan // 2), ("double", correlation.timespan * 2)):
        yield f"{changed} the timespan", replace(correlation, timespan=span)
    for name in correlation.group_by:
        rest = tuple(each for each in correlation.group_by if each != name)
        yield f"without {name} in group-by", replace(correlation, group_by=rest)
    if len(correlation.rules) > 1:
        for rule in correlation.rules:
            yield f"without the rule {names[rule]}", _without(correlation, rule)
    for changed, other in _of_rule(correlation.rule):
        yield changed, replace(correlation, rule=other)


def _without(correlation: Correlation, rule: str) -> Correlation:
    rest = tuple(each for each in correlation.rules if each != rule)
    condition = correlation.condition
    if isinstance(condition, Expression):
        condition = _pruned(condition, rule) or condition
    return replace(correlation, rules=rest, condition=condition)


def _pruned(expression: Expression, rule: str) -> Expression | None:
    """Give an expression without a rule; None where nothing is left of it."""
    if expression.rule is not None:
        return None if expression.rule == rule else expression
    operands = tuple(kept for each in expression.operands if (kept := _pruned(each, rule)) is not None)
    if not operands or (len(operands) == 1 and expression.operator != "not"):
        return operands[0] if operands else None
    return replace(expression, operands=operands)


def _of_rule(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Give the rule with each thing left out that `outfall:` says of pages and severity."""
    extras = rule.extras
    changes: dict[str, dict[str, Any]] = {}
    if not extras.page:
        changes["without page: false"] = {"page": True}
    if extras.severity is not None:
        changes[f"without severity: {extras.severity}"] = {"severity": None}
    if extras.max_severity is not None:
        changes[f"without max_severity: {extras.max_severity}"] = {"max_severity": None}
    for changed, update in changes.items():
        yield changed, replace(rule, extras=extras.model_copy(update=update))
