"""Where assignments write."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.assign import SCOPES, Target, assign_path, parse_target
from workflow_runtime.core.errors import ValidationFailure


def scopes(**changes: Any) -> dict[str, Any]:
    return {
        "payload": {"a": 1, "list": [1, {"x": 2}]},
        "vars": {"v": 1},
        "meta": {"state": "S"},
        "error": None,
        **changes,
    }


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("payload.a", Target("payload", ("a",))),
        ("vars.a.b", Target("vars", ("a", "b"))),
        ("meta.x", Target("meta", ("x",))),
        ("error.code", Target("error", ("code",))),
        ("bare", Target("vars", ("bare",))),
        ("bare.deep", Target("vars", ("bare", "deep"))),
        ("payloads.x", Target("vars", ("payloads", "x"))),
        ("/a/b", Target("payload", ("a", "b"))),
        ("/a~1b/c~0d", Target("payload", ("a/b", "c~d"))),
        ("/list/0", Target("payload", ("list", "0"))),
        (" vars.a ", Target("vars", ("a",))),
    ],
)
def test_paths_lead_where_the_contract_says(path: str, target: Target) -> None:
    assert parse_target(path) == target


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        ".",
        "vars",
        "payload",
        "meta.",
        "vars..a",
        ".a",
        "/",
        "//a",
        "/a~2",
        "a.__proto__",
        "payload.constructor.x",
        "/prototype",
        "__proto__",
        ".".join("a" * 40),
    ],
)
def test_paths_that_lead_nowhere_are_refused(path: str) -> None:
    with pytest.raises(ValidationFailure) as caught:
        assign_path(scopes(), path, 1)
    assert caught.value.code == "INVALID_ASSIGN_PATH"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("payload.a", {"payload": {"a": 9, "list": [1, {"x": 2}]}}),
        ("payload.new.deep", {"payload": {"a": 1, "list": [1, {"x": 2}], "new": {"deep": 9}}}),
        ("payload.a.b", {"payload": {"a": {"b": 9}, "list": [1, {"x": 2}]}}),
        ("/list/1/x", {"payload": {"a": 1, "list": [1, {"x": 9}]}}),
        ("payload.list.2", {"payload": {"a": 1, "list": [1, {"x": 2}, 9]}}),
        ("w", {"vars": {"v": 1, "w": 9}}),
        ("meta.other", {"meta": {"state": "S", "other": 9}}),
        ("error.message", {"error": {"message": 9}}),
    ],
)
def test_writing_changes_one_place_and_no_other(path: str, expected: dict[str, Any]) -> None:
    before = scopes()
    assert assign_path(before, path, 9) == {**scopes(), **expected}
    assert before == scopes()


@pytest.mark.parametrize("path", ["/list/3", "/list/-1", "/list/x", "payload.list.01x", "payload.list.9999999999"])
def test_an_index_outside_an_array_is_refused(path: str) -> None:
    with pytest.raises(ValidationFailure) as caught:
        assign_path(scopes(), path, 1)
    assert "array of 2 items" in caught.value.message


@given(st.text(max_size=20), st.none() | st.integers() | st.lists(st.integers(), max_size=3))
def test_no_path_loses_a_scope_or_raises_anything_else(path: str, value: Any) -> None:
    try:
        after = assign_path(scopes(extra=7), path, value)
    except ValidationFailure:
        return
    assert set(after) == {*SCOPES, "extra"}
    target = parse_target(path)
    assert {name: after[name] for name in SCOPES if name != target.scope} == {
        name: scopes()[name] for name in SCOPES if name != target.scope
    }
