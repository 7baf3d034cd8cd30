"""Random Sigma rules and events that often nearly match them, for hypothesis.

Rules are YAML text. Nearly all compile; those that do not (such as one without any identifier that `1 of`
means) are refused. Events are flat fields. Both draw from the small alphabets of `alphabets`.
"""

from __future__ import annotations

import base64
from typing import Any

import yaml
from hypothesis import strategies as st

from alphabets import (
    ADDRESSES,
    DATES,
    EVENT_FIELDS,
    EXPRESSIONS,
    FIELDS,
    LOGSOURCES,
    LONGEST,
    NETWORKS,
    SCALARS,
    SURROGATES,
    TOKENS,
    WILDCARDS,
)
from streams.event import Fields, Scalar, Value, as_list

_NAMES = ("sel_a", "sel_b", "filter_c", "other-d", "_hidden")
_SELECTORS = ("1 of them", "all of them", "1 of sel_*", "all of sel_*", "1 of *", "1 of *-d", "all of _*")
_COMPARISONS = ("lt", "lte", "gt", "gte")
_PARTS = ("minute", "hour", "day", "week", "month", "year")
_FLAGS = ("i", "m", "s")
_ANCHORED = ("contains", "startswith", "endswith")
_ENCODINGS = ("utf16le", "utf16be", "utf16", "wide")


def escaped(text: str) -> str:
    """Write a text so that a rule means it as it is."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


_plain = st.lists(st.sampled_from(TOKENS), max_size=4).map("".join)
_patterns = st.lists(st.sampled_from(TOKENS).map(escaped) | st.sampled_from(WILDCARDS), max_size=5).map(
    "".join
)
_texts = st.one_of(_plain, _patterns, _plain.map(escaped), st.sampled_from(TOKENS))
_numbers = st.sampled_from(
    [one for one in SCALARS if isinstance(one, int | float) and not isinstance(one, bool)]
)
_literals = st.one_of(_texts, _texts, st.sampled_from(SCALARS))
_fields = st.sampled_from(FIELDS)


def _listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give one value as often as several."""
    return values | st.lists(values, min_size=1, max_size=4)


@st.composite
def _modified(draw: st.DrawFn, modifiers: tuple[str, ...], values: st.SearchStrategy[Any]) -> tuple[str, Any]:
    """Give the modifiers of an item, `neq` or `all` perhaps among them, with its value or values."""
    value = draw(_listed(values))
    more = [name for name in ("neq", "all") if draw(st.integers(0, 3)) == 0]
    if not isinstance(value, list) or len(value) == 1:
        more = [name for name in more if name != "all"]
    return "".join(f"|{name}" for name in (*modifiers, *more)), value


@st.composite
def _strings(draw: st.DrawFn, *, keyword: bool = False) -> tuple[str, Any]:
    """Give modifiers for strings, in any order."""
    names = [draw(st.sampled_from(_ANCHORED))] if draw(st.booleans()) else []
    names += [name for name in ("cased", "windash") if draw(st.integers(0, 3)) == 0]
    plain = not names or names == ["cased"]
    values = _texts if not plain else _texts | st.integers(-5, 5) if keyword else _literals
    return draw(_modified(tuple(draw(st.permutations(names))), values))


@st.composite
def _encoded(draw: st.DrawFn) -> tuple[str, Any]:
    encoding = draw(st.sampled_from([(), *((name,) for name in _ENCODINGS)]))
    base = draw(st.sampled_from([("base64",), ("base64", "contains"), ("base64offset", "contains")]))
    texts = st.sampled_from(("a", "cmd", "cmd.exe", "4663", "ab", "http://a/"))
    return draw(_modified((*encoding, *base), texts))


@st.composite
def _regular(draw: st.DrawFn) -> tuple[str, Any]:
    flags = draw(st.lists(st.sampled_from(_FLAGS), max_size=2, unique=True))
    return draw(_modified(("re", *flags), st.sampled_from(EXPRESSIONS)))


