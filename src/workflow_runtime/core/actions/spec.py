"""What an action is, as data. Pure; importable anywhere.

Source: RUNTIME.md section 6. A spec is resolved when a definition is published; the worker never imports an action.
"""

from typing import Any

from pydantic import Field

from workflow_runtime.core.wire import WireModel


class ActionSpec(WireModel):
    """An action of the registry: ``input_schema`` and ``output_schema`` are JSON Schemas, ``task_queue`` is where it
    runs.

    ``side_effectful`` actions whose end is unknown are told so when they run again. ``ui`` is for designers
    (``label``, ``category``, ``description``) and ``examples`` are ``{"input", "output"}`` pairs.
    """

    id: str = Field(min_length=1)
    version: int = Field(ge=1)
    input_schema: dict[str, Any] | bool
    output_schema: dict[str, Any] | bool
    side_effectful: bool
    task_queue: str = Field(min_length=1)
    ui: dict[str, Any] | None = None
    examples: tuple[Any, ...] = ()

    @property
    def key(self) -> str:
        """``<id>@<version>``, the name under which a published definition pins the queue."""
        return action_key(self.id, self.version)


def action_key(action_id: str, version: int) -> str:
    """The key of one version of an action.

    >>> action_key("transform.trim_text", 1)
    'transform.trim_text@1'
    """
    return f"{action_id}@{version}"
