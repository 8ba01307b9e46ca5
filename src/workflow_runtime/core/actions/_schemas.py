"""Short ways to write the JSON Schemas of the built-in actions. Private to ``core.actions``; pure."""

from typing import Any, Final

type Schema = dict[str, Any]

ANYTHING: Final[Schema] = {}
TEXT: Final[Schema] = {"type": "string"}
NAME: Final[Schema] = {"type": "string", "minLength": 1, "maxLength": 256}
NUMBER: Final[Schema] = {"type": "number"}
BOOLEAN: Final[Schema] = {"type": "boolean"}
OBJECT: Final[Schema] = {"type": "object"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}


def record(required: Schema | None = None, optional: Schema | None = None) -> Schema:
    """An object with these properties and no others."""
    required, optional = required or {}, optional or {}
    schema: Schema = {"type": "object", "properties": {**required, **optional}, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def array(items: Schema, **limits: int) -> Schema:
    """An array of ``items``; ``limits`` are ``minItems`` and ``maxItems``."""
    return {"type": "array", "items": items, **limits}


def integer(minimum: int, maximum: int, **more: Any) -> Schema:
    """A whole number from ``minimum`` to ``maximum``."""
    return {"type": "integer", "minimum": minimum, "maximum": maximum, **more}


def choice(*options: str) -> Schema:
    """One of these texts."""
    return {"enum": list(options)}


def nullable(schema: Schema) -> Schema:
    """``schema`` or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def described(schema: Schema, description: str) -> Schema:
    """``schema`` with a sentence for the designer."""
    return {**schema, "description": description}
