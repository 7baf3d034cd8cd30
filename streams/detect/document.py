"""Reads YAML rule files into documents that know the line and column of each of their keys.

Sigma 2.1, "Yaml File". Rules come from many hands: size, depth and aliases are bounded, a key must not stand
twice in one mapping, and whatever cannot be read is refused with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from sigma.exceptions import SigmaError
from sigma.rule.base import check_alias_expansion
from yaml.reader import Reader

from streams.errors import OutfallError, Place, Refusal

MAX_BYTES = 4 << 20
"""Largest rule file that is read; the largest of SigmaHQ's has 0.3 MB."""
_ALIKE = {
    "tag:yaml.org,2002:bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "tag:yaml.org,2002:int": re.compile(r"[-+]?(0|[1-9][0-9]*)|0x[0-9a-fA-F]+"),
    "tag:yaml.org,2002:float": re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
}
"""Plain scalars that YAML 1.1 and 1.2 read alike, by their tags: not `yes`, `010`, `1_000` or `1:30`."""
MAX_DEPTH = 32
"""Deepest nesting of a rule file; Sigma itself needs about six levels."""


class RefusedError(OutfallError):
    """Something in a rule file cannot be used; `refusal` says what and where."""

    def __init__(self, place: Place, reason: str) -> None:
        self.refusal = Refusal(place, " ".join(reason.split()))
        super().__init__(str(self.refusal))


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its `content` as Python values, and where each part of it stands."""

    path: str
    index: int
    content: dict[str, Any]
    node: yaml.MappingNode

    def at(self, *keys: str | int) -> Place:
        """Give the place of the key or list element that `keys` lead to, as far down as they exist."""
        node: yaml.Node = self.node
        place = _place(self.path, node.start_mark)
        for key in keys:
            found = _step(node, key)
            if found is None:
                break
            mark, node = found
            place = _place(self.path, mark)
        return place

    def refuse(self, reason: str, *keys: str | int) -> RefusedError:
        """Make the error that refuses this document because of the part that `keys` lead to."""
        return RefusedError(self.at(*keys), reason)


def decode(data: bytes, path: str) -> str:
    """Turn a file's bytes into text.

    Raises:
        RefusedError: too large, or not UTF-8; with the place.
    """
    if len(data) > MAX_BYTES:
        raise RefusedError(Place(path), f"the file is larger than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        raise RefusedError(_place_after(path, before), "not UTF-8") from None


def read(text: str, path: str) -> tuple[list[Document], list[Refusal]]:
    """Read all documents of a file; those before a syntax error are kept."""
    if found := Reader.NON_PRINTABLE.search(text):
        reason = f"character U+{ord(found[0]):04X} is not allowed in YAML"
        return [], [Refusal(_place_after(path, text[: found.start()]), reason)]
    try:
        _check_depth(text, path)
    except RefusedError as error:
        return [], [error.refusal]
    documents: list[Document] = []
    refused: list[Refusal] = []
    loader = yaml.CSafeLoader(text)
    try:
        index = 0
        while loader.check_node():
            node = loader.get_node()
            assert node is not None  # noqa: S101 - so says check_node
            try:
                if (document := _document(loader, node, path, index)) is not None:
                    documents.append(document)
            except RefusedError as error:
                refused.append(error.refusal)
            index += 1
    except yaml.YAMLError as error:
        refused.append(_syntax_error(error, path))
    finally:
        loader.dispose()
    return documents, refused


def _document(loader: yaml.CSafeLoader, node: yaml.Node, path: str, index: int) -> Document | None:
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
        return None  # what stands after a last `---`
    if not isinstance(node, yaml.MappingNode):
        raise RefusedError(_place(path, node.start_mark), "a rule is a mapping; this document is none")
    _check_keys(node, path)
    _check_scalars(node, path)
    try:
        content = loader.construct_document(node)
        check_alias_expansion(content)
    except yaml.YAMLError as error:
        refusal = _syntax_error(error, path)
        raise RefusedError(refusal.place, refusal.reason) from None
    except (SigmaError, ValueError, OverflowError) as error:  # such as a date that is none
        raise RefusedError(_place(path, node.start_mark), f"a value cannot be read: {error}") from None
    return Document(path, index, content, node)


def _check_depth(text: str, path: str) -> None:
    """Look at the nesting before anything recursive does. A syntax error is left to the real reading."""
    depth = 0
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise RefusedError(
                        _place(path, event.start_mark), f"nested deeper than {MAX_DEPTH} levels"
                    )
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return


def _check_keys(root: yaml.MappingNode, path: str) -> None:
    for mapping in _mappings(root):
        seen: dict[str, yaml.Node] = {}
        for key, _ in mapping.value:
            place = _place(path, key.start_mark)
            if key.tag == "tag:yaml.org,2002:merge":
                raise RefusedError(place, "merge keys (`<<`) are not supported; write the values out")
            if key.tag != "tag:yaml.org,2002:str" or not isinstance(key, yaml.ScalarNode):
                raise RefusedError(place, "a key must be text; put it in quotes")
            if key.value in seen:
                first = _place(path, seen[key.value].start_mark)
                raise RefusedError(place, f"the key `{key.value}` stood before, at {first}")
            seen[key.value] = key


def _check_scalars(root: yaml.MappingNode, path: str) -> None:
    """Refuse what YAML 1.2, which Sigma is written in, reads otherwise than the YAML 1.1 of the parser."""
    for node in _nodes(root):
        alike = _ALIKE.get(node.tag) if isinstance(node, yaml.ScalarNode) and not node.style else None
        if alike is not None and not alike.fullmatch(node.value):
            reason = f"`{node.value}` means something else in YAML 1.2 than in YAML 1.1; put it in quotes"
            raise RefusedError(_place(path, node.start_mark), reason)


def _mappings(root: yaml.Node) -> Iterator[yaml.MappingNode]:
    return (node for node in _nodes(root) if isinstance(node, yaml.MappingNode))


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    """Give every node below a node once, however many aliases lead to it."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        if isinstance(node, yaml.MappingNode):
            waiting.extend(value for _, value in node.value)
        elif isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)


def _step(node: yaml.Node, key: str | int) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((k.start_mark, value) for k, value in node.value if k.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark, node.value[key]
    return None


def _syntax_error(error: yaml.YAMLError, path: str) -> Refusal:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = Place(path) if mark is None else _place(path, mark)
    return Refusal(place, f"not YAML: {getattr(error, 'problem', None) or error}")


def _place(path: str, mark: Any) -> Place:
    return Place(path, mark.line + 1, mark.column + 1)


def _place_after(path: str, text: str) -> Place:
    return Place(path, text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)
