"""Filters of event waits, operator by operator."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.definition import EventFilter
from workflow_runtime.core.filters import all_match, check_filter, explain, matches, read_path
from workflow_runtime.core.machine.effects import Filter

MISSING = object()
CASES: list[tuple[str, Any, Any, bool]] = [
    # operator, actual value, filter value, passes
    ("=", 1, 1, True),
    ("=", 1.0, 1, True),
    ("=", 1, True, False),
    ("=", True, 1, False),
    ("=", 1, "1", False),
    ("=", "1", "1", True),
    ("=", None, None, True),
    ("=", MISSING, None, False),
    ("=", False, 0, False),
    ("=", {"a": 1}, {"a": 1}, False),
    ("=", [1], [1], False),
    ("!=", 1, 1, False),
    ("!=", 1, 2, True),
    ("!=", 1, True, True),
    ("!=", MISSING, 1, True),
    ("!=", None, 1, True),
    ("!=", MISSING, None, True),
    ("in", 1, [1, 2], True),
    ("in", 1, [True, "1"], False),
    ("in", "a", ["a"], True),
    ("in", MISSING, [None], False),
    ("in", None, [None], True),
    ("in", 1, 1, False),
    ("not_in", 1, [1, 2], False),
    ("not_in", 3, [1, 2], True),
    ("not_in", MISSING, [1], True),
    ("not_in", 1, "1", False),
    ("exists", None, None, True),
    ("exists", {"a": 1}, None, True),
    ("exists", MISSING, None, False),
    ("not_exists", MISSING, None, True),
    ("not_exists", None, None, False),
    (">", 2, 1, True),
    (">", 1, 1, False),
    (">", "2", 1, False),
    (">", "b", "a", False),
    (">", True, 0, False),
    (">", 2, False, False),
    (">", MISSING, 1, False),
    (">=", 1, 1, True),
    (">=", 0.5, 1, False),
    ("<", 0.5, 1, True),
    ("<", None, 1, False),
    ("<=", 1.0, 1, True),
    ("<=", [1], 1, False),
    ("contains", "abc", "b", True),
    ("contains", "abc", "B", False),
    ("contains", ["b"], "b", False),
    ("contains", "a1", 1, False),
    ("contains", MISSING, "", False),
    ("starts_with", "abc", "ab", True),
    ("starts_with", "abc", "b", False),
    ("starts_with", 12, "1", False),
    ("ends_with", "abc", "bc", True),
    ("ends_with", "abc", "b", False),
    ("ends_with", "", "", True),
]


@pytest.mark.parametrize(("op", "actual", "value", "passes"), CASES)
def test_operators_follow_the_contract(op: str, actual: Any, value: Any, passes: bool) -> None:
    payload = {} if actual is MISSING else {"a": {"b": actual}}
    assert matches(Filter(path="a.b", op=op, value=value), payload) is passes


def test_all_thirteen_operators_are_covered() -> None:
    assert len({op for op, *_ in CASES}) == 13


@pytest.mark.parametrize("path", ["a.b", ".a.b", "$.a.b", " a.b "])
def test_a_leading_dot_or_dollar_is_dropped(path: str) -> None:
    assert read_path({"a": {"b": 7}}, path) == (True, 7)


@pytest.mark.parametrize("path", ["a.0", "a.x", "b", "a.b.c", "a..b", "$a"])
def test_a_path_that_leads_nowhere_finds_nothing(path: str) -> None:
    assert read_path({"a": [1], "$": 1}, path) == (False, None)


@pytest.mark.parametrize("path", ["", "$", "."])
def test_no_path_is_the_payload_itself(path: str) -> None:
    assert read_path({"a": 1}, path) == (True, {"a": 1})


def test_a_definitions_filter_and_an_effects_filter_mean_the_same() -> None:
    authored = EventFilter(path="a", op="in", value=["x"])
    assert matches(authored, {"a": "x"})
    assert matches(Filter(path=authored.path, op=authored.op, value=authored.value), {"a": "x"})


def test_all_filters_must_hold_and_none_always_does() -> None:
    open_, urgent = Filter(path="s", op="=", value="open"), Filter(path="p", op=">", value=3)
    assert all_match((), None)
    assert all_match((open_, urgent), {"s": "open", "p": 4})
    assert not all_match((open_, urgent), {"s": "open", "p": 3})


def test_an_explanation_names_what_was_wanted_and_what_was_there() -> None:
    wanted = Filter(path="status", op="=", value="open")
    assert explain(wanted, {"status": "closed"}) == "status = 'open', but it is 'closed'"
    assert explain(wanted, {}) == "status = 'open', but it is missing"
    assert explain(wanted, {"status": "open"}) == "status = 'open' holds"
    assert explain(Filter(path="x", op="exists"), {}) == "x exists, but it is missing"
    assert len(explain(wanted, {"status": "x" * 10_000})) < 200


@given(st.text(), st.text(), st.none() | st.text() | st.integers() | st.lists(st.integers()))
def test_no_filter_and_no_payload_can_raise(path: str, op: str, value: Any) -> None:
    payloads: list[Any] = [None, [], {"a": {"b": 1}}, "text", 7]
    for payload in payloads:
        assert check_filter(Filter(path=path, op=op, value=value), payload).passed in (True, False)
