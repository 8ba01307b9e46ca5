"""How a failure crosses Temporal and comes back unchanged. Pure; workflow code, activities and processes.

A failure travels as an ApplicationError of type ``WorkflowRuntimeV2.<category>`` whose first detail is the Failure
record (RUNTIME.md section 1). What other SDKs, timeouts and lost workers produce is given a category here.
"""

from typing import Any, Final

from pydantic import ValidationError
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
    WorkflowAlreadyStartedError,
)

from workflow_runtime.core.contract import FAILURE_TYPE_PREFIX
from workflow_runtime.core.errors import Category, Failure

_WORKER_SHUTDOWN: Final = "WorkerShutdown"
"""Type of the failure Temporal's core reports for an activity that a draining worker had to give up."""


def application_error(failure: Failure) -> ApplicationError:
    """The form in which ``failure`` crosses Temporal; retrying is the machine's business, never Temporal's."""
    details = failure.model_dump(mode="json", by_alias=True)
    return ApplicationError(
        failure.message,
        {name: value for name, value in details.items() if value is not None},
        type=f"{FAILURE_TYPE_PREFIX}{failure.category.value}",
        non_retryable=True,
    )


def activity_failure(error: ActivityError | ApplicationError) -> Failure:
    """What an activity failed with: its own category, code and message when it carries them.

    The failure of a local activity arrives bare, that of any other as the cause of an ActivityError.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    match cause:
        case ApplicationError():
            return _application_failure(cause, Category.ACTION)
        case TimeoutError():
            return Failure(category=Category.TIMEOUT, code=_timeout_code(cause), message=_timeout_message(error, cause))
    return Failure(category=Category.ACTION, code="ACTIVITY_FAILED", message=str(cause or error))


def worker_was_lost(error: ActivityError) -> bool:
    """Whether the process that ran the activity went away, so that nobody knows how far it came."""
    cause = error.cause
    if isinstance(cause, TimeoutError):
        return cause.type is TimeoutType.HEARTBEAT
    return isinstance(cause, ApplicationError) and cause.type == _WORKER_SHUTDOWN


def came_from_action(error: ActivityError | ApplicationError) -> bool:
    """Whether a dispatcher answered with this failure, so that it certainly got the request."""
    cause = error.cause if isinstance(error, ActivityError) else error
    return isinstance(cause, ApplicationError) and (cause.type or "").startswith(FAILURE_TYPE_PREFIX)


def child_failure(error: ChildWorkflowError | WorkflowAlreadyStartedError) -> Failure:
    """What a child run failed with, in its own words; the machine makes a ChildWorkflowError of it."""
    if isinstance(error, WorkflowAlreadyStartedError):
        return _child("CHILD_ALREADY_STARTED", f"a workflow with the id {error.workflow_id!r} exists already")
    match error.cause:
        case ApplicationError() as cause:
            return _application_failure(cause, Category.CHILD_WORKFLOW)
        case CancelledError():
            return _child("CHILD_CANCELED", "the child run was cancelled")
        case TerminatedError():
            return _child("CHILD_TERMINATED", "the child run was terminated")
        case TimeoutError():
            return _child("CHILD_TIMED_OUT", "the child run exceeded a time limit of Temporal")
    return _child("CHILD_FAILED", str(error.cause or error))


def _child(code: str, message: str) -> Failure:
    return Failure(category=Category.CHILD_WORKFLOW, code=code, message=message)


def _application_failure(error: ApplicationError, otherwise: Category) -> Failure:
    kind = error.type or ""
    record = error.details[0] if error.details else None
    if kind.startswith(FAILURE_TYPE_PREFIX):
        return _recorded(kind.removeprefix(FAILURE_TYPE_PREFIX), error.message, record, otherwise)
    return Failure(category=otherwise, code=kind or None, message=error.message, details=record)


def _recorded(name: str, message: str, record: Any, otherwise: Category) -> Failure:
    try:
        return Failure.model_validate({**record, "category": name}, strict=False)
    except (TypeError, ValidationError):
        # A worker in another language may name the category alone, or put something of its own in the details.
        known = name in set(Category)
        return Failure(category=Category(name) if known else otherwise, message=message, details=record)


def _timeout_code(error: TimeoutError) -> str:
    return error.type.name if error.type is not None else "TIMEOUT"


def _timeout_message(error: ActivityError | ApplicationError, cause: TimeoutError) -> str:
    name = repr(error.activity_type) if isinstance(error, ActivityError) else "the activity"
    if cause.type is TimeoutType.SCHEDULE_TO_START:
        return f"no worker took {name} in time; start the worker that polls its task queue"
    return f"{name} did not end in time ({_timeout_code(cause)})"
