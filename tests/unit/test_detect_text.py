"""Text without case, and patterns with wildcards, against plain definitions of both."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from streams.detect.text import as_text, fold, folded_pattern, matcher
from streams.detect.tree import Pattern, Wildcard

patterns = st.lists(
    st.one_of(st.sampled_from(list(Wildcard)), st.text(alphabet="ab.[\n", min_size=1, max_size=2)), max_size=6
).map(tuple)


def matches(pattern: Pattern, text: str) -> bool:
    """Say what a pattern means, by trying everything."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head is Wildcard.MANY:
        return any(matches(rest, text[cut:]) for cut in range(len(text) + 1))
    if head is Wildcard.ONE:
        return bool(text) and matches(rest, text[1:])
    assert isinstance(head, str)
    return text.startswith(head) and matches(rest, text[len(head) :])


@given(patterns, st.text(alphabet="ab.[\n", max_size=8))
def test_wildcards(pattern: Pattern, text: str) -> None:
    assert matcher(pattern)(text) is matches(pattern, text)


def test_many_wildcards_take_no_time() -> None:
    began = time.perf_counter()
    pattern: Pattern = (Wildcard.MANY, "a", Wildcard.ONE) * 200 + ("b",)
    assert not matcher(pattern)("a" * 100_000)
    assert time.perf_counter() - began < 5


@given(st.text())
def test_folding_keeps_the_length_and_is_done_once(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded
    assert "".join(fold(character) for character in text) == folded


@given(st.characters())
def test_a_letter_folds_as_its_other_cases_do(character: str) -> None:
    for other in (character.lower(), character.upper()):
        if len(other) == 1 and len(other.casefold()) == 1 == len(character.casefold()):
            assert (fold(other) == fold(character)) is (other.casefold() == character.casefold())


def test_the_text_of_numbers() -> None:
    values = [4663, 4663.0, 1.5, -0.0, True, False, 10**30, 1e30]
    expected = ["4663", "4663", "1.5", "0", "true", "false", "1" + "0" * 30, str(int(1e30))]
    assert [as_text(value) for value in values] == expected


def test_a_pattern_folds_its_literals() -> None:
    assert folded_pattern(("ÄB", Wildcard.ONE)) == ("äb", Wildcard.ONE)
