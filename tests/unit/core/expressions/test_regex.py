"""JavaScript regular expressions within a budget."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.expressions.regex import MAX_PATTERN, MAX_TEXT, RegexMatch, find_matches


def texts(pattern: str, text: str, flags: str = "", limit: int = 100) -> list[str]:
    return [match.text for match in find_matches(pattern, flags, text, limit)]


@pytest.mark.parametrize(
    ("pattern", "flags", "text", "found"),
    [
        ("a", "", "banana", ["a", "a", "a"]),
        ("A", "i", "banana", ["a", "a", "a"]),
        ("^b", "m", "a\nb", ["b"]),
        ("a.b", "", "a\nb", []),
        ("a.b", "s", "a\nb", ["a\nb"]),
        ("[.]", "s", "a.b", ["."]),
        ("[(){}/]+", "", "x(/{})y", ["(/{})"]),
        (r"\(\d+\)", "", "f(12)", ["(12)"]),
        (r"\\+", "", "a\\\\b", ["\\\\"]),
        (r"[\]\\]+", "", "x]\\", ["]\\"]),
        ("/a/", "", "x/a/y", ["/a/"]),
        (r"\/", "", "a/b", ["/"]),
        ("(?<=b)a", "", "banana", ["a"]),
        (r"(a)\1", "", "baab", ["aa"]),
        (r"\bfoo\b", "g", "foo food", ["foo"]),
        ("x{2,3}", "", "xxxxx", ["xxx", "xx"]),
        ("é|ñ", "u", "año é", ["ñ", "é"]),
        (r"\u0041", "", "A", ["A"]),
        ("$match($t,/a/)", "", "a", []),
    ],
)
def test_patterns_mean_what_they_mean_in_javascript(pattern: str, flags: str, text: str, found: list[str]) -> None:
    assert texts(pattern, text, flags) == found


def test_groups_are_told_by_number_and_by_name() -> None:
    [match] = find_matches(r"(?<key>\w+)(=)(?:x)?(?<value>\d+)?", "", "a=", 1)
    assert match == RegexMatch("a=", 0, ("a", "=", None), {"key": "a", "value": None})


def test_offsets_count_utf16_units() -> None:
    [match] = find_matches("b+", "", "😀bb", 1)
    assert (match.start, match.end) == (2, 4)


def test_no_more_matches_than_asked_for() -> None:
    assert texts("a", "a" * 50, limit=3) == ["a"] * 3


@pytest.mark.parametrize(
    ("pattern", "flags", "code"),
    [
        ("", "", "REGEX_INVALID"),
        ("(", "", "REGEX_INVALID"),
        ("[", "", "REGEX_INVALID"),
        ("a\\", "", "REGEX_INVALID"),
        ("a", "y", "REGEX_INVALID"),
        ("a", "ii", "REGEX_INVALID"),
        (r"\p{L}", "u", "REGEX_INVALID"),
        (r"\u{1F600}", "u", "REGEX_INVALID"),
        ("a" * (MAX_PATTERN + 1), "", "REGEX_TOO_LONG"),
        ("x*", "", "REGEX_EMPTY_MATCH"),
        ("(a+)+$", "", "REGEX_TOO_SLOW"),
        ("(a|aa)+$", "", "REGEX_TOO_SLOW"),
        ("(.*)(.*)(.*)(.*)(.*)z", "", "REGEX_TOO_SLOW"),
    ],
)
def test_what_cannot_be_done_is_named(pattern: str, flags: str, code: str) -> None:
    with pytest.raises(ValidationFailure) as caught:
        find_matches(pattern, flags, "a" * 2_500 + "b", 10)
    assert caught.value.code == code


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValidationFailure) as caught:
        find_matches("a", "", "a" * (MAX_TEXT + 1), 1)
    assert caught.value.code == "REGEX_TOO_LONG"


@given(st.text(alphabet="abc\\/()[]{}|.*+?^$<>:=!d", max_size=12), st.text(alphabet="abc/\\\n", max_size=12))
def test_no_pattern_can_raise_anything_else(pattern: str, text: str) -> None:
    assert outcome(pattern, text) in ("found", "refused")


def outcome(pattern: str, text: str) -> str:
    try:
        found = find_matches(pattern, "", text, 5)
    except ValidationFailure as failure:
        return "refused" if (failure.code or "").startswith("REGEX_") else f"unknown code {failure.code}"
    return "found" if all(match.text in text for match in found) else "a match that is not in the text"


@given(st.text(alphabet="ab/()[{\\.", min_size=1, max_size=6), st.text(alphabet="ab/()[{\\.", max_size=20))
def test_an_escaped_literal_is_found_where_it_stands(literal: str, text: str) -> None:
    found = find_matches(re.escape(literal), "", text, 1)
    assert [match.start for match in found] == ([text.find(literal)] if literal in text else [])


def test_a_pattern_that_compares_with_its_groups_has_less_budget_the_longer_the_text() -> None:
    """One step of such a pattern may look at half of the text: sixty thousand of them took twenty seconds."""
    for pattern in (r"(a+)\1z", r"(?<n>a+)\k<n>z"):
        assert texts(pattern, "a" * 2_500) == []
        with pytest.raises(ValidationFailure) as caught:
            texts(pattern, "a" * 2_500 + "c" * 97_000)
        assert caught.value.code == "REGEX_TOO_SLOW"
    assert texts("(a+)[a]z", "a" * 2_500 + "c" * 97_000) == []
