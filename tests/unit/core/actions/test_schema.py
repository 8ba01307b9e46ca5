"""JSON Schemas that somebody else wrote."""

from typing import Any

import pytest

from workflow_runtime.core.actions import check_schema, validate_json

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "pattern": "^[A-Z]"}, "mail": {"format": "email"}},
    "required": ["name"],
    "additionalProperties": False,
}


def test_a_value_that_fits_has_no_problem() -> None:
    assert validate_json(PERSON, {"name": "Ada", "mail": "ada@example.org"}) == []


def test_every_problem_is_told_with_its_place() -> None:
    problems = validate_json({"type": "array", "items": PERSON}, [{"mail": 5, "x": 1}, {"name": "ada"}])
    assert {problem.split(":")[0] for problem in problems} == {"/0", "/1/name"}
    assert any('"name" is a required property' in problem for problem in problems)


def test_formats_are_asserted() -> None:
    assert validate_json({"format": "date-time"}, "yesterday")
    assert not validate_json({"format": "date-time"}, "2026-05-04T03:02:01Z")


def test_problems_never_show_the_value() -> None:
    problems = validate_json({"properties": {"password": {"const": "x"}, "n": {"type": "number"}}}, {"n": "hunter2"})
    assert problems
    assert "hunter2" not in str(problems)


def test_only_the_first_problems_are_told() -> None:
    problems = validate_json({"items": {"type": "string"}}, list(range(1_000)))
    assert len(problems) == 21
    assert problems[-1] == "and more"


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/$defs/missing"},
        {"type": "text"},
        {"pattern": "(?=a)"},
        {"pattern": "["},
        {"$schema": "https://example.org/draft"},
        {"properties": 5},
        [],
        "{}",
        None,
    ],
)
def test_a_schema_that_cannot_be_used_is_the_problem(schema: Any) -> None:
    assert check_schema(schema)
    assert validate_json(schema, {}) == check_schema(schema)


@pytest.mark.parametrize(
    "schema", [True, {}, PERSON, {"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"type": "object", "x-ui": 1}]
)
def test_usable_schemas_have_no_problem(schema: Any) -> None:
    assert check_schema(schema) == []


def test_patterns_run_in_linear_time() -> None:
    assert validate_json({"pattern": "^(a+)+$"}, "a" * 50_000 + "b")


@pytest.mark.parametrize("value", [float("nan"), {1: 2}, {1, 2}, "\ud800"])
def test_a_value_that_is_not_json_is_a_problem(value: Any) -> None:
    assert "not JSON" in validate_json(True, value)[0]


def test_deep_values_are_refused_before_the_validator_sees_them() -> None:
    value: Any = {}
    for _ in range(100_000):
        value = {"a": value}
    assert "levels deep" in validate_json({"properties": {"a": {"$ref": "#"}}}, value)[0]


def test_the_draft_follows_the_schema() -> None:
    draft4 = {"$schema": "http://json-schema.org/draft-04/schema#", "maximum": 5, "exclusiveMaximum": True}
    assert validate_json(draft4, 5)
    assert check_schema({"maximum": 5, "exclusiveMaximum": True})


@pytest.mark.parametrize(("schema", "value", "fits"), [({"type": "integer"}, 1.0, True), ({"const": 1}, True, False)])
def test_numbers_and_booleans_are_told_apart(schema: Any, value: Any, fits: bool) -> None:
    assert (validate_json(schema, value) == []) is fits
