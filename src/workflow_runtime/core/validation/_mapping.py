"""Does what a definition maps fit the schema it is mapped to? Private to ``core.validation``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.definition import EXPR_KEY, is_expression, is_secret, iter_expressions, iter_secrets
from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.findings import FindingCode
from workflow_runtime.core.payload_schema import (
    ALL_TYPES,
    Presence,
    compatible,
    property_names,
    property_schema,
    required_properties,
    type_name,
    types_of,
)
from workflow_runtime.core.validation._report import Place

_PATH: Final = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*\s*")
_TEXTS: Final = re.compile(r"\s*(?:(?:nowIso|toString)\s*\(.*\)|\"[^\"\\]*\"|'[^'\\]*')\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """Where expressions read from: a path prefix, such as ``payload``, and the schema of what stands there."""

    prefix: tuple[str, ...]
    schema: Any


def check_mapping(place: Place, field: str, mapping: Mapping[str, Any], target: Any, source: Source | None) -> None:
    """A mapping of names to values builds an object that can fit ``target``, a JSON Schema."""
    for name in required_properties(target):
        if name not in mapping:
            place.error(FindingCode.MISSING_REQUIRED_MAPPING, f"{field} must give {name!r}, which the schema requires.")
    for name, value in mapping.items():
        _check_property(place, f"{field}.{name}", name, value, target, source)


def check_payload(place: Place, field: str, source: Source, target: Any) -> None:
    """Everything an object of one schema passes on can fit another schema: used where no mapping is written."""
    for name in property_names(target):
        presence, given = property_schema(source.schema, (name,))
        _, wanted = property_schema(target, (name,))
        if presence is Presence.KNOWN and not compatible(types_of(given, source.schema), types_of(wanted, target)):
            _incompatible(place, f"{field}.{name}", types_of(given, source.schema), types_of(wanted, target))


def _check_property(place: Place, field: str, name: str, value: Any, target: Any, source: Source | None) -> None:
    presence, wanted = property_schema(target, (name,))
    if presence is Presence.ABSENT:
        place.error(
            FindingCode.MAPPING_TYPE_INCOMPATIBLE,
            f"{field}: the schema has no {name!r} and allows no others.",
            did_you_mean(name, property_names(target)),
        )
    elif presence is Presence.KNOWN:
        _check_types(place, field, value, wanted, target, source)


def _check_types(place: Place, field: str, value: Any, wanted: Any, root: Any, source: Source | None) -> None:
    given, allowed = value_types(value, source), types_of(wanted, root)
    if not compatible(given, allowed):
        _incompatible(place, field, given, allowed)
    elif _is_literal(value):
        schema = {**wanted, **_definitions(root)} if isinstance(wanted, dict) else wanted
        for problem in validate_json(schema, value):
            place.error(FindingCode.MAPPING_TYPE_INCOMPATIBLE, f"{field}{_below(problem)}.")


def value_types(value: Any, source: Source | None) -> frozenset[str]:
    """The JSON types an authored value can turn out to have."""
    if is_secret(value):
        return frozenset({"string"})
    if not is_expression(value):
        return frozenset({type_name(value)})
    text = value[EXPR_KEY]
    if _TEXTS.fullmatch(text) and "&" not in text:
        return frozenset({"string"})
    return _path_types(text, source)


def _path_types(text: str, source: Source | None) -> frozenset[str]:
    if source is None or _PATH.fullmatch(text) is None:
        return ALL_TYPES
    names = tuple(text.strip().split("."))
    size = len(source.prefix)
    if names[:size] != source.prefix:
        return ALL_TYPES
    return _walk_types(source.schema, names[size:])


def _walk_types(schema: Any, names: tuple[str, ...]) -> frozenset[str]:
    """Types at a path; an array on the way maps over its items, so that anything may come of it."""
    for size in range(len(names)):
        presence, node = property_schema(schema, names[:size])
        if presence is not Presence.KNOWN or "array" in types_of(node, schema):
            return ALL_TYPES
    presence, node = property_schema(schema, names)
    return types_of(node, schema) if presence is Presence.KNOWN else ALL_TYPES


def _is_literal(value: Any) -> bool:
    return next(iter_expressions(value), None) is None and next(iter_secrets(value), None) is None


def _below(problem: str) -> str:
    """A problem of ``validate_json`` to be read after a field's name: the root of the value is the field itself."""
    return problem.replace("/: ", ": ", 1).rstrip(".") if problem.startswith("/: ") else problem.rstrip(".")


def _definitions(root: Any) -> dict[str, Any]:
    return {key: root[key] for key in ("$defs", "definitions", "$schema") if isinstance(root, Mapping) and key in root}


def _incompatible(place: Place, field: str, given: frozenset[str], wanted: frozenset[str]) -> None:
    place.error(
        FindingCode.MAPPING_TYPE_INCOMPATIBLE,
        f"{field} gives {_list(given)}, but the schema wants {_list(wanted)}.",
    )


def _list(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "nothing"
