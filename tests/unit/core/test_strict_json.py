"""Strict JSON: what readers of the world understand differently is refused, all else comes through as it is."""

import json

import pytest

from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.strict_json import read_json


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"id": "a", "id": "b"}', "'id' stands twice"),
        (b'[{"x": {"a": 1, "b": 2, "a": 1}}]', "'a' stands twice"),
        (b'{"a": 1, "\\u0061": 2}', "'a' stands twice"),
        (b'{"a": 1e400}', "1e400 is larger"),
        (b"[-1E+309]", "-1E+309 is larger"),
        (b"9" * 400, "is larger"),
        (b"-" + b"9" * 400, "is larger"),
        (b"9" * 5000, "out of range"),
        (b"NaN", "expected"),
        (b'"\\ud800"', "hex escape"),
        (b'"\xff"', "unicode"),
        (b"\xef\xbb\xbf{}", "expected"),
        (b"[" * 5000 + b"]" * 5000, "recursion"),
        (b"", "EOF"),
    ],
    ids=str,
)
def test_what_readers_understand_differently_is_refused(text: bytes, told: str) -> None:
    with pytest.raises(ValidationFailure) as caught:
        read_json(text)
    assert caught.value.to_failure().code == "NOT_JSON"
    assert told in caught.value.message


@pytest.mark.parametrize(
    "text",
    ['{"a":{"x":1},"b":{"x":1}}', "1e308", "-0.0", "12345678901234567890123", '"1e400"', '{"":[null,true,"é\\u0000"]}'],
)
def test_everything_else_comes_through(text: str) -> None:
    assert repr(read_json(text.encode())) == repr(json.loads(text))


def test_a_long_object_with_a_key_twice_is_refused_without_looking_at_every_pair() -> None:
    """A hundred thousand keys: comparing each with each would take minutes."""
    keys = ",".join(f'"k{number}":0' for number in range(100_000))
    with pytest.raises(ValidationFailure, match="'last' stands twice"):
        read_json(f'{{{keys},"last":1,"last":2}}'.encode())
