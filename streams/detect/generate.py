"""Trees into generated Python: one function for each rule, meaning exactly what `evaluate` makes of it.

Parts of an `or` that look at the same field become one pass over its values: a set for equal values, one call
of `startswith` and `endswith` each for all beginnings and ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from streams.detect.evaluate import Test, compile_test, text_test
from streams.detect.event_view import BETWEEN, EventView, Names
from streams.detect.fields import FieldMapping
from streams.detect.text import folded_pattern, matcher
from streams.detect.tree import And, Cidr, Exists, Node, Not, Null, Or, Pattern, Regex, Text, Wildcard

_OfTexts = Text | Regex | Cidr
Fused = Callable[[Sequence[tuple[int, EventView]]], list[tuple[int, int, None]]]
"""Takes events by index; gives indexes with the numbers of rules that are true, as `compiled.Found`."""


def generate(node: Node, mapping: FieldMapping) -> Test:
    """Make the function that tests an event for one rule."""
    writer = _Writer()
    test: Test = writer.compile("view", [f"return bool({writer.expression(node, mapping)})"])
    return test


def generate_fused(rules: Iterable[tuple[int, Node, FieldMapping]]) -> Fused:
    """Make one function that tests a batch of events for several rules."""
    writer = _Writer()
    lines = ["found = []", "for index, view in views:"]
    for number, node, mapping in rules:
        lines += [
            f"    if {writer.expression(node, mapping)}:",
            f"        found.append((index, {number}, None))",
        ]
    fused: Fused = writer.compile("views", [*lines, "return found"])
    return fused


class _Writer:
    """Writes expressions over `view`; the values that they need stand in `names`."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = {}
        self._constants: dict[Any, str] = {}

    def compile(self, parameter: str, lines: Sequence[str]) -> Any:
        source = "\n    ".join([f"def test({parameter}):", *lines])
        namespace = dict(self._names)
        exec(compile(source, "<rule>", "exec"), namespace)  # noqa: S102 - of our own writing, values stand beside it
        return namespace["test"]

    def expression(self, node: Node, mapping: FieldMapping) -> str:
        match node:
            case Not():
                return f"(not {self.expression(node.part, mapping)})"
            case And():
                return f"({' and '.join(self.expression(part, mapping) for part in node.parts)})"
            case Or():
                return self._any(node.parts, mapping)
            case Exists():
                names = self._constant(mapping.names_for(node.field))
                return f"(view.exists({names}) is {node.expected})"
            case Null():
                return f"view.is_null({self._constant(mapping.names_for(node.field))})"
            case Text() | Regex() | Cidr():
                return self._any((node,), mapping)
        return f"{self._value(compile_test(node, mapping))}(view)"

    def _any(self, parts: Sequence[Node], mapping: FieldMapping) -> str:
        """Write an `or`: what looks at the same texts in one pass."""
        passes: dict[tuple[Names | None, bool], list[_OfTexts]] = {}
        others: list[Node] = []
        for part in parts:
            if isinstance(part, Text | Regex | Cidr):
                names = None if part.field is None else mapping.names_for(part.field)
                cased = part.cased if isinstance(part, Text) else True
                passes.setdefault((names, cased), []).append(part)
            else:
                others.append(part)
        written = [
            test for (names, cased), atoms in passes.items() for test in self._pass(names, cased, atoms)
        ]
        written += [self.expression(part, mapping) for part in others]
        return f"({' or '.join(written)})"

    def _pass(self, names: Names | None, cased: bool, atoms: Sequence[_OfTexts]) -> Iterator[str]:
        """Write whether any text of a field, or of the whole event, satisfies any of these atoms."""
        patterns = [
            atom.pattern if cased else folded_pattern(atom.pattern)
            for atom in atoms
            if isinstance(atom, Text)
        ]
        if names is None:
            words = [found for pattern in patterns if (found := _keyword(pattern)) is not None]
            patterns = [pattern for pattern in patterns if _keyword(pattern) is None]
            if words:
                yield f"any(map(view.joined(cased={cased}).__contains__, {self._constant(tuple(words))}))"
        tests = self._of_patterns(patterns)
        tests += [f"{self._value(text_test(atom))}(t)" for atom in atoms if not isinstance(atom, Text)]
        if tests:
            texts = f"view.texts({self._constant(names)}, cased={cased})"
            yield f"((ts := {texts}) and any({' or '.join(tests)} for t in ts))"

    def _of_patterns(self, patterns: Iterable[Pattern]) -> list[str]:
        equal: set[str] = set()
        starts: list[str] = []
        ends: list[str] = []
        inner: list[str] = []
        others: list[str] = []
        for pattern in patterns:
            match pattern:
                case ():
                    equal.add("")
                case (str(text),):
                    equal.add(text)
                case (str(text), Wildcard.MANY):
                    starts.append(text)
                case (Wildcard.MANY, str(text)):
                    ends.append(text)
                case (Wildcard.MANY, str(text), Wildcard.MANY):
                    inner.append(f"{text!a} in t")
                case _:
                    others.append(f"{self._value(matcher(pattern))}(t)")
        written = []
        if equal:
            written.append(f"t in {self._constant(frozenset(equal))}")
        if starts:
            written.append(f"t.startswith({self._constant(tuple(starts))})")
        if ends:
            written.append(f"t.endswith({self._constant(tuple(ends))})")
        return [*written, *inner, *others]

    def _constant(self, value: Any) -> str:
        """Name a value that equal ones may share."""
        if value is None:
            return "None"
        if value not in self._constants:
            self._constants[value] = self._value(value)
        return self._constants[value]

    def _value(self, value: Any) -> str:
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name


def _keyword(pattern: Pattern) -> str | None:
    """Give the text that a pattern is found by in joined texts, where that is all it says."""
    match pattern:
        case (Wildcard.MANY, str(text), Wildcard.MANY) if BETWEEN not in text:
            return text
    return None
