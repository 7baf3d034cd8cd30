"""Correlations with their references resolved, each after those that it refers to."""

from __future__ import annotations

from dataclasses import replace

from streams.detect.correlation import Draft
from streams.detect.document import RefusedError
from streams.detect.register import Register
from streams.errors import Refusal
from streams.rule import Correlation, Expression, Rule, Threshold

_RULES = ("correlation", "rules")
Drafts = dict[str, tuple[Rule, Draft]]
"""By the rule's id."""


def chain(drafts: Drafts, register: Register) -> tuple[list[Correlation], list[Refusal]]:
    """Resolve all drafts, in the order in which that is possible; what is left over goes in circles."""
    waiting = dict(drafts)
    done: list[Correlation] = []
    refused: list[Refusal] = []
    progress = True
    while waiting and progress:
        progress = False
        for own_id, (rule, draft) in list(waiting.items()):
            if _referred(draft, register) & waiting.keys():
                continue
            progress = True
            del waiting[own_id]
            try:
                done.append(_resolved(rule, draft, register))
            except RefusedError as error:
                register.forget(rule)
                refused.append(error.refusal)
    refused += [_circle(own_id, waiting, register) for own_id in waiting]
    for rule, _ in waiting.values():
        register.forget(rule)
    return done, refused


def served_and_kept(drafts: Drafts, register: Register) -> tuple[set[str], set[str]]:
    """Give the ids of the rules that correlations refer to, and of those that alert none the less.

    A refused correlation counts: the rules that were to serve it must not begin to alert by themselves.
    """
    served: set[str] = set()
    kept: set[str] = set()
    for _, draft in drafts.values():
        ids = _referred(draft, register)
        served |= ids
        if draft.generate:
            kept |= ids
    return served, kept


def _referred(draft: Draft, register: Register) -> set[str]:
    return {rule.id for reference in draft.rules if (rule := register.known(reference)) is not None}


def _resolved(rule: Rule, draft: Draft, register: Register) -> Correlation:
    document = draft.document
    listed = isinstance(document.content["correlation"].get("rules"), list)
    ids: dict[str, str] = {}
    for index, reference in enumerate(draft.rules):
        found = register.find(reference, document, *_RULES, *((index,) if listed else ()))
        if reference not in ids and found.id in ids.values():
            raise document.refuse(f"the rule `{reference}` is named twice", *_RULES, index)
        ids[reference] = found.id
    return Correlation(
        rule=rule,
        type=draft.type,
        rules=tuple(ids[reference] for reference in draft.rules),
        timespan=draft.timespan,
        condition=_condition(draft.condition, ids),
        group_by=draft.group_by,
        aliases={
            alias: {
                _aliased(alias, reference, draft, ids, register): name for reference, name in fields.items()
            }
            for alias, fields in draft.aliases.items()
        },
    )


def _condition(condition: Threshold | Expression, ids: dict[str, str]) -> Threshold | Expression:
    if isinstance(condition, Threshold):
        return condition
    return _expression(condition, ids)


def _expression(expression: Expression, ids: dict[str, str]) -> Expression:
    return replace(
        expression,
        rule=None if expression.rule is None else ids[expression.rule],
        operands=tuple(_expression(operand, ids) for operand in expression.operands),
    )


def _aliased(alias: str, reference: str, draft: Draft, ids: dict[str, str], register: Register) -> str:
    """Give the id of the rule that an alias speaks of; it must be one of the correlation's."""
    path = ("correlation", "aliases", alias, reference)
    found = register.find(reference, draft.document, *path)
    if found.id not in ids.values():
        raise draft.document.refuse(f"`{reference}` is none of the correlation's rules", *path)
    return found.id


def _circle(own_id: str, waiting: Drafts, register: Register) -> Refusal:
    """Say why a correlation is left over: it refers to itself, in a circle, or to one that does."""
    rule, draft = waiting[own_id]
    if own_id in _referred(draft, register):
        return draft.document.refuse(f"the correlation refers to itself, `{rule.label}`", *_RULES).refusal
    seen: set[str] = set()
    frontier = {own_id}
    while frontier:
        frontier = {
            reached
            for one in frontier
            for reached in _referred(waiting[one][1], register) & waiting.keys()
            if reached not in seen
        }
        seen |= frontier
    if own_id in seen:
        names = ", ".join(sorted(waiting[one][0].label for one in seen))
        return draft.document.refuse(
            f"correlations refer to each other in a circle: {names}", *_RULES
        ).refusal
    return draft.document.refuse("it refers to correlations that were refused", *_RULES).refusal
