"""The input an ``action.call`` step really sends, older spellings included. Pure; importable anywhere.

The earlier runtime kept two things beside ``inputMapping``: the ``outputs`` of ``transform.compose_text`` and the
``aiOutputSchema`` of ``ai.infer``. Its bundles still do; here they become ordinary input.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from workflow_runtime.core.definition.steps import ActionCallConfig
from workflow_runtime.core.definition.values import EXPR_KEY
from workflow_runtime.core.errors import ValidationFailure

COMPOSE_TEXT: Final = "transform.compose_text"
AI_INFER: Final = "ai.infer"

_SEGMENT: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*|\[\d+\]")
_REFERENCE: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*(?:\.[A-Za-z_$][A-Za-z0-9_$]*|\[\d+\])*")


def effective_input(config: ActionCallConfig) -> dict[str, Any]:
    """The authored input: ``inputMapping``, and what ``config`` says elsewhere, as values with expressions.

    Raises ``ValidationFailure`` (code ``INVALID_CONFIG``) when the older spelling cannot be read.
    """
    mapping: dict[str, Any] = dict(config.input_mapping)
    if config.action_id == COMPOSE_TEXT and config.outputs is not None:
        mapping["outputs"] = [_with_values(output) for output in config.outputs]
    if config.action_id == AI_INFER:
        schema = _output_schema(config)
        if schema is not None:
            mapping["outputSchema"] = schema
    return mapping


def reference_expression(path: str) -> str:
    """The expression that reads a designer's reference such as ``payload.items[0].name``.

    Names are quoted, so that none of them can be anything but a name. Raises ``ValidationFailure``.
    """
    stripped = path.strip()
    if _REFERENCE.fullmatch(stripped) is None:
        raise _invalid(f"{path!r} is no reference; write names joined by dots, with [0] for an item")
    if stripped.partition(".")[0] == "$index":
        stripped = stripped.replace("$index", "local.index", 1)
    parts = [part if part.startswith("[") else f"`{part}`" for part in _SEGMENT.findall(stripped)]
    return ".".join(parts).replace(".[", "[")


def _with_values(node: Any) -> Any:
    """A designer's document in which every reference node carries the value it refers to."""
    if isinstance(node, Mapping):
        copied = {key: _with_values(item) for key, item in node.items()}
        if node.get("type") == "reference" and isinstance(node.get("path"), str):
            copied["value"] = {EXPR_KEY: reference_expression(node["path"])}
        return copied
    if isinstance(node, list | tuple):
        return [_with_values(item) for item in node]
    return node


def _output_schema(config: ActionCallConfig) -> Any:
    if config.ai_output_schema is not None or not config.ai_output_schema_text:
        return config.ai_output_schema
    try:
        return json.loads(config.ai_output_schema_text)
    except ValueError as error:
        raise _invalid(f"aiOutputSchemaText is not JSON ({error})") from error


def _invalid(reason: str) -> ValidationFailure:
    return ValidationFailure(f"The configuration of the action cannot be read: {reason}.", code="INVALID_CONFIG")
