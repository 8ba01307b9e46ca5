"""Canonical JSON and hashes."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.canonical import MAX_JSON_DEPTH, canonical_json, pretty_json, sha256_hex, to_json
from workflow_runtime.core.errors import ValidationFailure

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def test_equal_values_have_one_text() -> None:
    assert canonical_json({"b": (1.0, -0.0), "a": "é/\u2028"}) == '{"a":"é/\u2028","b":[1,0]}'


def test_pretty_text_is_sorted_indented_and_ends_in_a_newline() -> None:
    assert pretty_json({"b": [], "a": {"c": 1}}) == '{\n  "a": {\n    "c": 1\n  },\n  "b": []\n}\n'


def test_the_hash_is_that_of_the_canonical_text() -> None:
    assert sha256_hex({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        10**400,
        {1: 2},
        {None: 1},
        "\ud800",
        ["\udfff"],
        {"\ud800": 1},
        b"x",
        {1, 2},
        object(),
    ],
)
def test_what_json_cannot_say_is_refused(value: Any) -> None:
    with pytest.raises(ValidationFailure) as caught:
        canonical_json([value])
    assert caught.value.code == "NOT_JSON"


def test_depth_is_bounded_so_that_no_stack_can_end() -> None:
    value: Any = 1
    for _ in range(MAX_JSON_DEPTH):
        value = [value]
    assert to_json(value) == value
    with pytest.raises(ValidationFailure):
        to_json([value])


@given(JSON)
def test_canonical_text_reads_back_as_the_same_value(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


@given(JSON)
def test_a_value_is_made_plain_once(value: Any) -> None:
    plain = to_json(value)
    assert to_json(plain) == plain
    assert canonical_json(plain) == canonical_json(value)


@pytest.mark.parametrize(("value", "plain"), [(1e15, 10**15), (2.0**53, 2.0**53), (1e300, 1e300), (2**70, 2**70)])
def test_numbers_beyond_exact_doubles_keep_their_kind(value: Any, plain: Any) -> None:
    assert to_json(value) == plain
    assert type(to_json(value)) is type(plain)
