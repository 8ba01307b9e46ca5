"""What a published version keeps of each action it calls, besides the queue. Pure; importable anywhere.

A registered spec can be forgotten, registered anew or moved; a run keeps what its version was published with. The queue
itself stands in the version's ``actionQueues``.
"""

from typing import Any

from pydantic import Field

from workflow_runtime.core.actions.spec import ActionMillis, ActionSpec
from workflow_runtime.core.contract import OWN_ACTION_QUEUES
from workflow_runtime.core.wire import WireModel


def _absent(value: object) -> bool:
    return value is None


class ActionPin(WireModel):
    """Schemas and time limits of one action, each absent when there is nothing to keep.

    The schemas are kept for actions of others only: on our own queues the activity checks input and output itself.
    """

    input_schema: dict[str, Any] | bool | None = Field(default=None, exclude_if=_absent)
    output_schema: dict[str, Any] | bool | None = Field(default=None, exclude_if=_absent)
    timeout_ms: ActionMillis | None = Field(default=None, exclude_if=_absent)
    schedule_timeout_ms: ActionMillis | None = Field(default=None, exclude_if=_absent)
    heartbeat_timeout_ms: ActionMillis | None = Field(default=None, exclude_if=_absent)


def pin_action(spec: ActionSpec) -> ActionPin | None:
    """What to keep of ``spec``; None when that is nothing."""
    foreign = spec.task_queue not in OWN_ACTION_QUEUES
    pin = ActionPin(
        input_schema=spec.input_schema if foreign else None,
        output_schema=spec.output_schema if foreign else None,
        timeout_ms=spec.timeout_ms,
        schedule_timeout_ms=spec.schedule_timeout_ms,
        heartbeat_timeout_ms=spec.heartbeat_timeout_ms,
    )
    return None if pin == ActionPin() else pin
