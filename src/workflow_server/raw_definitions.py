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


def _call(step: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    match step:
        case {"type": "control.callWorkflow", "workflowId": str(workflow_id), "workflowVersion": int(version)}:
            yield workflow_id, version
