"""Read types and properties out of JSON Schemas, as far as that is certain. Pure; importable anywhere.

Used to warn authors at publish, so every answer errs towards "unknown": only what a schema plainly says counts.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final

EMPTY_REF: Final = "payload.Empty.v1"
CLOCK_TRIGGER_REF: Final = "payload.WorkflowClockTrigger.v1"

ALL_TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})

_MAX_REFERENCES: Final = 16
_ALTERNATIVES: Final = ("anyOf", "oneOf")


class Presence(Enum):
    """Whether a schema has a property."""

    KNOWN = "known"
    ABSENT = "absent"
    UNKNOWN = "unknown"


def property_schema(schema: Any, path: Sequence[str], root: Any = None) -> tuple[Presence, Any]:
    """The schema of what stands at ``path``, and whether ``schema`` allows it at all.

    ABSENT means that a value which fits ``schema`` cannot have it; UNKNOWN that the schema leaves it open. ``root`` is
    the document that local ``$ref`` pointers lead into, ``schema`` itself by default.
    """
    root = schema if root is None else root
    node = resolve_reference(schema, root)
    if not path:
        return Presence.KNOWN, node
    if not isinstance(node, Mapping):
        return (Presence.ABSENT if node is False else Presence.UNKNOWN), None
    if path[0] in _properties(node):
        return property_schema(node["properties"][path[0]], path[1:], root)
    if "array" in types_of(node, root) and path[0].isdigit():
        return property_schema(node.get("items", True), path[1:], root)
    return (Presence.ABSENT if _is_closed(node, root) else Presence.UNKNOWN), None


def required_properties(schema: Any) -> tuple[str, ...]:
    """The properties an object must have, in the schema's order."""
    node = resolve_reference(schema, schema)
    required = node.get("required", ()) if isinstance(node, Mapping) else ()
    return tuple(name for name in required if isinstance(name, str)) if isinstance(required, list) else ()


def property_names(schema: Any) -> tuple[str, ...]:
    """The properties a schema names, in its order."""
    node = resolve_reference(schema, schema)
    return tuple(_properties(node)) if isinstance(node, Mapping) else ()


def types_of(schema: Any, root: Any = None) -> frozenset[str]:
    """The JSON types a value that fits may have; all of them when the schema does not say."""
    root = schema if root is None else root
    node = resolve_reference(schema, root)
    if not isinstance(node, Mapping):
        return frozenset() if node is False else ALL_TYPES
    found = ALL_TYPES
    if "type" in node:
        named = node["type"] if isinstance(node["type"], list) else [node["type"]]
        found &= frozenset(name for name in named if isinstance(name, str))
    if "const" in node:
        found &= {type_name(node["const"])}
    if isinstance(node.get("enum"), list):
        found &= {type_name(value) for value in node["enum"]}
    for key in _ALTERNATIVES:
        if isinstance(node.get(key), list):
            found &= _union(node[key], root)
    return found


def compatible(source: frozenset[str], target: frozenset[str]) -> bool:
    """Whether a value of some ``source`` type can be of some ``target`` type; a number may turn out to be whole."""
    widened = source | ({"integer", "number"} if source & {"integer", "number"} else frozenset())
    return not source or not target or bool(widened & target)


def type_name(value: Any) -> str:
    """The JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list | tuple) else "object"


def resolve_reference(schema: Any, root: Any) -> Any:
    """``schema``, or what its local ``$ref`` leads to; True, which allows anything, when that cannot be told."""
    for _ in range(_MAX_REFERENCES):
        if not isinstance(schema, Mapping) or "$ref" not in schema:
            return schema
        schema = _pointer(schema["$ref"], root)
    return True


def _pointer(reference: Any, root: Any) -> Any:
    if not isinstance(reference, str) or not reference.startswith("#"):
        return True
    node = root
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, Mapping) or key not in node:
            return True
        node = node[key]
    return node


def _union(options: list[Any], root: Any) -> frozenset[str]:
    # One level only: schemas may contain themselves.
    found: set[str] = set()
    for option in options:
        node = resolve_reference(option, root)
        simple = isinstance(node, Mapping) and not any(key in node for key in _ALTERNATIVES)
        found |= types_of(node, root) if simple else ALL_TYPES
    return frozenset(found)


def _properties(node: Mapping[str, Any]) -> Mapping[str, Any]:
    found = node.get("properties")
    return found if isinstance(found, Mapping) else {}


def _is_closed(node: Mapping[str, Any], root: Any) -> bool:
    if "object" not in types_of(node, root):
        return True
    extended = any(key in node for key in ("patternProperties", "allOf", "anyOf", "oneOf", "if", "$dynamicRef"))
    return node.get("additionalProperties") is False and not extended
