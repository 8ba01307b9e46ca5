"""Validate values against JSON Schemas that somebody else wrote. Pure; importable anywhere, workflow code included.

Nothing is fetched: a ``$ref`` that leads out of the schema is an error of the schema. Regular expressions run in linear
time, and a schema whose alternatives multiply is tried within bounds. Formats are asserted. Messages name places and
rules but never the values, which may be secret or huge.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import jsonschema_rs

from workflow_runtime.core.actions._schema_cost import SchemaCost
from workflow_runtime.core.canonical import canonical_json, to_json
from workflow_runtime.core.errors import ValidationFailure

MAX_PROBLEMS: Final = 20
"""Problems told at once."""

MAX_LOOKS: Final = 1_000_000
"""So often a validator may look at a value and its parts: a fraction of a second."""

MAX_TOLD_LOOKS: Final = 20_000
"""Up to so many looks a misfit is told place by place; telling costs a thousand times what finding does."""

type JsonCheck = Callable[[Any], list[str]]
"""Answers what is wrong with a value; never raises."""

_VALUE: Final = "the value"
_CACHE_SIZE: Final = 512
_SCHEMA_SIZE: Final = 1_000_000


def validate_json(schema: Any, value: Any) -> list[str]:
    """What is wrong with ``value``, each as ``/place: reason``; empty when nothing is.

    ``schema`` is a JSON Schema (an object or a boolean; its ``$schema`` chooses the draft, 2020-12 by default). A
    schema that cannot be used is itself the only problem. Never raises for bad data.
    """
    return json_check(schema)(value)


def json_check(schema: Any) -> JsonCheck:
    """``validate_json`` for one schema, which must not change: what there is to prepare is done once."""
    try:
        validator = _validator(_schema_text(schema))
    except ValidationFailure as failure:
        unusable = failure.message
        return lambda _value: [unusable]
    return lambda value: _problems(validator, value)


def _problems(validator: "_Validator", value: Any) -> list[str]:
    try:
        plain = to_json(value)
    except ValidationFailure as failure:
        return [failure.message]
    looks = 0 if validator.cost is None else validator.cost.looks(plain, MAX_LOOKS)
    if looks >= MAX_LOOKS:
        return ["/: there are too many ways to try the schema's alternatives on the value; make one of them simpler"]
    if looks > MAX_TOLD_LOOKS:
        return [] if validator.is_valid(plain) else ["/: the value does not fit, in more ways than can be told"]
    errors = list(islice(validator.iter_errors(plain), MAX_PROBLEMS + 1))
    problems = [_problem(error) for error in errors[:MAX_PROBLEMS]]
    return [*problems, "and more"] if len(errors) > MAX_PROBLEMS else problems


def check_schema(schema: Any) -> list[str]:
    """What is wrong with a schema itself; empty when ``validate_json`` can use it."""
    try:
        _validator(_schema_text(schema))
    except ValidationFailure as failure:
        return [failure.message]
    return []


def _schema_text(schema: Any) -> str:
    if not isinstance(schema, dict | bool):
        raise _unusable("it is neither an object nor a boolean")
    text = canonical_json(schema)
    if len(text) > _SCHEMA_SIZE:
        raise _unusable(f"it has more than {_SCHEMA_SIZE} characters")
    return text


@dataclass(frozen=True, slots=True)
class _Validator:
    """``cost`` is None when any value is cheap."""

    is_valid: Callable[[Any], bool]
    iter_errors: Callable[[Any], Iterable[Any]]
    cost: SchemaCost | None


@lru_cache(maxsize=_CACHE_SIZE)
def _validator(schema_text: str) -> _Validator:
    schema = json.loads(schema_text)
    found = _compiled(schema)
    cost = SchemaCost(schema) if isinstance(schema, dict) else None
    if cost is None or cost.is_plain():
        return _Validator(found.is_valid, found.iter_errors, None)
    if cost.looks(None, MAX_LOOKS) >= MAX_LOOKS:
        raise _unusable(f"its alternatives multiply to more than {MAX_LOOKS} for a single value")
    return _Validator(found.is_valid, found.iter_errors, cost)


def _compiled(schema: Any) -> Any:
    try:
        return jsonschema_rs.validator_for(
            schema,
            mask=_VALUE,
            offline=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            validate_formats=True,
        )
    except jsonschema_rs.ValidationError as error:
        place = "/".join(str(part) for part in error.instance_path)
        raise _unusable(f"at /{place}: {error.message}") from error
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise _unusable(str(error)) from error


def _unusable(reason: str) -> ValidationFailure:
    return ValidationFailure(f"The JSON Schema cannot be used: {reason}.", code="SCHEMA_INVALID")


def _problem(error: jsonschema_rs.ValidationError) -> str:
    return "/" + "/".join(str(part) for part in error.instance_path) + f": {error.message}"
