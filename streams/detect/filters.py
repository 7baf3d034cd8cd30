"""Filters (Sigma 2.1, "Sigma Filters"): further conditions for rules that stand elsewhere.

A filter's condition is joined with and to every condition of its rules, as pySigma does. Its search
identifiers are its own, so that they cannot be confused with a rule's. One with an owner, a reason and an
expiry under `outfall:` is an exception: it ends, and what it suppresses is told (see `shadows`).
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.detect.condition import detection
from streams.detect.document import Document
from streams.detect.lists import Lists
from streams.detect.metadata import logsource_of
from streams.detect.tree import And, Before, Node, Not
from streams.event import LogSource
from streams.rule import Rule

_SECTION = "filter"


@dataclass(frozen=True, slots=True)
class Filter:
    """A compiled filter; `rules` are the ids or names that it is for."""

    rule: Rule
    document: Document
    logsource: LogSource
    rules: tuple[str, ...]
    condition: Node

    def covers(self, logsource: LogSource | None) -> bool:
        """Tell whether a rule's log source is within the filter's."""
        return logsource is not None and all(
            own is None or (theirs is not None and own.lower() == theirs.lower())
            for own, theirs in zip(self.logsource, logsource, strict=True)
        )

    @property
    def is_exception(self) -> bool:
        """Whether somebody answers for it, and it ends."""
        return self.rule.mandate is not None

    @property
    def excepted(self) -> Node:
        """What is true of the events that it excepts, where it is an exception: until it expires."""
        assert self.rule.mandate is not None  # noqa: S101 - so the caller has made sure
        inner = self.condition.part if isinstance(self.condition, Not) else Not(self.condition)
        return And((inner, Before(self.rule.mandate.until)))

    def place_of(self, index: int) -> tuple[str | int, ...]:
        """Give the path to a reference in the document."""
        rules = self.document.content[_SECTION]["rules"]
        return (_SECTION, "rules", index) if isinstance(rules, list) else (_SECTION, "rules")


def filter_of(document: Document, rule: Rule, lists: Lists) -> Filter:
    """Compile a filter document.

    Raises:
        RefusedError: it cannot be compiled exactly.
    """
    section = document.content[_SECTION]
    if not isinstance(section, dict):
        raise document.refuse("`filter` must be a map", _SECTION)
    if not isinstance(section.get("condition"), str):
        raise document.refuse("a filter must have exactly one condition", _SECTION, "condition")
    condition = detection(section, document, (_SECTION,), lists, without=frozenset({"rules"}))
    references = _references(section.get("rules"), document)
    return Filter(rule, document, logsource_of(document), references, condition)


def _references(rules: object, document: Document) -> tuple[str, ...]:
    if isinstance(rules, str):
        if rules.lower() == "any":
            reason = "`filter.rules: any` is of the draft of Sigma 2.2; Sigma 2.1 has it not: name the rules"
            raise document.refuse(reason, _SECTION, "rules")
        return (rules,)
    if isinstance(rules, list) and rules and all(isinstance(rule, str) for rule in rules):
        return tuple(rules)
    reason = "a filter must name its rules by id or name under `rules`"
    raise document.refuse(reason, _SECTION, "rules")
