"""What the machine asks of its shell (effects) and what the shell answers (outcomes). Pure data; importable anywhere.

The shell loops: ``effect = machine.next(clock)``, perform it, ``machine.resume(outcome)``. Every record serialises to
JSON, so a checkpoint may hold an effect that is under way.
"""

from typing import Any, Literal

from workflow_runtime.core.errors import Failure
from workflow_runtime.core.wire import WireModel


class Filter(WireModel):
    """One filter of an event wait: ``{path, op, value?}``."""

    path: str
    op: str
    value: Any = None


class CallAction(WireModel):
    """Run one action as an activity on ``task_queue``. ``attempt`` counts the step's attempts from 1."""

    kind: Literal["callAction"] = "callAction"
    step_path: str
    item_path: str
    """Step path with the loop item indexes, unique per execution of the step: ``root.steps[1].body[3].steps[0]``."""
    step_id: str
    action_id: str
    version: int
    task_queue: str
    input: Any
    idempotency_key: str
    attempt: int


class WaitForEvent(WireModel):
    """Suspend until an event matches. ``timeout_at`` is ISO 8601 UTC; a null key matches any key."""

    kind: Literal["waitForEvent"] = "waitForEvent"
    wait_id: str
    step_path: str
    event_name: str
    correlation_key: str | None
    filters: tuple[Filter, ...] = ()
    timeout_at: str | None = None
    since: Literal["run", "wait"] = "run"


class WaitForTask(WireModel):
    """Suspend on a human task."""

    kind: Literal["waitForTask"] = "waitForTask"
    wait_id: str
    task_id: str
    step_path: str
    task_type: str
    title: str
    description: str | None = None
    context_data: Any = None
    timeout_at: str | None = None


class Sleep(WireModel):
    """A timer until ``until`` (ISO 8601 UTC), for a time wait or for the delay before a retry."""

    kind: Literal["sleep"] = "sleep"
    wait_id: str
    step_path: str
    until: str
    reason: Literal["time", "retry"]


class WaitForQuota(WireModel):
    """Suspend until the quota signal arrives."""

    kind: Literal["waitForQuota"] = "waitForQuota"
    wait_id: str
    step_path: str
    reason: str


class StartChild(WireModel):
    """Run another authored workflow as a child run and wait for its end."""

    kind: Literal["startChild"] = "startChild"
    step_path: str
    child_run_id: str
    workflow_id: str
    workflow_version: int
    payload: Any
    attempt: int


class Project(WireModel):
    """Pure work reached its slice: flush projections, then go on. Also the point for continue-as-new."""

    kind: Literal["project"] = "project"


class Succeeded(WireModel):
    """The run ended well. ``result`` is ``{payload, vars, local, system, meta}``."""

    kind: Literal["succeeded"] = "succeeded"
    result: dict[str, Any]


class Failed(WireModel):
    """The run ended with a failure nothing handled (``Cancellation`` when it was cancelled)."""

    kind: Literal["failed"] = "failed"
    failure: Failure


Effect = CallAction | WaitForEvent | WaitForTask | Sleep | WaitForQuota | StartChild | Project | Succeeded | Failed


class Completed(WireModel):
    """The effect gave ``value``: an action's output, an event ``{eventId, eventName, correlationKey, payload}``, a
    task response ``{eventName, payload}``, a child's result, or null for a timer, a quota resume and a projection."""

    kind: Literal["completed"] = "completed"
    value: Any = None


class TimedOut(WireModel):
    """The wait's ``timeout_at`` passed first."""

    kind: Literal["timedOut"] = "timedOut"


class FailedOutcome(WireModel):
    """The effect failed; category, code and message are kept as they came."""

    kind: Literal["failed"] = "failed"
    failure: Failure


class Cancelled(WireModel):
    """The run was cancelled while the effect was under way."""

    kind: Literal["cancelled"] = "cancelled"


Outcome = Completed | TimedOut | FailedOutcome | Cancelled
