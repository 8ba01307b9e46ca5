"""Suggestions for misspelt names."""

import pytest

from workflow_runtime.core.didyoumean import did_you_mean, edit_distance, nearest


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ("", "", 0),
        ("a", "", 1),
        ("abc", "abd", 1),
        ("abc", "acb", 1),
        ("abc", "ab", 1),
        ("abc", "xyz", 3),
        ("ab", "ba", 1),
    ],
)
def test_distance_counts_edits_and_swaps(left: str, right: str, distance: int) -> None:
    assert edit_distance(left, right, 5) == distance
    assert edit_distance(right, left, 5) == distance


def test_a_distance_beyond_the_limit_is_not_computed_further() -> None:
    assert edit_distance("a" * 1000, "b" * 1000, 2) == 3
    assert edit_distance("abcdef", "ab", 2) == 3


def test_the_nearest_word_wins_and_far_ones_are_not_suggested() -> None:
    known = ["transform.trim_text", "transform.join_text", "store.get"]
    assert nearest("transform.trim_txt", known) == "transform.trim_text"
    assert nearest("Store.Get", known) == "store.get"
    assert nearest("email.send", known) is None
    assert did_you_mean("store.got", known) == 'Did you mean "store.get"?'
    assert did_you_mean("x", []) is None
