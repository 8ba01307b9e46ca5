"""What the answer to an effect means for the step that asked. Pure; called from workflow code."""

from typing import Any

from workflow_runtime.core.canonical import MAX_VALUE_DEPTH, to_json
from workflow_runtime.core.errors import Category, CorruptionFailure, Failure, ValidationFailure
from workflow_runtime.core.machine.effects import (
    CallAction,
    Completed,
    Effect,
    FailedOutcome,
    Outcome,
    Sleep,
    StartChild,
    TimedOut,
    WaitForEvent,
    WaitForTask,
)
from workflow_runtime.core.machine.recorder import WaitEnd, failure_record


def answer_of(effect: Effect, outcome: Outcome) -> tuple[Any, Failure | None]:
    """The value the effect gave as plain JSON, or the failure of the step that asked.

    Category, code and message of a failure stay as they came. A child's failure is a ``ChildWorkflowError`` with the
    child's code and message; its own record, category included, is ``details.cause``. A value that no scope may hold is
    a ``ValidationError`` (``NOT_JSON``).
    """
    match outcome:
        case Completed(value=value):
            try:
                return to_json(value, MAX_VALUE_DEPTH), None
            except ValidationFailure as error:
                return None, error.to_failure()
        case TimedOut() if isinstance(effect, Sleep):
            return None, None
        case TimedOut():
            failure = Failure(category=Category.TIMEOUT, code="TIMED_OUT", message=_timeout_message(effect))
        case FailedOutcome(failure=failed):
            failure = _clean(failed)
        case _:
            raise CorruptionFailure(f"{type(outcome).__name__} is no outcome of an effect", code="INVALID_OUTCOME")
    return None, _child_failure(effect, failure) if isinstance(effect, StartChild) else failure


def wait_end(outcome: Outcome) -> WaitEnd:
    """How the row of a wait ends."""
    match outcome:
        case Completed():
            return "RESOLVED"
        case TimedOut():
            return "TIMED_OUT"
        case _:
            return "CANCELED"


def event_id_of(effect: Effect, value: Any) -> str | None:
    """The id of the event that ended an event wait."""
    found = value.get("eventId") if isinstance(effect, WaitForEvent) and isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _clean(failure: Failure) -> Failure:
    try:
        details = to_json(failure.details, MAX_VALUE_DEPTH)
    except ValidationFailure:
        details = None
    return failure.model_copy(update={"details": details})


def _child_failure(effect: StartChild, failure: Failure) -> Failure:
    details = {
        "childRunId": effect.child_run_id,
        "workflowId": effect.workflow_id,
        "workflowVersion": effect.workflow_version,
        "cause": failure_record(failure),
    }
    return Failure(category=Category.CHILD_WORKFLOW, code=failure.code, message=failure.message, details=details)


def _timeout_message(effect: Effect) -> str:
    match effect:
        case WaitForEvent():
            return f"no event {effect.event_name!r} that matches arrived until {effect.timeout_at}"
        case WaitForTask():
            return f"the task {effect.title!r} was not answered until {effect.timeout_at}"
        case CallAction():
            return f"action {effect.action_id!r} version {effect.version} did not answer in time"
        case _:
            return "the step took longer than it may"
