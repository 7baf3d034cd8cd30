"""The prefilter: what it looks for, that its choice follows the events, and that it can be kept."""

from __future__ import annotations

import time
from pathlib import Path

import orjson
import pytest
import workload
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reference import as_events, engine, reference
from strategies import events
from streams.detect.canonical import literal, scan_text
from streams.detect.load import load, loads
from streams.detect.regex_literals import required
from streams.detect.ruleset import RuleSet
from streams.detect.search import Search
from streams.detect.text import fold
from streams.event import Fields, LogSource
from streams.runtime.cache import FolderCache

RULE = """
title: Both
id: both
logsource: {product: any}
detection: {s: {a|contains|all: [alpha, omega]}, condition: s}
"""


def test_an_events_text_is_one_line_of_json() -> None:
    many: list[Fields] = [{"a": "x\ny"}, {"b": ["é", 1, None]}, {"c": "\ud800"}, {"d": 10**30}, {}]
    text, without = scan_text(many)
    lines = text.removesuffix(b"\n").split(b"\n")
    assert len(lines) == len(many)
    assert text.endswith(b"\n")
    assert without == []
    assert orjson.loads(lines[0]) == many[0]
    assert orjson.loads(lines[1]) == many[1]


@pytest.mark.parametrize("odd", [{"a": 10**5000}, {"a": {1}}])
def test_an_event_that_no_json_can_hold_has_an_empty_line(odd: Fields) -> None:
    text, without = scan_text([{"a": 1}, odd, {"a": 2}])
    assert without == [1]
    assert text.count(b"\n") == 3


@given(st.lists(events(), min_size=1, max_size=4))
def test_a_text_holds_every_value_as_a_literal_writes_it(many: list[Fields]) -> None:
    text, without = scan_text(many)
    lines = text.decode("utf-8", "surrogatepass").split("\n")
    assert not without
    for fields, line in zip(many, lines, strict=False):
        for key, value in fields.items():
            assert literal(key).decode("utf-8", "surrogatepass") + ":" in fold(line)
            if isinstance(value, str):
                assert literal(value).decode("utf-8", "surrogatepass") in fold(line)


@pytest.mark.parametrize(
    ("expression", "flags", "expected"),
    [
        ("cmd", "", [{"cmd"}]),
        (r"\\cmd\.exe$", "i", [{"\\cmd.exe"}]),
        ("a(bc)d", "", [{"a"}, {"bc"}, {"d"}]),
        ("ab+c", "", [{"a"}, {"b"}, {"c"}]),
        ("ab*c", "", [{"a"}, {"c"}]),
        ("ab?c", "", [{"a"}, {"c"}]),
        ("(x|foo|long)y", "", [{"x", "foo", "long"}, {"y"}]),
        ("(foo|b*)y", "", [{"y"}]),
        ("a|b*", "", []),
        ("[ab]c", "", [{"c"}]),
        (r"^\bcmd\b", "", [{"cmd"}]),
        ("kéy", "", [{"k"}, {"y"}]),
        ("(?=foo)bar", "", []),  # RE2 cannot run it: it may fail, and must not be quiet
        (".*", "", []),
    ],
)
def test_what_must_occur_where_an_expression_is_found(
    expression: str, flags: str, expected: list[set[str]]
) -> None:
    assert [set(one) for one in required(expression, flags)] == expected


def test_thousands_of_rules_are_hardly_ever_tried() -> None:
    book = loads(workload.rules(1000))
    compiled = RuleSet(book, ignore_logsource=True)
    matches = sum(
        len(compiled.match(workload.events(workload.lines(500, seed=seed)))[0]) for seed in range(4)
    )
    assert matches > 10
    assert compiled.tried <= 2 * matches


def test_the_choice_follows_the_events() -> None:
    compiled = RuleSet(loads(RULE), ignore_logsource=True)
    compiled.match(as_events([{"a": f"omega {number}"} for number in range(500)]))
    assert compiled.tried == 0
    other = [{"a": f"alpha {number}"} for number in range(500)]
    compiled.match(as_events(other * 4))
    assert compiled.tried > 0
    before = compiled.tried
    matches, _ = compiled.match(as_events([*other, {"a": "alpha omega"}]))
    assert len(matches) == 1
    assert compiled.tried - before == 1


def test_a_word_in_a_key_is_no_reason_to_try_a_rule() -> None:
    rule = "title: Word\nid: word\nlogsource: {product: any}\ndetection: {s: [direct], condition: s}\n"
    compiled = RuleSet(loads(rule), ignore_logsource=True)
    compiled.match(as_events([{"a": "b"}]))
    matches, _ = compiled.match(
        as_events([{"email.direction": "out"}, {"a": 'indirect":1'}, {"b": ["redirect", ":"]}])
    )
    assert [match.event for match in matches] == [1, 2]
    assert compiled.tried == 2


