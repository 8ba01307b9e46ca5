"""Names and wire records that callers, workers and stored data agree on. Importable anywhere; nothing here does I/O.

These names are compatibility: callers and bundles of the earlier runtime use them, so they change only with a new
contract version.
"""

from typing import Any, Final, Literal

from pydantic import Field

from workflow_runtime.core.wire import WireModel

AUTHORED_QUEUE: Final = "workflow-runtime-v2"
APP_ACTION_QUEUE: Final = "workflow-app-actions"
OWN_ACTION_QUEUES: Final = frozenset({AUTHORED_QUEUE, APP_ACTION_QUEUE})
"""Where our own processes serve actions; every other queue is somebody else's."""
DOMAIN_QUEUES: Final = (
    "tenant-workflows",
    "portal-domain-workflows",
    "email-domain-workflows",
    "alga-jobs",
    "sla-workflows",
)

RUN_WORKFLOW_TYPE: Final = "workflowRuntimeV2RunWorkflow"
RUN_WORKFLOW_ID_PREFIX: Final = "workflow-runtime-v2:run:"
ACTION_ACTIVITY: Final = "executeWorkflowAction"

SCHEDULED_START_WORKFLOW_TYPE: Final = "workflowRuntimeV2ScheduledStart"
"""Started on the authored queue by each firing of a Temporal schedule; it starts the run."""
SCHEDULE_ID_PREFIX: Final = "workflow-runtime-v2:schedule:"

SIGNAL_EVENT: Final = "workflowRuntimeV2Event"
SIGNAL_HUMAN_TASK: Final = "workflowRuntimeV2HumanTask"
SIGNAL_QUOTA_RESUME: Final = "workflowRuntimeV2QuotaResume"

UPDATE_COMPLETE_TASK: Final = "workflowRuntimeV2CompleteTask"
"""Answers a human task like the signal does, but refuses a response the sender should correct."""

QUERY_CURRENT_STEP: Final = "workflowRuntimeV2CurrentStep"
QUERY_CURRENT_WAIT: Final = "workflowRuntimeV2CurrentWait"
QUERY_SUMMARY: Final = "workflowRuntimeV2InterpreterSummary"

EVENT_STREAM: Final = "workflow:events:global"
EVENT_CONSUMER_GROUP: Final = "workflow-runtime-v2"
EVENT_DEAD_LETTER_STREAM: Final = "workflow:events:global:dlq"

FAILURE_TYPE_PREFIX: Final = "WorkflowRuntimeV2."

RUNTIME_SEMANTICS_VERSION: Final = 1
"""Meaning of definitions; a run keeps the version it began with."""

DEFAULT_CORRELATION_PATHS: Final[dict[str, tuple[str, ...]]] = {
    "*": ("ticketId", "clientId", "invoiceId", "projectId", "paymentId"),
}
"""Payload paths searched for correlation keys: per event name, then ``*``."""


def run_workflow_id(run_id: str) -> str:
    """The Temporal workflow id of a run, child runs included.

    >>> run_workflow_id("42")
    'workflow-runtime-v2:run:42'
    """
    return f"{RUN_WORKFLOW_ID_PREFIX}{run_id}"


class RunInput(WireModel):
    """What starts ``workflowRuntimeV2RunWorkflow``; ``checkpoint`` is present only after continue-as-new."""

    run_id: str
    tenant_id: str
    workflow_id: str
    workflow_version: int
    trigger_type: str | None = None
    execution_key: str | None = None
    checkpoint: dict[str, Any] | None = None


class ScheduledStart(WireModel):
    """What each firing of a workflow's schedule starts.

    ``cron`` belongs to recurring triggers, ``run_at`` (ISO 8601) to one-time ones.
    """

    tenant_id: str
    workflow_id: str
    workflow_version: int
    schedule_id: str
    trigger_type: Literal["schedule", "recurring"]
    timezone: str
    cron: str | None = None
    run_at: str | None = None


class EventSignal(WireModel):
    """Argument of the signal ``workflowRuntimeV2Event``. ``received_at`` is ISO 8601 UTC."""

    event_id: str
    event_name: str
    correlation_key: str | None = None
    payload: Any = None
    received_at: str | None = None


class HumanTaskSignal(WireModel):
    """Argument of the signal ``workflowRuntimeV2HumanTask``."""

    task_id: str
    event_name: str | None = None
    payload: Any = None


class QuotaResumeSignal(WireModel):
    """Argument of the signal ``workflowRuntimeV2QuotaResume``."""

    wait_id: str | None = None
    reason: str | None = None
    resumed_by: str | None = None
    resumed_at: str | None = None


class InterpreterSummary(WireModel):
    """Answer of the query ``workflowRuntimeV2InterpreterSummary``."""

    run_id: str
    step_count: int = Field(ge=0)
    current_step_path: str | None
    frame_depth: int = Field(ge=0)


class ActionContext(WireModel):
    """Where an action call comes from; ``attempt`` counts from 1, ``now_iso`` is workflow time."""

    run_id: str
    step_path: str
    tenant_id: str
    attempt: int = Field(ge=1)
    now_iso: str


class ActionRequest(WireModel):
    """Argument of the activity ``executeWorkflowAction``; its answer is any JSON value."""

    action_id: str
    version: int
    input: Any
    idempotency_key: str
    context: ActionContext
