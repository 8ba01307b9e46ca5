"""Validate values against JSON Schemas that somebody else wrote. Pure; importable anywhere, workflow code included.

Nothing is fetched: a ``$ref`` that leads out of the schema is an error of the schema. Regular expressions run in linear
time, and a schema whose alternatives multiply is tried within bounds. Formats are asserted. Messages name places and
rules but never the values, which may be secret or huge.
"""

import json
from collections.abc import Callable
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

AND_MORE: Final = "and more"
AND_PERHAPS_MORE: Final = "and perhaps more"
"""The last of the problems when not all of them are told."""

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
    if validator.multiplies and validator.looks(plain, MAX_LOOKS) >= MAX_LOOKS:
        return ["/: there are too many ways to try the schema's alternatives on the value; make one of them simpler"]
    return [] if validator.schema.is_valid(plain) else _told(validator, plain)


def _told(validator: "_Validator", plain: Any) -> list[str]:
    """The problems of a value that does not fit, as far as telling them takes no longer than it may."""
    if validator.looks(plain, MAX_TOLD_LOOKS) < MAX_TOLD_LOOKS:
        errors = list(islice(validator.schema.iter_errors(plain), MAX_PROBLEMS + 1))
        problems = [_problem(error) for error in errors[:MAX_PROBLEMS]]
        return [*problems, AND_MORE] if len(errors) > MAX_PROBLEMS else problems
    if validator.multiplies:
        return ["/: the value does not fit, in more ways than can be told"]
    try:
        validator.schema.validate(plain)
    except jsonschema_rs.ValidationError as first:
        return [_problem(first), AND_PERHAPS_MORE]
    return []


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
    """``looks`` counts up to a limit; ``multiplies`` says whether that is needed before a value is tried."""

    schema: Any
    looks: Callable[[Any, int], int]
    multiplies: bool = False


@lru_cache(maxsize=_CACHE_SIZE)
def _validator(schema_text: str) -> _Validator:
    schema = json.loads(schema_text)
    compiled = _compiled(schema)
    if isinstance(schema, bool):
        return _Validator(compiled, lambda _value, _limit: 1)
    cost = SchemaCost(schema)
    multiplies = not cost.is_plain()
    if multiplies and cost.looks(None, MAX_LOOKS) >= MAX_LOOKS:
        raise _unusable(f"its alternatives multiply to more than {MAX_LOOKS} for a single value")
    return _Validator(compiled, cost.looks, multiplies)


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