def test_books_and_choices_are_kept_by_content(tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(workload.rules(20))
    cache = FolderCache(tmp_path / "cache")
    many = workload.events(workload.lines(300))

    def run() -> tuple[set[Path], object]:
        book = load([file], cache)
        assert book == load([file])
        found = engine(RuleSet(book, ignore_logsource=True, cache=cache), many)
        assert found == reference(book, many)
        return set((tmp_path / "cache").iterdir()), found

    cold = run()
    assert run() == cold
    file.write_text(workload.rules(21))
    assert run()[0] > cold[0]


def test_a_search_that_another_processor_made_is_compiled_anew() -> None:
    text, _ = scan_text([{"a": "omega"}, {"a": "alpha"}])
    kept = Search({7: frozenset([b"omega"])})
    for state in (kept.state(), (kept.rules, b"not for this one")):
        assert Search.restore(state).pairs(text) == {(0, 7)}


def test_huge_events_are_searched_in_parts() -> None:
    """A literal that an attacker repeats a million times takes memory for a part, and linear time."""
    compiled = RuleSet(loads(RULE), ignore_logsource=True)
    repeated = "alpha " * 200_000
    texts = (repeated, "", repeated + "omega", "alpha omega", repeated)
    many: list[Fields] = [{"a": text} for text in texts]
    matches, failures = compiled.match(as_events(many * 2))
    assert [match.event for match in matches] == [2, 3, 7, 8]
    assert not failures


def document(word: str, *, more: str = "") -> str:
    head = f"title: {word}\n{more}logsource: {{product: any}}\n"
    return f"{head}detection: {{s: {{a|contains: {word}}}, condition: s}}\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"r.yml": ["alpha", "omega"]}, {"r.yml": ["omega", "alpha"]}),
        ({"x.yml": ["alpha"], "y.yml": ["omega"]}, {"x.yml": ["omega"], "y.yml": ["alpha"]}),
    ],
)
def test_a_kept_choice_is_for_these_conditions_in_this_order(
    tmp_path: Path, before: dict[str, list[str]], after: dict[str, list[str]]
) -> None:
    """Rules without ids are called by their places, so that neither ids nor the hash of the book tell."""
    cache = FolderCache(tmp_path / "cache")
    many = as_events([{"a": "alpha"}, {"a": "omega"}])
    for files in (before, after):
        for name, words in files.items():
            (tmp_path / name).write_text("---\n".join(map(document, words)))
        book = load([tmp_path / name for name in files], cache)
        found = engine(RuleSet(book, ignore_logsource=True, cache=cache), many)
        assert len(found) == 2
        assert found == reference(book, many)


def test_which_of_two_rules_with_one_id_is_first_makes_another_choice(tmp_path: Path) -> None:
    cache = FolderCache(tmp_path / "cache")
    paths = [tmp_path / "one.yml", tmp_path / "two.yml"]
    for path, word in zip(paths, ("alpha", "omega"), strict=True):
        path.write_text(document(word, more="id: r\n"))
    for order in (paths, paths[::-1]):
        book = load(order, cache)
        compiled = RuleSet(book, ignore_logsource=True, cache=cache)
        assert engine(compiled, as_events([{"a": "alpha"}, {"a": "omega"}])).keys() == {
            (0 if order is paths else 1, "r")
        }


def test_what_a_flood_made_frequent_is_rare_again_after_it(tmp_path: Path) -> None:
    """Rules that a burst of odd events had tried everywhere return to their literals, also from the cache."""
    words = ["alpha", "beta", "gamma", "omega"]
    book = loads("---\n".join(map(document, words)))
    cache = FolderCache(tmp_path / "cache")
    ordinary = as_events([{"a": f"ordinary {number}"} for number in range(500)])
    compiled = RuleSet(book, ignore_logsource=True, cache=cache)
    compiled.match(as_events([{"a": " ".join(words)}] * 512))
    before = compiled.tried
    compiled.match(ordinary)
    assert compiled.tried - before == 4 * 500
    for again in (RuleSet(book, ignore_logsource=True, cache=cache), compiled):
        for _ in range(6):
            before = again.tried
            again.match(ordinary)
        assert again.tried == before


def test_a_key_may_be_as_long_as_it_likes() -> None:
    key = "x" * 20_000
    rule = {"title": "Long", "logsource": {"product": "any"}}
    book = loads(yaml.safe_dump(rule | {"detection": {"s": {f"{key}|contains": "alpha"}, "condition": "s"}}))
    compiled = RuleSet(book, ignore_logsource=True)
    matches, _ = compiled.match(as_events([{key: "alpha"}, {key[1:]: "alpha"}, {"a": "alpha"}]))
    assert [match.event for match in matches] == [0]


def test_log_sources_that_no_rule_names_cost_nothing_but_a_look() -> None:
    book = loads(document("alpha").replace("product: any", "product: any, service: s"))
    compiled = RuleSet(book)
    many = as_events([{"a": "alpha"}] * 5000)
    for number, event in enumerate(many):
        event.logsources = (LogSource(f"c{number}", "Any", "S" if number % 2 else None),)
    began = time.perf_counter()
    matches, _ = compiled.match(many)
    assert time.perf_counter() - began < 5
    assert [match.event for match in matches] == [*range(1, 5000, 2)]
