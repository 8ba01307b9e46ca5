"""What a definition refers to, read from its JSON, so that an invalid one can be asked as well. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_BLOCKS: Final = ("steps", "then", "else", "body", "try", "catch")


def raw_steps(node: Any) -> Iterator[Mapping[str, Any]]:
    """Every step, parents before children."""
    for block in _BLOCKS if isinstance(node, Mapping) else ():
        children = node.get(block)
        for child in children if isinstance(children, list) else ():
            if isinstance(child, Mapping):
                yield child
                yield from raw_steps(child)


def raw_calls(definition: Any) -> set[tuple[str, int]]:
    """Id and version of every workflow that is called."""
    return {called for step in raw_steps(definition) for called in _call(step)}


def raw_actions(definition: Any) -> set[tuple[str, int]]:
    """Id and version of every action that is called."""
    return {called for step in raw_steps(definition) for called in _action(step)}


def raw_types(definition: Any) -> set[str]:
    """Every step type that is used."""
    return {step["type"] for step in raw_steps(definition) if isinstance(step.get("type"), str)}


def raw_schema_refs(definition: Mapping[str, Any]) -> set[str]:
    """Every payload schema that is named."""
    trigger = definition.get("trigger")
    source = trigger.get("sourcePayloadSchemaRef") if isinstance(trigger, Mapping) else None
    return {ref for ref in (definition.get("payloadSchemaRef"), source) if isinstance(ref, str)}


def _call(step: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    match step:
        case {"type": "control.callWorkflow", "workflowId": str(workflow_id), "workflowVersion": int(version)}:
            yield workflow_id, version


def _action(step: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    match step:
        case {"type": "action.call", "config": {"actionId": str(action_id), "version": int(version)}}:
            yield action_id, version
