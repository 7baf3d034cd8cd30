"""Why a detection is true of one event or is not: its condition as a tree, with the outcome of every node.

The outcomes are those of the reference evaluator (`evaluate`). Every atom is evaluated, also where `and` or
`or` had decided without it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from streams.detect.evaluate import compile_test
from streams.detect.event_view import EventView
from streams.detect.failure import failure_reason
from streams.detect.fields import FieldMapping
from streams.detect.tree import And, Atom, Node, Not, Or, Reference
from streams.detect.words import words
from streams.event import Event, Scalar, as_list


@dataclass(frozen=True, slots=True)
class Looked:
    """A field that an atom looked at: its name in the rule and in the event, and what the event has there.

    `event_field` is None where the event has no such field, and ends with `.*` where it has an object. For
    keywords, which look at the whole event, there is one `Looked` for each field where the keyword was found,
    and `rule_field` is None.
    """

    rule_field: str | None
    event_field: str | None
    values: tuple[Scalar, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """A node of the condition and its outcome.

    `kind` is and, or, not, or an atom's kind. `true` is None when evaluating raised, and `failed` says what.
    `words` says in words what an atom asks for, in the rule's own fields and values.
    """

    kind: str
    true: bool | None
    failed: str | None = None
    parts: tuple[Explanation, ...] = ()
    words: str = ""
    looked: tuple[Looked, ...] = ()


def explain(condition: Node, event: Event, mapping: FieldMapping) -> Explanation:
    """Explain a condition for an event whose fields are named as `mapping` says."""
    match condition:
        case And() | Or():
            parts = tuple(explain(part, event, mapping) for part in condition.parts)
            kind, neutral = ("and", True) if isinstance(condition, And) else ("or", False)
            if any(part.true is (not neutral) for part in parts):
                return Explanation(kind, not neutral, parts=parts)
            unknown = next((part for part in parts if part.true is None), None)
            return (
                Explanation(kind, neutral, parts=parts)
                if unknown is None
                else Explanation(kind, None, unknown.failed, parts)
            )
        case Not():
            part = explain(condition.part, event, mapping)
            return Explanation("not", None if part.true is None else not part.true, part.failed, (part,))
        case _:
            return _atom(condition, event, mapping)


def _atom(node: Atom, event: Event, mapping: FieldMapping) -> Explanation:
    true, failed = _outcome(node, event, mapping)
    names = [node.field or "", *([node.other] if isinstance(node, Reference) else [])]
    looked = _found(node, event) if node.field is None else [_looked(name, event, mapping) for name in names]
    return Explanation(type(node).__name__.lower(), true, failed, (), words(node), tuple(looked))


def _outcome(node: Atom, event: Event, mapping: FieldMapping) -> tuple[bool | None, str | None]:
    try:
        return compile_test(node, mapping)(EventView(event)), None
    except Exception as error:  # noqa: BLE001 - that it raises is the outcome, as in matching
        return None, failure_reason(error)


def _looked(name: str, event: Event, mapping: FieldMapping) -> Looked:
    names = mapping.names_for(name)
    found = next((one for one in names if one in event.fields), None)
    if found is not None:
        return Looked(name, found, tuple(as_list(event.fields[found])))
    within = (one for one in names if any(key.startswith(f"{one}.") for key in event.fields))
    return Looked(name, next((f"{one}.*" for one in within), None))


def _found(node: Atom, event: Event) -> list[Looked]:
    """Give the fields in which a keyword is found."""
    found = []
    for name, value in event.fields.items():
        alone = dataclasses.replace(event, fields={name: value})
        if _outcome(node, alone, FieldMapping())[0]:
            found.append(Looked(None, name, tuple(as_list(value))))
    return found
