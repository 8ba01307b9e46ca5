"""Definitions that the server's tests publish."""

from typing import Any


def definition(workflow_id: str = "greeting", **changes: Any) -> dict[str, Any]:
    """A definition that sets a state and ends."""
    return {
        "id": workflow_id,
        "version": 1,
        "name": "Greeting",
        "payloadSchemaRef": "payload.Empty.v1",
        "steps": [{"id": "greet", "type": "state.set", "config": {"state": "GREETED"}}],
    } | changes


def broken(workflow_id: str = "greeting") -> dict[str, Any]:
    """A definition with three faults of different kinds."""
    return definition(
        workflow_id,
        steps=[
            {"id": "greet", "type": "state.sett", "config": {"state": "x"}},
            {"id": "again", "type": "state.set", "config": {"state": "x", "colour": "red"}},
            {"id": "last", "type": "control.if", "then": []},
        ],
    )
