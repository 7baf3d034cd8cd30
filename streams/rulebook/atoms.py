"""The atoms of a condition, one after another."""

from __future__ import annotations

from collections.abc import Iterator

from streams.detect.tree import And, Atom, Node, Not, Or


def atoms(node: Node) -> Iterator[Atom]:
    """Give every atom below a node, from left to right."""
    stack: list[Node] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, And | Or):
            stack += reversed(current.parts)
        elif isinstance(current, Not):
            stack.append(current.part)
        else:
            yield current
