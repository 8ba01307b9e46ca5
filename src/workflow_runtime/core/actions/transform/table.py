"""Which function performs which ``transform.*`` action. Pure; importable anywhere."""

from collections.abc import Callable
from typing import Any, Final

from workflow_runtime.core.actions.transform import _regexes, _texts, _values
from workflow_runtime.core.actions.transform._compose import compose_text
from workflow_runtime.core.errors import ActionFailure

type Transform = Callable[[dict[str, Any]], Any]

_QUERY_JSON: Final = "transform.query_json"
_TRANSFORMS: Final[dict[str, Transform]] = {
    "transform.append_array": _values.append_array,
    "transform.build_array": _values.build_array,
    "transform.build_object": _values.build_object,
    "transform.coalesce_value": _values.coalesce_value,
    "transform.compose_text": compose_text,
    "transform.concat_text": _texts.concat_text,
    "transform.join_text": _texts.join_text,
    "transform.lowercase_text": _texts.lowercase_text,
    "transform.parse_json": _values.parse_json,
    "transform.pick_fields": _values.pick_fields,
    "transform.regex_extract": _regexes.regex_extract,
    "transform.regex_match": _regexes.regex_match,
    "transform.regex_replace": _regexes.regex_replace,
    "transform.rename_fields": _values.rename_fields,
    "transform.replace_text": _texts.replace_text,
    "transform.split_text": _texts.split_text,
    "transform.stringify_json": _values.stringify_json,
    "transform.trim_text": _texts.trim_text,
    "transform.truncate_text": _texts.truncate_text,
    "transform.uppercase_text": _texts.uppercase_text,
}

TRANSFORM_IDS: Final = tuple(sorted((*_TRANSFORMS, _QUERY_JSON)))
"""Every transform, all of version 1."""


def run_transform(action_id: str, given: dict[str, Any], *, now_iso: str) -> Any:
    """The output of a transform for input that fits its schema. ``now_iso`` is what ``nowIso()`` answers in a query.

    Raises ``ValidationFailure`` or ``ExpressionFailure`` for input it cannot work on, ``ActionFailure``
    (UNKNOWN_ACTION) for an id that is no transform.
    """
    if action_id == _QUERY_JSON:
        return _values.query_json(given, now_iso)
    transform = _TRANSFORMS.get(action_id)
    if transform is None:
        raise ActionFailure(f"There is no transform {action_id!r}.", code="UNKNOWN_ACTION")
    return transform(given)
