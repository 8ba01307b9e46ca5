"""Strict JSON: what no store and no worker could carry on is refused at the door."""

import pytest

from workflow_server.problems import ProblemError
from workflow_server.wire import json_answer, parse_json


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b"1e400",
        b'{"a":1,"a":2}',
        b'"\\ud800"',
        b"[" * 5000 + b"]" * 5000,
        b"\xff",
        b'{"a":1} x',
    ],
    ids=["nothing", "cut off", "NaN", "too large", "twice", "half surrogate", "deep", "not UTF-8", "more behind it"],
)
def test_what_is_not_strict_json_is_refused(body: bytes) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_json(body)
    assert (caught.value.status_code, caught.value.code) == (400, "INVALID_JSON")


def test_json_comes_through_unchanged() -> None:
    text = '{"a":[1,2.5,null,true,"é\U0001f600"],"big":123456789012345678901234567890}'
    value = parse_json(text.encode())
    assert value == {"a": [1, 2.5, None, True, "é\U0001f600"], "big": 123456789012345678901234567890}
    assert json_answer(value).body == text.encode()
