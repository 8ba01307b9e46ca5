"""No schema and no value keeps a validator busy: what multiplies is counted before it is tried."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
TWO_WAYS: dict[str, Any] = {
    "allOf": [{"$ref": "#/$defs/x"}, {"allOf": [{"$ref": "#/$defs/x"}]}],
    "$defs": {"x": {"items": {}}},
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
        ({"properties": {"a": {}}, "additionalProperties": {}}, {"a": 1, "b": 2}, 3),
        ({"properties": {"a": {}}, "patternProperties": {"^a": {}}}, {"a": 1}, 3),
        ({"items": {"type": "number"}}, [1, 2, 3], 4),
        ({"prefixItems": [{}, {}]}, [[]], 3),
        ({"dependentSchemas": {"a": {}}}, 1, 2),
        (TREE, {"left": {"left": {}}}, 5),
        (TWO_WAYS, [1], 8),
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


def test_a_schema_that_is_only_itself_is_counted_to_the_limit_where_nothing_plain_stands() -> None:
    itself = {"items": {"$ref": "#/$defs/x"}, "$defs": {"x": {"anyOf": [{"$ref": "#/$defs/x"}]}}}
    assert SchemaCost(itself).looks([[1]], LIMIT) == LIMIT


@pytest.mark.parametrize("spec", BUILTIN_SPECS, ids=lambda spec: spec.id)
def test_no_action_of_ours_needs_counting(spec: Any) -> None:
    schemas = [schema for schema in (spec.input_schema, spec.output_schema) if isinstance(schema, dict)]
    assert all(SchemaCost(schema).is_plain() for schema in schemas)


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "anyOf": several,
            "allOf": several,
            "not": inner,
            "properties": st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
            "additionalProperties": inner,
            "prefixItems": several,
            "items": inner,
        },
    )


REFERENCE = st.sampled_from(["#", "#/$defs/x"]).map(lambda target: {"$ref": target})
SCHEMA = st.recursive(REFERENCE | st.just({}), _schemas, max_leaves=8)
ROOT = st.tuples(_schemas(SCHEMA), SCHEMA).map(lambda pair: {**pair[0], "$defs": {"x": pair[1]}})
VALUE = st.recursive(
    st.just(1),
    lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
    max_leaves=8,
)


class Walk:
    """A validator that tries everything, one look after the other, until it has had enough."""

    def __init__(self, root: dict[str, Any], limit: int) -> None:
        self._root = root
        self.left = limit

    def look(self, schema: Any, value: Any) -> None:
        if self.left <= 0 or not isinstance(schema, dict):
            return
        self.left -= 1
        for applied in self._here(schema):
            self.look(applied, value)
        for applied, child in self._inside(schema, value):
            self.look(applied, child)

    def _here(self, schema: dict[str, Any]) -> list[Any]:
        referred = {"#": self._root, "#/$defs/x": self._root["$defs"]["x"]}.get(schema.get("$ref", ""), True)
        return [referred, *schema.get("anyOf", ()), *schema.get("allOf", ()), schema.get("not", True)]

    def _inside(self, schema: dict[str, Any], value: Any) -> list[tuple[Any, Any]]:
        if isinstance(value, list):
            first = schema.get("prefixItems", [])
            rest = [(schema.get("items", True), child) for child in value[len(first) :]]
            return [*zip(first, value, strict=False), *rest]
        if isinstance(value, dict):
            named, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
            return [(named.get(name, rest), child) for name, child in value.items()]
        return []


@settings(max_examples=300)
@given(schema=ROOT, value=VALUE)
def test_no_validator_looks_more_often_than_was_counted(schema: dict[str, Any], value: Any) -> None:
    limit = 300
    walk = Walk(schema, limit)
    walk.look(schema, value)
    assert limit - walk.left <= SchemaCost(schema).looks(value, limit)
