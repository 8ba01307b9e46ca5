"""What schemas plainly say about their properties."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.core.payload_schema import (
    ALL_TYPES,
    Presence,
    compatible,
    property_names,
    property_schema,
    required_properties,
    types_of,
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "open": {"type": "object", "properties": {"x": {"type": "string"}}},
        "closed": {"$ref": "#/$defs/closed"},
        "list": {"type": "array"},
        "any": True,
    },
    "required": ["open", 5, "list"],
    "additionalProperties": False,
    "$defs": {"closed": {"type": "object", "properties": {"y": {"type": "integer"}}, "additionalProperties": False}},
}


@pytest.mark.parametrize(
    ("path", "presence"),
    [
        ("open", Presence.KNOWN),
        ("open.x", Presence.KNOWN),
        ("open.other", Presence.UNKNOWN),
        ("closed.y", Presence.KNOWN),
        ("closed.z", Presence.ABSENT),
        ("other", Presence.ABSENT),
        ("list.0", Presence.KNOWN),
        ("list.x", Presence.ABSENT),
        ("any.thing", Presence.UNKNOWN),
        ("open.x.y", Presence.ABSENT),
    ],
)
def test_presence_is_certain_or_unknown(path: str, presence: Presence) -> None:
    assert property_schema(SCHEMA, path.split("."))[0] is presence


def test_a_schema_that_combines_others_leaves_properties_open() -> None:
    combined = {"type": "object", "allOf": [{"properties": {"a": {}}}], "additionalProperties": False}
    assert property_schema(combined, ("a",))[0] is Presence.UNKNOWN


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"const": 1}, {"integer"}),
        ({"enum": ["a", None]}, {"string", "null"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"string", "null"}),
        ({"anyOf": [{"type": "string"}, {}]}, ALL_TYPES),
        ({}, ALL_TYPES),
        (True, ALL_TYPES),
        (False, set()),
        ({"$ref": "#/nowhere"}, ALL_TYPES),
        ({"$ref": "other.json"}, ALL_TYPES),
        ({"$ref": "#"}, ALL_TYPES),
        ({"oneOf": [{"$ref": "#"}]}, ALL_TYPES),
    ],
)
def test_types_are_read_where_the_schema_says_them(schema: Any, types: set[str]) -> None:
    assert types_of(schema) == types


def test_a_number_may_turn_out_to_be_whole() -> None:
    assert compatible(frozenset({"number"}), frozenset({"integer"}))
    assert compatible(frozenset({"integer"}), frozenset({"number"}))
    assert not compatible(frozenset({"string"}), frozenset({"integer"}))
    assert compatible(frozenset(), frozenset({"integer"}))


def test_names_and_requirements_survive_malformed_schemas() -> None:
    assert property_names(SCHEMA) == ("open", "closed", "list", "any")
    assert required_properties(SCHEMA) == ("open", "list")
    assert required_properties({"required": "open"}) == ()
    assert property_names({"properties": []}) == ()
    assert property_names(True) == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.sampled_from(["#", "#/properties/a", "string", "object", 5]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["$ref", "type", "properties", "a", "anyOf", "enum", "required"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_schema_can_raise_or_loop(schema: Any) -> None:
    assert types_of(schema) <= ALL_TYPES | {"#", "#/properties/a"}
    assert property_schema(schema, ("a", "a"))[0] in Presence
    assert isinstance(required_properties(schema), tuple)
