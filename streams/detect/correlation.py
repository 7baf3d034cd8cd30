"""Correlation documents (Sigma 2.1, "Sigma Correlation Rules"), read but with their references unresolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    SigmaCorrelationCondition,
    SigmaCorrelationTimespan,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError

from streams.detect.document import Document
from streams.event import NANOSECONDS
from streams.rule import CorrelationType, Expression, Threshold

_SECTION = "correlation"
_KEYS = {"type", "rules", "generate", "timespan", "group-by", "aliases", "condition"}
_UNITS = "smhd"
_LOWER, _UPPER = {"gt", "gte"}, {"lt", "lte"}
_OPERATORS = _LOWER | _UPPER | {"eq", "neq"}
_TEMPORAL = {CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED}
_MAX_CONDITION = 8192
_MAX_TIMESPAN = 100 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class Draft:
    """A correlation as written: `rules`, the aliases and the leaves of an expression are ids or names."""

    document: Document
    type: CorrelationType
    rules: tuple[str, ...]
    generate: bool
    timespan: int
    group_by: tuple[str, ...]
    aliases: dict[str, dict[str, str]]
    condition: Threshold | Expression


def draft_of(document: Document) -> Draft:
    """Read the `correlation` section.

    Raises:
        RefusedError: it is not as the specification has it.
    """
    section = document.content[_SECTION]
    if not isinstance(section, dict):
        raise document.refuse("`correlation` must be a map", _SECTION)
    for key in section:
        if key not in _KEYS:
            raise document.refuse(f"`{key}` is not part of a correlation in Sigma 2.1", _SECTION, key)
    kind = _type(section.get("type"), document)
    rules = _rules(section, kind, document)
    condition = _condition(section.get("condition"), kind, rules, document)
    if not rules and isinstance(condition, Expression):
        rules = tuple(dict.fromkeys(_leaves(condition)))
    return Draft(
        document=document,
        type=kind,
        rules=rules,
        generate=_generate(section, document),
        timespan=_timespan(section, document),
        group_by=_names(section.get("group-by"), document, "group-by"),
        aliases=_aliases(section.get("aliases"), document),
        condition=condition,
    )


def _type(value: Any, document: Document) -> CorrelationType:
    try:
        return CorrelationType(value)
    except ValueError:
        known = ", ".join(CorrelationType)
        raise document.refuse(
            f"no correlation type `{value}` in Sigma 2.1; there are {known}", _SECTION, "type"
        ) from None


def _rules(section: dict[str, Any], kind: CorrelationType, document: Document) -> tuple[str, ...]:
    rules = _names(section.get("rules"), document, "rules")
    if not rules and not (kind in _TEMPORAL and isinstance(section.get("condition"), str)):
        raise document.refuse("a correlation must name the rules that it is about", _SECTION, "rules")
    if kind is not CorrelationType.TEMPORAL_ORDERED:
        for index, rule in enumerate(rules):
            if rule in rules[:index]:
                raise document.refuse(f"the rule `{rule}` is named twice", _SECTION, "rules", index)
    return rules


def _timespan(section: dict[str, Any], document: Document) -> int:
    """Give the timespan in nanoseconds. pySigma has more units than the specification; they are refused."""
    written = section.get("timespan")
    if isinstance(written, str) and written[:-1].isdecimal() and written[-1] not in _UNITS:
        reason = f"no unit `{written[-1]}` of a timespan in Sigma 2.1; there are {', '.join(_UNITS)}"
        raise document.refuse(reason, _SECTION, "timespan")
    try:
        seconds = SigmaCorrelationTimespan(section["timespan"]).seconds
    except KeyError:
        raise document.refuse("a correlation must have a timespan", _SECTION) from None
    except SigmaError as error:
        raise document.refuse(str(error), _SECTION, "timespan") from None
    if seconds > _MAX_TIMESPAN:
        raise document.refuse("a timespan may be 100 years at most", _SECTION, "timespan")
    return seconds * NANOSECONDS


def _generate(section: dict[str, Any], document: Document) -> bool:
    """Read `generate`, which the specification has beside the section and pySigma inside it."""
    for owner, path in ((section, (_SECTION, "generate")), (document.content, ("generate",))):
        if "generate" in owner:
            if not isinstance(owner["generate"], bool):
                raise document.refuse("`generate` must be true or false", *path)
            return owner["generate"]
    return False


def _aliases(value: Any, document: Document) -> dict[str, dict[str, str]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.refuse("`aliases` must be a map", _SECTION, "aliases")
    for alias, fields in value.items():
        if not isinstance(fields, dict) or not all(isinstance(field, str) for field in fields.values()):
            reason = "an alias must map rules to fields"
            raise document.refuse(reason, _SECTION, "aliases", alias)
    return value


def _names(value: Any, document: Document, key: str) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise document.refuse(f"`{key}` must be text, or a list of texts", _SECTION, key)
    return tuple(names)


def _condition(
    value: Any, kind: CorrelationType, rules: tuple[str, ...], document: Document
) -> Threshold | Expression:
    if value is None and kind in _TEMPORAL:
        return Threshold("gte", len(rules))
    if isinstance(value, str) and kind in _TEMPORAL:
        return _extended(value, rules, document)
    if not isinstance(value, dict):
        raise document.refuse(
            "a correlation of this type must have a map as its condition", _SECTION, "condition"
        )
    return _threshold(value, kind, document)


def _threshold(value: dict[str, Any], kind: CorrelationType, document: Document) -> Threshold:
    path = (_SECTION, "condition")
    if any(isinstance(number, bool) for number in value.values()):
        raise document.refuse("a condition compares with a number", *path)
    if not isinstance(value.get("percentile", 0), int):
        raise document.refuse("a percentile is a whole number", *path, "percentile")
    parsed, upper = _comparisons(value, document)
    fields = _names(value.get("field"), document, "condition")
    counts_values = kind.startswith("value_")
    if counts_values and not fields:
        raise document.refuse(f"a {kind} must name a `field` in its condition", *path)
    if fields and not counts_values:
        raise document.refuse(f"a {kind} counts no field", *path, "field")
    if len(fields) > 1 and kind is not CorrelationType.VALUE_COUNT:
        raise document.refuse(f"a {kind} is about one field", *path, "field")
    if (kind is CorrelationType.VALUE_PERCENTILE) != (parsed.percentile is not None):
        reason = (
            "`percentile` belongs to value_percentile, which needs it: Sigma 2.1 does not say which"
            " percentile is meant without"
        )
        raise document.refuse(reason, *path)
    if parsed.percentile is not None and not 0 <= parsed.percentile <= 100:
        raise document.refuse("a percentile is between 0 and 100", *path, "percentile")
    return Threshold(parsed.op.name.lower(), parsed.count, fields, parsed.percentile, upper)


def _comparisons(
    value: dict[str, Any], document: Document
) -> tuple[SigmaCorrelationCondition, tuple[str, int | float] | None]:
    """Have pySigma read the one comparison, or those of a range ("Condition": "To define a range")."""
    path = (_SECTION, "condition")
    operators = _OPERATORS.intersection(value)
    upper = operators & _UPPER if len(operators & _LOWER) == 1 and len(operators & _UPPER) == 1 else set()
    if len(operators - upper) > 1:
        reason = "a condition is one comparison, or a range: gt or gte together with lt or lte"
        raise document.refuse(reason, *path)
    try:
        parsed = SigmaCorrelationCondition.from_dict({k: v for k, v in value.items() if k not in upper})
        if not upper:
            return parsed, None
        (name,) = upper
        end = SigmaCorrelationCondition.from_dict({name: value[name]})
    except (SigmaError, TypeError) as error:
        raise document.refuse(str(error), *path) from None
    if end.count < parsed.count:
        raise document.refuse("nothing is in this range: its upper end is below its lower", *path)
    return parsed, (name, end.count)


def _extended(text: str, rules: tuple[str, ...], document: Document) -> Expression:
    path = (_SECTION, "condition")
    if len(text) > _MAX_CONDITION:
        raise document.refuse(f"the condition has more than {_MAX_CONDITION} characters", *path)
    try:
        expression = _expression(SigmaExtendedCorrelationCondition(text).parsed)
    except SigmaError as error:
        raise document.refuse(str(error), *path) from None
    except RecursionError:
        raise document.refuse("the condition is nested too deeply", *path) from None
    if rules and (difference := set(rules).symmetric_difference(_leaves(expression))):
        names = ", ".join(sorted(difference))
        raise document.refuse(
            f"`rules` and the condition must name the same rules; only one has {names}", *path
        )
    return expression


def _expression(parsed: Any) -> Expression:
    if isinstance(parsed, SigmaRuleReference):
        return Expression("rule", parsed.reference)
    operator = (
        "not"
        if isinstance(parsed, CorrelationConditionNOT)
        else "and"
        if isinstance(parsed, CorrelationConditionAND)
        else "or"
    )
    return Expression(operator, operands=tuple(_expression(argument) for argument in parsed.args))


def _leaves(expression: Expression) -> list[str]:
    own = [] if expression.rule is None else [expression.rule]
    return own + [leaf for operand in expression.operands for leaf in _leaves(operand)]
