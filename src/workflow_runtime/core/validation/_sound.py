"""The sound parts of a definition that does not read, so that they can be judged all the same. Private to
``core.validation``.

What is put in the place of a part that does not read must itself be found faultless, whatever stands around it.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from workflow_runtime.core.canonical import canonical_json, to_json
from workflow_runtime.core.definition import ROOT_PATH, Definition, Step, parse_definition, step_path
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.core.findings import Finding

NO_SCHEMA_REF: Final = "invalid"
"""Stands for a payload schema ref that does not read."""

_STAND_IN: Final[dict[str, Any]] = {"id": "invalid", "version": 1, "name": "invalid", "payloadSchemaRef": NO_SCHEMA_REF}
_HEAD: Final = ("id", "version", "name", "payloadSchemaRef", "trigger")
_BLOCKS: Final = ("then", "else", "body", "try", "catch")
_NEVER_MISSED: Final = frozenset({"name", "retry", "onError"})
"""Parts of a step on which nothing else that is said of it depends."""
_SKELETONS: Final[Mapping[str, dict[str, Any]]] = {
    "control.if": {"condition": {"$expr": "true"}, "then": []},
    "control.forEach": {"items": {"$expr": "[]"}, "itemVar": "item", "body": []},
    "control.tryCatch": {"try": [], "catch": []},
}
_LEAF: Final[dict[str, Any]] = {"type": "state.set", "config": {"state": "invalid"}}
_STEP: Final = TypeAdapter[Step](Step)


def sound_parts(data: object, findings: Sequence[Finding]) -> Definition | None:
    """The definition with a stand-in for every part that does not read; None when it is no object at all."""
    try:
        plain = to_json(data)
    except ValidationFailure:
        return None
    if not isinstance(plain, dict):
        return None
    broken = {finding.step_path for finding in findings} - {ROOT_PATH}
    steps = _repaired(plain.get("steps"), ROOT_PATH, broken)
    sound: dict[str, Any] = {**_STAND_IN, "steps": []}
    for name, value in (*((key, plain[key]) for key in _HEAD if key in plain), ("steps", steps)):
        candidate = {**sound, name: value}
        if parse_definition(candidate)[0] is not None:
            sound = candidate
    return parse_definition(sound)[0]


def _repaired(steps: Any, parent: str, broken: set[str]) -> list[Any]:
    if not isinstance(steps, list):
        return []
    return [_repaired_step(step, step_path(parent, index), broken) for index, step in enumerate(steps)]


def _repaired_step(step: Any, path: str, broken: set[str]) -> dict[str, Any]:
    if not isinstance(step, Mapping):
        return {**_LEAF, "id": f"invalid {path}"}
    blocks = {key: _repaired(step[key], f"{path}.{key}", broken) for key in _BLOCKS if isinstance(step.get(key), list)}
    whole = {**step, **blocks}
    if path not in broken:
        return whole
    without = _without_what_is_refused(whole)
    return without if _refusals(without) == [] else _stand_in(step, path, blocks)


def _without_what_is_refused(step: dict[str, Any]) -> dict[str, Any]:
    kept = copy.deepcopy(step)
    for kind, location in _refusals(step):
        if kind == "extra_forbidden":
            _drop(kept, location)
        elif location and location[0] in _NEVER_MISSED:
            _drop(kept, location[:1])
    return kept


def _refusals(step: Mapping[str, Any]) -> list[tuple[str, list[int | str]]]:
    """Kind and place of everything that keeps a step from being read; its blocks have been repaired before."""
    try:
        _STEP.validate_json(canonical_json(step))
    except ValidationError as error:
        # The place begins with the type, by which the model was chosen.
        return [(detail["type"], list(detail["loc"][1:])) for detail in error.errors(include_url=False)]
    return []


def _drop(node: Any, location: Sequence[int | str]) -> None:
    *parents, last = location
    for part in parents:
        if isinstance(node, Mapping) and part in node:
            node = node[str(part)]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return
    if isinstance(node, dict):
        node.pop(str(last), None)


def _stand_in(step: Mapping[str, Any], path: str, blocks: Mapping[str, Any]) -> dict[str, Any]:
    given = step.get("id")
    name = {"id": given if isinstance(given, str) and given else f"invalid {path}"}
    kind = step.get("type")
    if not isinstance(kind, str) or kind not in _SKELETONS:
        return {**_LEAF, **name}
    skeleton = _SKELETONS[kind]
    fitting = {key: value for key, value in blocks.items() if key in skeleton or (kind, key) == ("control.if", "else")}
    return {"type": kind, **skeleton, **fitting, **name}