@st.composite
def _special(draw: st.DrawFn) -> tuple[str, Any]:
    """Give one of the modifiers that need a field."""
    kind = draw(st.sampled_from(("exists", "compare", "part", "fieldref", "cidr")))
    if kind == "exists":
        return "|exists", draw(st.booleans())
    if kind == "compare":
        return draw(_modified((draw(st.sampled_from(_COMPARISONS)),), _numbers))
    if kind == "part":
        names = (draw(st.sampled_from(_PARTS)), *draw(st.sampled_from([(), *((n,) for n in _COMPARISONS)])))
        return draw(_modified(names, st.sampled_from((0, 2, 5, 8, 9, 23, 29, 2024))))
    if kind == "fieldref":
        names = draw(st.sampled_from([(), ("cased",)]))
        anchor = draw(st.sampled_from([(), *((name,) for name in _ANCHORED)]))
        return draw(_modified((*names, "fieldref", *anchor), _fields))
    return draw(_modified(("cidr",), st.sampled_from(NETWORKS)))


_items = st.one_of(_strings(), _strings(), _strings(), _encoded(), _regular(), _special())
_keyword_items = st.one_of(_strings(keyword=True), _regular())


@st.composite
def _maps(draw: st.DrawFn) -> dict[str, Any]:
    """Give a map of items; now and then one of them is about the whole event."""
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 9)) == 0:
            modifiers, value = draw(_keyword_items)
            found[modifiers or "|contains"] = value if modifiers else "a"
        else:
            modifiers, value = draw(_items)
            found[draw(_fields) + modifiers] = value
    return found


_keywords = st.lists(_texts | st.integers(-5, 5), min_size=1, max_size=4)
_mixed = st.lists(_maps() | _maps() | _texts, min_size=1, max_size=3)
_selections = st.one_of(_maps(), _maps(), st.lists(_maps(), min_size=1, max_size=3), _keywords, _mixed)
_conditions = st.recursive(
    st.sampled_from(_NAMES[:3]) | st.sampled_from(_NAMES) | st.sampled_from(_SELECTORS),
    lambda inner: st.one_of(
        inner.map(lambda one: f"not {one}"),
        inner.map(lambda one: f"({one})"),
        st.tuples(inner, st.sampled_from(("and", "or", "and not")), inner).map(" ".join),
    ),
    max_leaves=6,
)


@st.composite
def rules(draw: st.DrawFn, name: str = "r") -> str:
    """Give the YAML text of a detection rule with the id `name`."""
    detection: dict[str, Any] = {one: draw(_selections) for one in _NAMES if draw(st.integers(0, 4)) < 4}
    detection = detection or {"sel_a": draw(_maps())}
    named = tuple(detection)
    condition = draw(_conditions)
    for missing in set(_NAMES) - set(named):
        condition = condition.replace(missing, draw(st.sampled_from(named)))
    more = draw(st.integers(0, 4)) == 0
    detection["condition"] = [condition, draw(st.sampled_from(named))] if more else condition
    rule = {"title": "A rule", "id": name, "logsource": dict(draw(st.sampled_from(LOGSOURCES)))}
    text = yaml.safe_dump(rule | {"detection": detection}, sort_keys=False, width=10**6)
    assert isinstance(text, str)
    return text


_encodings = st.sampled_from(("utf-8", "utf-16-le", "utf-16-be", "utf-16"))
_base64 = st.tuples(st.sampled_from(("", "x", "xy")), st.sampled_from(("cmd", "http://a/b")), _encodings).map(
    lambda one: base64.b64encode((one[0] + one[1]).encode(one[2])).decode()
)
_long = st.tuples(st.sampled_from(("x", "a", "\\", "\xe9")), _plain).map(
    lambda one: one[0] * LONGEST + one[1]
)
_event_texts = st.lists(st.sampled_from(TOKENS + SURROGATES), max_size=5).map("".join)
_scalars = st.one_of(
    st.sampled_from(TOKENS),
    _event_texts,
    _event_texts,
    st.sampled_from(SCALARS),
    st.sampled_from(ADDRESSES + DATES + EVENT_FIELDS),
    _base64,
)
_values: st.SearchStrategy[Value] = st.one_of(
    _scalars, _scalars, _scalars, st.lists(_scalars | st.none(), min_size=1, max_size=4)
)


