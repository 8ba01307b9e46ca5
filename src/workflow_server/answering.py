"""Asking a running workflow and taking its answer: task responses, the interpreter's summary. Process code only."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError
from temporalio.client import WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.canonical import sha256_hex
from workflow_runtime.core.contract import (
    QUERY_SUMMARY,
    UPDATE_COMPLETE_TASK,
    HumanTaskSignal,
    InterpreterSummary,
    run_workflow_id,
)
from workflow_runtime.core.errors import Failure
from workflow_runtime.store.tasks import TaskRow
from workflow_server.backend import Backend
from workflow_server.problems import ProblemError, not_found, problem_of_failure

ANSWER_SECONDS: Final = 15.0
"""How long a workflow may take to answer; it takes milliseconds when workflow-worker is polling."""


async def complete_task(
    work: Backend, tenant: str, task_id: str, payload: Any, *, event_name: str | None, responded_by: str | None
) -> TaskRow:
    """Give a response to the run that asked; it is accepted by the run or refused with the run's reason.

    Raises `ProblemError`: 404, 409 TASK_CLOSED or RUN_ENDED, 422 with the run's reason, 504 RUN_NOT_ANSWERING.
    """
    task = await existing_task(work, tenant, task_id)
    if task.status != "OPEN":
        # Whoever repeats the response that closed it is told so; the name that counts is that of the first.
        return await work.tasks.complete(tenant, task_id, payload)
    response = HumanTaskSignal(task_id=task_id, event_name=event_name, payload=payload)
    accepted = await _deliver(work, task, response, responded_by)
    return await work.tasks.complete(
        tenant,
        task_id,
        payload,
        event_name=event_name,
        responded_by=accepted.get("respondedBy", responded_by),
        at=accepted.get("acceptedAt"),
    )


async def existing_task(work: Backend, tenant: str, task_id: str) -> TaskRow:
    """The task. Raises `ProblemError` 404."""
    task = await work.tasks.get(tenant, task_id)
    if task is None:
        raise not_found("task", task_id, "it never existed or went with its run; GET /api/tasks lists them")
    return task


async def summary(work: Backend, run_id: str) -> InterpreterSummary:
    """Where the interpreter of a run stands, asked of the run itself. Raises `ProblemError` 404, 504."""
    handle = _handle(work, run_id)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer: InterpreterSummary = await handle.query(QUERY_SUMMARY, result_type=InterpreterSummary)
    except (TimeoutError, WorkflowQueryFailedError) as error:
        raise _silent(run_id) from error
    except RPCError as error:
        raise _rpc_problem(error, run_id) from error
    return answer


async def _deliver(
    work: Backend, task: TaskRow, response: HumanTaskSignal, responded_by: str | None
) -> Mapping[str, Any]:
    """What the run says: when it accepted the response, and whose it was should two have given the same."""
    body = response.model_dump(mode="json", by_alias=True)
    # The same response sent twice is one update to Temporal, so a caller may repeat a call that was cut off.
    update_id = f"{task.task_id}:{sha256_hex(body)}"
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            answer: Mapping[str, Any] = await _handle(work, task.run_id).execute_update(
                UPDATE_COMPLETE_TASK, args=[body, responded_by], id=update_id
            )
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except TimeoutError as error:
        raise _silent(task.run_id) from error
    except RPCError as error:
        raise _rpc_problem(error, task.run_id) from error
    return answer


def _handle(work: Backend, run_id: str) -> WorkflowHandle[Any, Any]:
    return work.client.get_workflow_handle(run_workflow_id(run_id))


def _refusal(error: WorkflowUpdateFailedError) -> ProblemError:
    cause = error.cause
    record = cause.details[0] if isinstance(cause, ApplicationError) and cause.details else None
    try:
        return problem_of_failure(Failure.model_validate(record, strict=False))
    except ValidationError:
        return ProblemError(422, "RESPONSE_REFUSED", str(cause))


def _rpc_problem(error: RPCError, run_id: str) -> Exception:
    if error.status is RPCStatusCode.NOT_FOUND:
        return ProblemError(409, "RUN_ENDED", f"run {run_id!r} is not executing; it has ended or was never launched")
    return _silent(run_id) if error.status is RPCStatusCode.DEADLINE_EXCEEDED else error


def _silent(run_id: str) -> ProblemError:
    return ProblemError(
        504,
        "RUN_NOT_ANSWERING",
        f"run {run_id!r} did not answer within {ANSWER_SECONDS:g} s; see GET /api/ownership whether workflow-worker is "
        f"polling, then repeat the call: repeating is harmless",
    )
