"""Regular expressions: the same answers as Python's where both are defined, and never a hang."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.safe_regex import RegexError, TextTooLongError, compile_find, compile_search, longest_text

ATOMS = ["a", "b", "B", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", ".", "^", "$", r"\b", r"\B", r"\A"]
ATOMS += [
    "[ab]",
    "[^a]",
    r"[^\s]",
    r"[\S\n]",
    r"[\w-]",
    r"[^\W\d]",
    "é",
    "(?:)",
    r"\\",
    r"\.",
    "[.]",
    "-",
    "[a-c]",
]

expressions = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,3}", "{0,2}"])).map(
            lambda pair: f"({pair[0]}){pair[1]}"
        ),
        inner.map(lambda part: f"(?s:{part})"),
        inner.map(lambda part: f"(?m:{part})"),
    ),
    max_leaves=8,
)
texts = st.text(alphabet="abAB1 é\n\v\t.-\\_\u2028", max_size=12)


@example(r"\B", "1é1", "")  # RE2 works on bytes
@given(expressions, texts.filter(bool), st.sampled_from(["", "m", "s", "ms"]))
def test_the_same_texts_match_as_in_python(expression: str, text: str, flags: str) -> None:
    value = re.ASCII
    for flag in flags:
        value |= {"m": re.MULTILINE, "s": re.DOTALL}[flag]
    expected = re.search(expression, text, value) is not None
    try:
        found = compile_search(expression, flags)
    except RegexError as error:
        assert "catastrophic" in str(error)  # noqa: PT017 - only sometimes refused
        return
    assert found(text) is expected


@given(
    st.text(alphabet="abk\u017f\u212aéÉ\u03c3\u03c2\u03a3\u00b5\u03bc", min_size=1, max_size=4),
    st.text(max_size=8),
)
def test_ignoring_case_folds_as_strings_do(literal: str, around: str) -> None:
    from streams.detect.text import fold  # noqa: PLC0415 - only here

    text = around + literal.swapcase()
    assert compile_search(re.escape(literal), "i")(text) is (fold(literal) in fold(text))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("(a+)+$", "a" * 200_000 + "!"),
        ("(a|aa)+$", "a" * 200_000 + "!"),
        ("(.*a){20}", "b" * 200_000),
        (r"^(\w+\s?)*$", "word " * 40_000 + "!"),
        ("(x+x+)+y", "x" * 200_000),
        ("a?" * 50 + "a" * 50, "a" * 49),
        (r"\+.*\+.*\+.*\+.*\+.*\+.*\+.*\+.*\+", "+" * 7 + "x" * 200_000),
    ],
)
def test_a_catastrophic_expression_takes_linear_time(expression: str, text: str) -> None:
    began = time.perf_counter()
    assert not compile_search(expression)(text)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "expression",
    [
        "(?=(a+)+$)",
        r"(a+)+\1$",
        r"(?!x)(a|aa)+$",
        r"(?!x)(\w+\s?)*$",
        "(?!x)(a*)*b",
        "(?!x).*.*.*=.*",
        r"(?!x)(\w{1,64}\s?){1,64}$",
        "(?!x)((a{1,9}){1,9}){1,9}$",
        "(?!x)" + "(?:" * 40 + "a" + "+)+" * 40,
    ],
)
def test_what_re2_cannot_run_and_may_hang_is_refused(expression: str) -> None:
    with pytest.raises(RegexError, match="catastrophic"):
        compile_search(expression)


@pytest.mark.parametrize(
    "expression", [r"(?!x)\w+=\w+", r"^(?!.*ok).*bad", r"(['\"]).*\1", r"(?<=a)b{1,200}c", r"a(?!b)"]
)
def test_what_re2_cannot_run_is_bounded(expression: str) -> None:
    search = compile_search(expression)
    longest = longest_text(expression)
    assert longest is not None
    search("a" * longest)
    with pytest.raises(TextTooLongError):
        search("a" * (longest + 1))
    began = time.perf_counter()
    for length in (1024, 4096, 1 << 14, 1 << 20):
        for unit in ("a", "ab=", "bad ok", "'\""):
            try:
                search((unit * length)[:length])
            except TextTooLongError:
                assert length > 1024
    assert time.perf_counter() - began < 20


def test_what_re2_runs_has_no_bound() -> None:
    assert longest_text(r"(a+)+$") is None
    assert compile_search(r"(a+)+$", "i")("x" * 2_000_000 + "A")
    with pytest.raises(RegexError):
        longest_text("(?=(a+)+$)b")


def test_an_unpaired_surrogate_is_a_character() -> None:
    assert compile_search("^a.b$")("a\ud800b")


def test_a_very_long_expression_is_refused() -> None:
    with pytest.raises(RegexError, match="longer"):
        compile_search("a" * 20_000)


@pytest.mark.parametrize(
    "expression", ["(", "[a", "a{2,1}", "*a", r"\q", "a(?i)b", "(?P<x>a)(?P<x>b)", "(" * 200 + ")"]
)
def test_an_invalid_expression_is_refused(expression: str) -> None:
    with pytest.raises(RegexError, match="invalid"):
        compile_search(expression)


@pytest.mark.parametrize(
    "expression",
    [
        r"(?!x)(?:a+a+b)*",
        r"^(?!x)(?:a(?=a*c)|a)*",
        r"(?!x)b?(?:a(?=a*c)|a)+",
        r"^(?!x)((?:a(?=a*c)|a){1,9})*",
    ],
)
def test_a_quantifier_at_the_end_is_bounded_too(expression: str) -> None:
    try:
        search = compile_search(expression)
    except RegexError:
        return
    began = time.perf_counter()
    for length in (1024, 4096, 1 << 14, 1 << 17, 1 << 20):
        with contextlib.suppress(TextTooLongError):
            search("a" * length)
    assert time.perf_counter() - began < 20


ENDLESS = 1 << 30
"""No text so long is safe for Python's `re`: the search is left to RE2."""
FINDABLE = ["a", "b", "é", ".", "[ab]", "[^a]", "-", r"\.", "^", "[a-c]", "1"]
findable = st.recursive(
    st.sampled_from(FINDABLE),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "+?", "{2}", "{1,3}", "{0,2}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
        inner.map(lambda part: f"(?m:{part})"),
        inner.map(lambda part: f"(?s:{part})"),
    ),
    max_leaves=6,
)