@st.composite
def events(draw: st.DrawFn) -> Fields:
    """Give the flat fields of an event that knows nothing of any rule."""
    found = draw(st.dictionaries(st.sampled_from(EVENT_FIELDS), _values, max_size=8))
    if draw(st.integers(0, 19)) == 0:
        found[draw(st.sampled_from(EVENT_FIELDS))] = draw(_long)
    return found


@st.composite
def events_near(draw: st.DrawFn, rule: str) -> Fields:
    """Give an event made of what a rule asks for, with something of it changed or left out at times."""
    found = draw(events())
    for field, modifiers, written in _asked(yaml.safe_load(rule)["detection"]):
        if draw(st.integers(0, 5)) == 0:
            continue
        name = field or draw(st.sampled_from(EVENT_FIELDS))
        value = draw(_near(modifiers, written))
        beside = [*as_list(found[name]), value] if name in found else [value]
        found[name] = beside if draw(st.integers(0, 3)) == 0 else value
    return found


@st.composite
def cases(draw: st.DrawFn, *, most: int = 4) -> tuple[str, list[Fields]]:
    """Give a rule with some events, most of them near it."""
    rule = draw(rules())
    return rule, draw(st.lists(events_near(rule) | events_near(rule) | events(), min_size=1, max_size=most))


def _asked(definition: Any) -> list[tuple[str, list[str], Any]]:
    """Give the field, the modifiers and one value of each thing that a detection asks for."""
    found: list[tuple[str, list[str], Any]] = []
    for part in definition.values() if isinstance(definition, dict) else definition:
        if isinstance(part, list) and not any(isinstance(one, dict) for one in part):
            found += [("", [], one) for one in part]
        elif not isinstance(part, str):
            for one in part if isinstance(part, list) else [part]:
                found += _asked_by_map(one) if isinstance(one, dict) else [("", [], one)]
    return found


def _asked_by_map(definition: Any) -> list[tuple[str, list[str], Any]]:
    found = []
    for key, value in definition.items():
        field, *modifiers = key.split("|")
        found += [(field, modifiers, one) for one in (value if isinstance(value, list) else [value])]
    return found


@st.composite
def _near(draw: st.DrawFn, modifiers: list[str], written: Scalar) -> Scalar:
    """Give a value that a rule's value means, or nearly."""
    if not isinstance(written, str):
        like: Scalar = draw(st.sampled_from((written, written, str(written))))
        return like
    if {"re", "cidr", "fieldref"} & set(modifiers):
        other: Scalar = draw(_scalars)
        return other
    text = _filled(written, draw(st.sampled_from(("", "a", "\n", "\U0001f600", "xx"))))
    if "base64" in modifiers or "base64offset" in modifiers:
        data = (draw(st.sampled_from(("", "x", "xy"))) + text).encode(draw(_encodings))
        text = base64.b64encode(data).decode()
    change = draw(st.sampled_from(("no", "no", "no", "upper", "lower", "swap", "before", "after", "shorter")))
    changed: dict[str, str] = {
        "upper": text.upper(),
        "lower": text.lower(),
        "swap": text.swapcase(),
        "before": draw(st.sampled_from(TOKENS)) + text,
        "after": text + draw(st.sampled_from(TOKENS + SURROGATES)),
        "shorter": text[:-1],
    }
    return changed.get(change, text)


def _filled(pattern: str, filling: str) -> str:
    """Give a text that a pattern of Sigma means."""
    found, position = "", 0
    while position < len(pattern):
        character = pattern[position]
        following = pattern[position + 1 : position + 2]
        position += 1
        if character == "\\" and following and following in "\\*?":
            found += following
            position += 1
        elif character == "*":
            found += filling
        else:
            found += filling[:1] or "z" if character == "?" else character
    return found
