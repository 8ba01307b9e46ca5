"""What an action is, as data. Pure; importable anywhere.

Source: RUNTIME.md section 6. A spec is resolved when a definition is published; the worker never imports an action.
"""

from typing import Annotated, Any, Final, Self

from pydantic import Field, model_validator

from workflow_runtime.core.wire import WireModel

DEFAULT_TIMEOUT_MS: Final = 15 * 60 * 1000
"""How long one attempt of an action may take whose spec does not say."""

MAX_TIMEOUT_MS: Final = 30 * 24 * 3600 * 1000

type ActionMillis = Annotated[int, Field(ge=1, le=MAX_TIMEOUT_MS)]
"""A time limit of an action in milliseconds, at most thirty days."""


class ActionSpec(WireModel):
    """An action of the registry: ``input_schema`` and ``output_schema`` are JSON Schemas, ``task_queue`` is where it
    runs.

    ``side_effectful`` actions whose end is unknown are told so when they run again. ``timeout_ms`` bounds one attempt
    (`DEFAULT_TIMEOUT_MS` without it), ``schedule_timeout_ms`` how long an attempt may wait on its queue for a worker
    (no limit without it), ``heartbeat_timeout_ms`` the silence of a worker that heartbeats. ``ui`` is for designers
    (``label``, ``category``, ``description``) and ``examples`` are ``{"input", "output"}`` pairs.
    """

    id: str = Field(min_length=1)
    version: int = Field(ge=1)
    input_schema: dict[str, Any] | bool
    output_schema: dict[str, Any] | bool
    side_effectful: bool
    task_queue: str = Field(min_length=1)
    timeout_ms: ActionMillis | None = None
    schedule_timeout_ms: ActionMillis | None = None
    heartbeat_timeout_ms: ActionMillis | None = None
    ui: dict[str, Any] | None = None
    examples: tuple[Any, ...] = ()

    @model_validator(mode="after")
    def _heartbeats_come_within_the_attempt(self) -> Self:
        require_heartbeat_below_timeout(self.timeout_ms, self.heartbeat_timeout_ms)
        return self

    @property
    def key(self) -> str:
        """``<id>@<version>``, the name under which a published definition pins the queue."""
        return action_key(self.id, self.version)


def require_heartbeat_below_timeout(timeout_ms: int | None, heartbeat_timeout_ms: int | None) -> None:
    """A heartbeat is due before the attempt is over. Raises ValueError."""
    limit = timeout_ms or DEFAULT_TIMEOUT_MS
    if heartbeat_timeout_ms is not None and heartbeat_timeout_ms >= limit:
        raise ValueError(f"heartbeatTimeoutMs {heartbeat_timeout_ms} must be below timeoutMs, which is {limit}")


def action_key(action_id: str, version: int) -> str:
    """The key of one version of an action.

    >>> action_key("transform.trim_text", 1)
    'transform.trim_text@1'
    """
    return f"{action_id}@{version}"
