"""Read a definition out of untrusted data and say everything that is wrong with it. Pure; importable anywhere."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from workflow_runtime.core.canonical import canonical_json
from workflow_runtime.core.definition.model import Definition
from workflow_runtime.core.definition.steps import STEP_TYPES
from workflow_runtime.core.definition.walk import ROOT_PATH, step_path
from workflow_runtime.core.didyoumean import did_you_mean
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.findings import Finding, FindingCode

_BLOCKS: Final = frozenset({"then", "else", "body", "try", "catch"})
_NODE_OPTIONS: Final = frozenset({"retry", "onError"})
_TAGGED_UNIONS: Final = frozenset({*STEP_TYPES, "event", "schedule", "recurring"})


def parse_definition(data: object) -> tuple[Definition | None, list[Finding]]:
    """``data`` as a definition, or None and every reason why not. Never raises for bad data.

    ``data`` is what ``json.loads`` gives. The findings cover the shape only; ``core.validation`` covers the meaning.
    """
    try:
        text = canonical_json(data)
    except ValidationFailure as failure:
        return None, [_whole(failure.message)]
    try:
        return Definition.model_validate_json(text), []
    except ValidationError as error:
        return None, [_finding(data, detail) for detail in error.errors(include_url=False)]


def _whole(message: str) -> Finding:
    return Finding(severity="error", code=FindingCode.INVALID_WORKFLOW_DEFINITION, step_path=ROOT_PATH, message=message)


def _finding(data: object, detail: ErrorDetails) -> Finding:
    place = _Place(data, detail["loc"])
    code, message, suggestion = _explain(place, detail)
    return Finding(
        severity="error",
        code=code,
        step_id=place.step_id,
        step_path=place.path,
        message=message,
        suggestion=suggestion,
    )


class _Place:
    """Where an error is: the innermost step around it and the field inside that step."""

    def __init__(self, data: object, location: tuple[int | str, ...]) -> None:
        self.path = ROOT_PATH
        self.step: Mapping[str, Any] | None = None
        rest = [part for part in location if part not in _TAGGED_UNIONS]
        parent, node = ROOT_PATH, data
        while (found := _next_step(rest, node)) is not None:
            block, index, node = found
            parent = parent if block is None else f"{parent}.{block}"
            self.path = parent = step_path(parent, index)
            self.step = node if isinstance(node, Mapping) else {}
            rest = rest[2:]
        self.field = _field_name(rest)

    @property
    def step_id(self) -> str | None:
        found = self.step.get("id") if self.step is not None else None
        return found if isinstance(found, str) else None


def _next_step(rest: Sequence[int | str], node: object) -> tuple[str | None, int, object] | None:
    if len(rest) < 2 or not isinstance(rest[1], int) or not isinstance(node, Mapping):
        return None
    name, index = rest[0], rest[1]
    if name != "steps" and name not in _BLOCKS:
        return None
    children = node.get(name)
    if not isinstance(children, list | tuple) or index >= len(children):
        return None
    return (None if name == "steps" else str(name)), index, children[index]


def _field_name(parts: Sequence[int | str]) -> str:
    name = ""
    for part in parts:
        if isinstance(part, int):
            name += f"[{part}]"
        else:
            name += f".{part}" if name else part
    return name


def _explain(place: _Place, detail: ErrorDetails) -> tuple[FindingCode, str, str | None]:
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _explain_type(place)
    if place.step is None:
        return FindingCode.INVALID_WORKFLOW_DEFINITION, _sentence(place.field or "The definition", detail), None
    if detail["type"] == "extra_forbidden" and place.field in _NODE_OPTIONS:
        return _explain_option(place)
    return FindingCode.INVALID_CONFIG, _sentence(place.field or "The step", detail), None


def _explain_type(place: _Place) -> tuple[FindingCode, str, str | None]:
    if place.step is None:
        message = 'trigger.type must be "event", "schedule" or "recurring"; leave the trigger out for none.'
        return FindingCode.INVALID_WORKFLOW_DEFINITION, message, None
    given = place.step.get("type")
    if not isinstance(given, str):
        return FindingCode.INVALID_CONFIG, f"A step needs a type, one of: {', '.join(STEP_TYPES)}.", None
    message = f'There is no step type "{given}"; the types are: {", ".join(STEP_TYPES)}.'
    return FindingCode.UNKNOWN_NODE_TYPE, message, did_you_mean(given, STEP_TYPES)


def _explain_option(place: _Place) -> tuple[FindingCode, str, str | None]:
    kind = place.step.get("type") if place.step is not None else None
    message = f'A "{kind}" step cannot honour {place.field}.'
    return FindingCode.UNSUPPORTED_OPTION, message, f"Put {place.field} on the steps inside it, or remove it."


def _sentence(subject: str, detail: ErrorDetails) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return f"{subject} is not a known key here; remove it or correct its spelling."
    if kind == "missing":
        return f"{subject} is required."
    return f"{subject}: {_lower_first(detail['msg'])}."


def _lower_first(message: str) -> str:
    text = message.removeprefix("Value error, ").rstrip(".")
    return text[:1].lower() + text[1:]
