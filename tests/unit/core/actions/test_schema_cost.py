"""No schema and no value keeps a validator busy: what multiplies is counted before it is tried."""

from typing import Any

import pytest

from workflow_runtime.core.actions import BUILTIN_SPECS, check_schema, validate_json
from workflow_runtime.core.actions._schema_cost import SchemaCost

LIMIT = 1_000_000


def doubling(levels: int, reference: str = "#/$defs/d{}", **naming: str) -> dict[str, Any]:
    """A choice of two equal choices, and so on; ``naming`` is what each level is called besides."""
    schemas: list[dict[str, Any]] = [{"anyOf": [{"$ref": reference.format(n + 1)}] * 2} for n in range(levels)]
    defined = {
        f"d{n}": {**schema, **{key: name.format(n) for key, name in naming.items()}}
        for n, schema in enumerate([*schemas, {"type": "string"}])
    }
    return {"$ref": reference.format(0), "$defs": defined}


ESCAPED: dict[str, Any] = {"a/b": {"allOf": [True, {"$ref": "#/$defs/d0"}]}, **doubling(60)["$defs"]}
QUERY: dict[str, Any] = {
    "$ref": "#/$defs/query",
    "$defs": {
        "query": {
            "type": ["object", "string"],
            "anyOf": [
                {"properties": {"op": {"const": name}, "of": {"type": "array", "items": {"$ref": "#/$defs/query"}}}}
                for name in ("and", "or")
            ],
        }
    },
}
TREE: dict[str, Any] = {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}


def nested(levels: int, op: str = "and") -> Any:
    value: Any = "leaf"
    for _ in range(levels):
        value = {"op": op, "of": [value]}
    return value


@pytest.mark.parametrize(
    ("schema", "value", "looks"),
    [
        ({"type": "string"}, "a", 1),
        ({"anyOf": [{"type": "string"}, True, {}]}, "a", 3),
        ({"allOf": [{"not": {}}], "if": {}, "then": {}, "else": {}}, 1, 6),
        ({"properties": {"a": {}}, "additionalProperties": {}}, {"a": 1, "b": 2}, 5),
        ({"properties": {"a": {}}, "patternProperties": {"^a": {}}}, {"a": 1}, 4),
        ({"items": {"type": "number"}}, [1, 2, 3], 7),
        ({"prefixItems": [{}, {}]}, [[]], 4),
        ({"dependentSchemas": {"a": {}}}, 1, 2),
        (TREE, {"left": {"left": {}}}, 8),
    ],
)
def test_looks_are_counted_place_by_place(schema: dict[str, Any], value: Any, looks: int) -> None:
    assert SchemaCost(schema).looks(value, LIMIT) == looks


@pytest.mark.parametrize(
    "schema",
    [
        doubling(60),
        doubling(60, "#name{}", **{"$anchor": "name{}"}),
        doubling(60, "#name{}", **{"$dynamicAnchor": "name{}"}),
        {"$id": "https://example.org/root", **doubling(60, "d{}", **{"$id": "https://example.org/d{}"})},
        doubling(60) | {"$ref": "#/$defs/a~1b/allOf/1", "$defs": ESCAPED},
    ],
    ids=["pointer", "anchor", "dynamic anchor", "id", "escaped"],
)
def test_alternatives_that_multiply_on_one_value_are_no_schema(schema: dict[str, Any]) -> None:
    [problem] = check_schema(schema)
    assert "multiply" in problem
    assert validate_json(schema, "a") == [problem]


def test_alternatives_that_multiply_with_the_depth_of_the_value_are_tried_within_bounds() -> None:
    assert check_schema(QUERY) == []
    assert validate_json(QUERY, nested(5)) == []
    assert validate_json(QUERY, nested(12)) == []
    [problem] = validate_json(QUERY, nested(90))
    assert problem.startswith("/: there are too many ways to try")


def test_a_misfit_of_many_alternatives_is_found_and_told_briefly() -> None:
    assert len(validate_json(QUERY, nested(2, op="xor"))) == 1
    assert validate_json(QUERY, nested(12, op="xor")) == ["/: the value does not fit, in more ways than can be told"]


@pytest.mark.parametrize("alternatives", [1, 200])
def test_of_a_large_value_the_first_misfit_is_told(alternatives: int) -> None:
    schema = {"items": {"anyOf": [{"type": "string"} for _ in range(alternatives)]}}
    first, more = validate_json(schema, ["a"] * 7 + [1] * 100_000)
    assert (first.partition(": ")[0], more) == ("/7", "and perhaps more")
    assert validate_json(schema, ["a"] * 100_000) == []


def test_a_schema_in_itself_without_a_choice_takes_any_depth() -> None:
    value: Any = {}
    for _ in range(190):
        value = {"left": value}
    assert validate_json(TREE, value) == []


@pytest.mark.parametrize("schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}, {"$ref": "#/no/where"}, {"$ref": "#no"}])
def test_a_reference_that_leads_nowhere_does_not_stop_the_count(schema: dict[str, Any]) -> None:
    assert SchemaCost(schema).looks({}, 50) <= 50


@pytest.mark.parametrize("spec", BUILTIN_SPECS, ids=lambda spec: spec.id)
def test_no_action_of_ours_needs_counting(spec: Any) -> None:
    schemas = [schema for schema in (spec.input_schema, spec.output_schema) if isinstance(schema, dict)]
    assert all(SchemaCost(schema).is_plain() for schema in schemas)
