"""Transforms of values, objects and arrays. Pure; called by the table in ``transform``."""

import json
from typing import Any

from workflow_runtime.core.actions.transform._texts import bounded_join
from workflow_runtime.core.canonical import to_json
from workflow_runtime.core.errors import RuntimeFailureError, ValidationFailure
from workflow_runtime.core.expressions import compile_expression


def parse_json(given: dict[str, Any]) -> Any:
    source = given["source"]
    if isinstance(source, str):
        source = _decode(source)
    return {"value": source, "type": _kind(source)}


def query_json(given: dict[str, Any], now_iso: str) -> Any:
    context = {"source": given["source"]}
    return {"value": compile_expression(given["expression"]).evaluate(context, now_iso=now_iso)}


def stringify_json(given: dict[str, Any]) -> Any:
    spacing = int(given.get("spacing") or 0)
    if not spacing:
        return {"text": json.dumps(given["source"], ensure_ascii=False, separators=(",", ":"))}
    # Indents can be a thousand times what they indent.
    return {"text": bounded_join(json.JSONEncoder(ensure_ascii=False, indent=spacing).iterencode(given["source"]))}


def coalesce_value(given: dict[str, Any]) -> Any:
    skip_blank = given.get("treatEmptyStringAsMissing", True)
    for index, candidate in enumerate(given.get("candidates", ())):
        blank = isinstance(candidate, str) and not candidate.strip()
        if candidate is not None and not (blank and skip_blank):
            return {"value": candidate, "matchedIndex": index}
    return {"value": None, "matchedIndex": None}


def build_object(given: dict[str, Any]) -> Any:
    return {"object": {field["key"]: field.get("value") for field in given.get("fields", ())}}


def pick_fields(given: dict[str, Any]) -> Any:
    source = given.get("source") or {}
    return {"object": {name: source[name] for name in given.get("fields", ()) if name in source}}


def rename_fields(given: dict[str, Any]) -> Any:
    renamed = dict(given.get("source") or {})
    for entry in given.get("renames", ()):
        if entry["from"] in renamed:
            renamed[entry["to"]] = renamed.pop(entry["from"])
    return {"object": renamed}


def append_array(given: dict[str, Any]) -> Any:
    return {"items": [*given.get("items", ()), *given.get("values", ())]}


def build_array(given: dict[str, Any]) -> Any:
    return {"items": [*given.get("items", ())]}


def _decode(source: str) -> Any:
    try:
        return to_json(json.loads(source))
    except (ValueError, RecursionError, RuntimeFailureError) as error:
        raise ValidationFailure(f"The text is not JSON: {str(error).rstrip('.')}.", code="INVALID_JSON") from error


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"