@given(findable, findable, findable, texts)
def test_re2_finds_what_python_finds(before: str, group: str, after: str, text: str) -> None:
    expression = f"{before}(?P<subject>{group}){after}|(?P<record>{after}){group}"
    try:
        found = compile_find(expression, ENDLESS).find
    except RegexError as error:
        assert re.search("may be empty|may match nothing", str(error))  # noqa: PT017 - only sometimes refused
        return
    assert list(found(text)) == [match.groupdict() for match in re.finditer(expression, text)]


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        (r"(?<!\d)(?P<subject>\d{3}[ -]?\d{4})(?!\d)", "x123-4567", ["123-4567"]),
        (r"(?i)\b(?P<subject>p[0-9]{2})\b", "P12 ép13", ["P12"]),
        (r"(?<![A-Z])(?P<subject>CR-[0-9]+)", "CR-1,XCR-2,CR-345", ["CR-1", "CR-345"]),
        (
            r"/case/(?P<record>[0-9]+)(?:/person/(?P<subject>P[0-9]+))?",
            "/case/7/person/P8,/case/9",
            ["P8", None],
        ),
        (r"(?P<subject>(?:[a-z]+-)+[0-9]+)", "a-b-1 é-2", ["a-b-1"]),
        (r"(?P<subject>\d+)", "\u0661\u0662 3", ["\u0661\u0662", "3"]),
    ],
)
def test_every_place_is_found(expression: str, text: str, found: list[str | None]) -> None:
    assert [groups["subject"] for groups in compile_find(expression, 1 << 14).find(text)] == found


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (r"(?P<subject>(?:[a-z]+ ?)+)$", "it has `$`"),
        (r"(?P<subject>(?:\w+-)+[0-9])", "write the range"),
        (r"(?P<subject>(?:a+)+)(?!b)", "looks ahead"),
        (r"(?i)(?P<subject>(?:a+b?)+)c", "ignores case"),
        (r"(?P<subject>(?i:(?:a+b?)+))c", "ignores case"),
        (r"(?P<subject>(?:a*)*)b", "may be empty"),
        (r"(?:a+a+b)?(?P<subject>(?:a+b)*)(?:(?:a+b)+c)?", "may match nothing"),
        (r"(?P<subject>(a+)+\2)", "refers back"),
    ],
)
def test_what_could_take_for_ever_is_not_searched_for(expression: str, reason: str) -> None:
    with pytest.raises(RegexError, match=f"catastrophic.*{re.escape(reason)}"):
        compile_find(expression, 1 << 14)


@pytest.mark.parametrize(
    "expression",
    [
        "(?P<subject>(?:a+)+)b",
        "(?P<subject>(?:a|aa)+)b",
        "(?P<subject>a+)b",
        "a+a+(?P<subject>a+)c",
        "(?P<subject>a.*b|a)",
        r"(?<!b)(?P<subject>a{1,200}c)",
        r"(?P<subject>(?:a(?=a{0,9}c)|a)+)",
    ],
)
def test_every_place_is_found_in_time(expression: str) -> None:
    find = compile_find(expression, 1 << 14).find
    began = time.perf_counter()
    for text in ("a" * (1 << 14), "ab" * (1 << 13), "a" * ((1 << 14) - 1) + "b"):
        assert len(list(find(text))) <= len(text)
    assert time.perf_counter() - began < 5
    list(find("\ud800"))


@pytest.mark.parametrize("expression", ["(", "(?<=a+)b", "(?P<x>a)(?P<x>b)", r"\q"])
def test_an_invalid_expression_is_not_searched_for(expression: str) -> None:
    with pytest.raises(RegexError, match="invalid"):
        compile_find(expression, 100)
    with pytest.raises(RegexError, match="invalid"):
        compile_search(expression)
