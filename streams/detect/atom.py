"""pySigma's values into the atoms of our tree (Sigma 2.1, appendix "Modifiers")."""

from __future__ import annotations

from typing import Any, NamedTuple

from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)

from streams.detect.text import as_text
from streams.detect.tree import (
    Cidr,
    Compare,
    Exists,
    Node,
    Null,
    Pattern,
    Reference,
    Regex,
    Text,
    TimePart,
    Wildcard,
    either,
)
from streams.safe_regex import compile_search

_WILDCARDS = {SpecialChars.WILDCARD_MULTI: Wildcard.MANY, SpecialChars.WILDCARD_SINGLE: Wildcard.ONE}
_ANCHORING = {"startswith", "endswith"}


class Shape(NamedTuple):
    """The field of a detection item, None for the whole event, and its modifiers."""

    field: str | None
    modifiers: tuple[str, ...]

    @property
    def cased(self) -> bool:
        """Whether letters compare as they are, wherever in the chain `cased` stands."""
        return "cased" in self.modifiers


def atom(value: SigmaType, written: Any, shape: Shape) -> Node:
    """Compile one value; `written` is how it stands in the rule.

    Raises:
        ValueError: it cannot be compiled exactly.
    """
    match value:
        case SigmaExpansion():
            return either(tuple(atom(one, written, shape) for one in value.values))
        case SigmaString():
            return _text(_pattern(value), shape)
        case SigmaRegularExpression():
            flags = "".join(sorted(SigmaRegularExpression.sigma_to_re_flag[flag] for flag in value.flags))
            compile_search(written, flags)  # refuses what could not be run
            return Regex(shape.field, written, flags)
        case SigmaCIDRExpression():
            return Cidr(shape.field, value.network)
        case SigmaNumber() if not isinstance(value, SigmaTimestampPart):
            return _text((as_text(written),), shape)
        case SigmaBool():
            return _text((as_text(value.boolean),), shape)
    if shape.field is None:
        raise ValueError("this modifier needs a field")
    return _field_atom(value, written, shape.field, cased=shape.cased)


def _field_atom(value: SigmaType, written: Any, field: str, *, cased: bool) -> Node:
    match value:
        case SigmaNull():
            return Null(field)
        case SigmaExists():
            return Exists(field, value.exists)
        case SigmaCompareExpression(number=SigmaTimestampPart() as part):
            return TimePart(field, part.timestamp_part.name.lower(), value.op.name.lower(), _whole(written))
        case SigmaCompareExpression():
            return Compare(field, value.op.name.lower(), written)
        case SigmaTimestampPart():
            return TimePart(field, value.timestamp_part.name.lower(), "eq", _whole(written))
        case SigmaFieldReference():
            hows = {
                (True, True): "contains",
                (True, False): "startswith",
                (False, True): "endswith",
                (False, False): "equals",
            }
            return Reference(field, value.field, hows[value.starts_with, value.ends_with], cased)
    raise ValueError(f"values of the type {type(value).__name__} are not supported")


def _whole(number: float) -> int:
    if not isinstance(number, int):
        raise ValueError("a part of a date is a whole number")  # noqa: TRY004 - about the rule, not the call
    return number


def _text(pattern: Pattern, shape: Shape) -> Text:
    """Make a test of a whole value; a keyword is searched for inside the values of the event."""
    if shape.field is None and not _ANCHORING.intersection(shape.modifiers):
        pattern = _joined((Wildcard.MANY, *pattern, Wildcard.MANY))
    return Text(shape.field, pattern, shape.cased)


def _pattern(value: SigmaString) -> Pattern:
    parts: list[str | Wildcard] = []
    for part in value.s:
        if isinstance(part, Placeholder):
            raise ValueError(f"the placeholder %{part.name}% needs a pipeline, and there is none")  # noqa: TRY004 - about the rule, not the call
        parts.append(part if isinstance(part, str) else _WILDCARDS[part])
    return _joined(tuple(parts))


def _joined(parts: Pattern) -> Pattern:
    """Join neighbouring literals and neighbouring `*`."""
    joined: list[str | Wildcard] = []
    for part in parts:
        if part == "" or (part is Wildcard.MANY and joined and joined[-1] is Wildcard.MANY):
            continue
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)
