"""What the authored run asks of its local activities and what they answer. Pure; workflow code and activities."""

from typing import Any, Final

from pydantic import Field

from workflow_runtime.core.actions import ActionPin
from workflow_runtime.core.contract import EventSignal
from workflow_runtime.core.errors import Failure
from workflow_runtime.core.machine.effects import WaitForEvent, WaitForTask
from workflow_runtime.core.origin import RunOrigin
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.core.wire import WireModel

LOAD_RUN: Final = "workflowRuntimeV2LoadRun"
SYNC_RUN: Final = "workflowRuntimeV2SyncRun"
CREATE_CHILD: Final = "workflowRuntimeV2CreateChildRun"
ABANDON_RUN: Final = "workflowRuntimeV2AbandonRun"


class LoadRequest(WireModel):
    """Asks for what a run needs to begin; a run that continues has its payload in the checkpoint already.

    ``origin``, where the run was given one, and the two before it make a row again that the store has lost.
    """

    tenant_id: str
    run_id: str
    workflow_id: str
    workflow_version: int
    with_payload: bool
    trigger_type: str | None = None
    execution_key: str | None = None
    origin: RunOrigin | None = None


class LoadedRun(WireModel):
    """The pinned version, verified against its hash.

    ``action_queues`` maps ``<actionId>@<version>`` to a queue, ``pinned_actions`` to what else is pinned of the action.
    ``local_actions`` are the keys of those that the worker which loaded the run serves within the workflow task.
    """

    definition: dict[str, Any]
    definition_hash: str
    action_queues: dict[str, str]
    pinned_actions: dict[str, ActionPin] = Field(default_factory=dict, exclude_if=lambda pins: not pins)
    local_actions: tuple[str, ...] = Field(default=(), exclude_if=lambda keys: not keys)
    payload: Any = None
    trigger_event_id: str | None = None
    run_started_ms: int
    """When the run was asked for, in milliseconds since 1970: from then on events count for its waits."""
    runtime_semantics_version: int

    def without_beginning(self) -> "LoadedRun":
        """What is needed for as long as the run lasts."""
        return self.model_copy(update={"definition": {}, "payload": None})


class OpenWait(WireModel):
    """An event wait to enter into the index. ``consumed`` are the ids of the events the run has taken."""

    wait: WaitForEvent
    trigger_event_id: str | None
    run_started_ms: int
    consumed: tuple[str, ...] = ()


class ClosedWait(WireModel):
    """An event wait that is over; ``event_id`` is the event that satisfied it, if one did."""

    wait_id: str
    event_id: str | None = None


class ClosedTask(WireModel):
    """A human task that is over: answered with ``response``, or not in time."""

    task_id: str
    answered: bool
    event_name: str | None = None
    response: Any = None
    responded_by: str | None = None


class SyncRequest(WireModel):
    """Everything that has to reach the store at one point of a run. Repeating it changes nothing."""

    tenant_id: str
    run_id: str
    workflow_id: str
    workflow_version: int
    definition_hash: str
    records: tuple[ProjectionRecord, ...] = ()
    closed_waits: tuple[ClosedWait, ...] = ()
    closed_tasks: tuple[ClosedTask, ...] = ()
    open_wait: OpenWait | None = None
    open_task: WaitForTask | None = None
    ended: bool = False
    """The run is over: close what it left open and let runs start that waited for its slot."""


class SyncAnswer(WireModel):
    """Recorded events that satisfy the wait just opened.

    ``first``: they go before what the run has received and was accepted later. Answers in histories of earlier workers
    do not say so, and their runs go on as they went.
    """

    events: tuple[EventSignal, ...] = ()
    first: bool = Field(default=False, exclude_if=lambda first: not first)


class ChildRequest(WireModel):
    """A child run to record before it starts."""

    tenant_id: str
    run_id: str
    parent_run_id: str
    workflow_id: str
    workflow_version: int = Field(ge=1)
    payload: Any = None


class AbandonRequest(WireModel):
    """A run that ends without its machine having said so."""

    tenant_id: str
    run_id: str
    workflow_id: str
    failure: Failure
