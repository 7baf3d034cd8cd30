"""Search identifiers (Sigma 2.1, "Search-Identifier") into trees: maps, lists of maps, lists of keywords."""

from __future__ import annotations

from typing import Any

from sigma.conditions import ConditionAND
from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaDetectionItem
from sigma.types import SigmaType

from streams.detect.atom import Shape, atom
from streams.detect.document import Document
from streams.detect.lists import PLACEHOLDER, Lists
from streams.detect.text import as_text
from streams.detect.tree import And, Before, Node, Not, both, either

Path = tuple[str | int, ...]

_SCALARS = (str, int, float, bool, type(None))
_SYNONYMS = {"utf16le": "wide"}
"""Modifiers that the specification has and pySigma knows under another name only."""
_PYSIGMAS = {"ignorecase": "i", "multiline": "m", "dotall": "s"}
"""Names of pySigma's own that the specification has not, and what it has."""
_GENERIC = {"contains", "startswith", "endswith", "cased", "all", "neq"}
"""Modifiers that text is for, and that "can be applied on all types of fields" ("Generic Modifiers")."""
_WITH_RE = {"re", "i", "m", "s", "all", "neq"}


def selection(definition: Any, document: Document, path: Path, lists: Lists) -> Node:
    """Compile one search identifier; `path` leads to it in the document, `lists` may be referred to.

    Raises:
        RefusedError: it cannot be compiled exactly.
    """
    if isinstance(definition, dict):
        if not definition:
            raise document.refuse("the map is empty", *path)
        items = definition.items()
        return both(tuple(_item(key, value, document, (*path, key), lists) for key, value in items))
    if isinstance(definition, list):
        if not definition:
            raise document.refuse("the list is empty", *path)
        if all(isinstance(element, _SCALARS) for element in definition):
            return _item("", definition, document, path, lists)
        return either(
            tuple(
                _element(element, document, (*path, index), lists) for index, element in enumerate(definition)
            )
        )
    if path[-1] == "timeframe":
        raise document.refuse("`timeframe` is of Sigma 1; Sigma 2.1 has correlations for it", *path)
    reason = (
        f"`{path[-1]}` is a scalar: keywords that are no list are of the draft of Sigma 2.2;"
        " Sigma 2.1 has them not: write a list"
    )
    raise document.refuse(reason, *path)


def _element(element: Any, document: Document, path: Path, lists: Lists) -> Node:
    """Compile an element of a list: a map, or a keyword among maps."""
    if isinstance(element, list):
        raise document.refuse("a list in a list: Sigma 2.1 has lists of texts and of maps only", *path)
    if isinstance(element, dict):
        return selection(element, document, path, lists)
    return _item("", element, document, path, lists)


def _item(key: str, values: Any, document: Document, path: Path, lists: Lists) -> Node:
    """Compile `field|modifier|…: value or values`; no field means the whole event."""
    field, *modifiers = key.split("|")
    if "expand" in modifiers:
        return _expanded(field, modifiers, values, document, path, lists)
    modifiers = [_SYNONYMS.get(name, name) for name in modifiers]
    raw = values if isinstance(values, list) else [values]
    _check(field, modifiers, raw, document, path)
    if modifiers and _GENERIC.issuperset(modifiers):
        raw = [_worded(value) for value in raw]
    places = [(*path, index) if isinstance(values, list) else path for index in range(len(raw))]
    item = _parsed("|".join([field, *modifiers]), raw, document, path, places)
    shape = Shape(field or None, tuple(modifiers))
    nodes = tuple(
        _atom(value, written, shape, document, place)
        for value, written, place in zip(item.value, raw, places, strict=True)
    )
    node = both(nodes) if item.value_linking is ConditionAND else either(nodes)
    return Not(node) if item.negated else node


def _expanded(
    field: str, modifiers: list[str], values: Any, document: Document, path: Path, lists: Lists
) -> Node:
    """Put the values of lists in place of their names; of each list until it expires."""
    if others := {"all", "neq", "re"} & {*modifiers}:
        reason = f"`expand` cannot be combined with {', '.join(sorted(others))}; say it in the condition"
        raise document.refuse(reason, *path)
    key = "|".join([field, *(name for name in modifiers if name != "expand")])
    nodes: list[Node] = []
    for index, value in enumerate(values if isinstance(values, list) else [values]):
        place = (*path, index) if isinstance(values, list) else path
        names = PLACEHOLDER.findall(value) if isinstance(value, str) else []
        if len(names) != 1:
            raise document.refuse("with `expand` a value names one list, as '%name%'", *place)
        found = lists.use(names[0])
        if found is None:
            raise document.refuse(f"there is no list `{names[0]}`", *place)
        written = [value.replace(f"%{names[0]}%", str(each)) for each in found.values]
        inside = _item(key, written, document, path, lists)
        nodes.append(And((inside, Before(found.mandate.until))))
    return either(tuple(nodes))


def _worded(value: Any) -> Any:
    """Give a number as the text that it is compared as ("General"); pySigma takes only text here."""
    return as_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _parsed(
    key: str, values: list[Any], document: Document, path: Path, places: list[Path]
) -> SigmaDetectionItem:
    """Have pySigma apply the modifiers. Regular expressions stay out of it: `regex` reads them as written."""
    given = ["x"] * len(values) if "re" in key.split("|")[1:] else values
    try:
        return SigmaDetectionItem.from_mapping(key, given)
    except SigmaError as error:
        for value, place in zip(given, places, strict=True):  # find the value that is to blame
            try:
                SigmaDetectionItem.from_mapping(key, [value])
            except SigmaError as its_own:
                raise document.refuse(str(its_own), *place) from None
        raise document.refuse(str(error), *path) from None


def _atom(value: SigmaType, written: Any, shape: Shape, document: Document, path: Path) -> Node:
    try:
        return atom(value, written, shape)
    except ValueError as error:
        raise document.refuse(str(error), *path) from None


def _check(field: str, modifiers: list[str], values: list[Any], document: Document, path: Path) -> None:
    """Refuse what pySigma would let pass, or say more clearly what it would not."""
    if not values:
        raise document.refuse("the list of values is empty; write null for an absent field", *path)
    for index, value in enumerate(values):
        if not isinstance(value, _SCALARS):
            kind = "map" if isinstance(value, dict) else type(value).__name__
            raise document.refuse(
                f"a value must be text, a number, true, false or null, not a {kind}", *path, index
            )
    _check_names(modifiers, document, path)
    if "re" in modifiers and (others := set(modifiers) - _WITH_RE):
        names = ", ".join(sorted(others))
        raise document.refuse(f"`re` cannot be combined with {names}; say it in the expression", *path)
    if "re" in modifiers and not all(isinstance(value, str) for value in values):
        raise document.refuse("a regular expression must be text; put it in quotes", *path)
    if "all" in modifiers and len(values) < 2:
        raise document.refuse("`all` needs a list of several values (Sigma 2.1, appendix Modifiers)", *path)
    if not field and None in values:
        raise document.refuse("null must belong to a field", *path)


def _check_names(modifiers: list[str], document: Document, path: Path) -> None:
    for name in modifiers:
        if name in _PYSIGMAS:
            reason = f"no modifier `{name}` in Sigma 2.1; it is called `{_PYSIGMAS[name]}` there"
            raise document.refuse(reason, *path)
        if name not in modifier_mapping:
            raise document.refuse(f"no modifier `{name}` in Sigma 2.1", *path)
