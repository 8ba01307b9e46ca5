"""From what a run asks of the store to the rows that stand there. Pure; activities, processes and tests."""

import json

from workflow_runtime.core.machine.effects import WaitForTask
from workflow_runtime.store.catalog import PublishedVersion
from workflow_runtime.store.restoring import RestoredRun
from workflow_runtime.store.runs import RunRow
from workflow_runtime.store.tasks import TaskRow
from workflow_runtime.store.waits import Wait
from workflow_worker.records import ChildRequest, LoadRequest, OpenWait, SyncRequest


def child_row(request: ChildRequest, version: PublishedVersion, parent: RunRow) -> RunRow:
    """A child run before it starts."""
    return RunRow(
        run_id=request.run_id,
        tenant_id=request.tenant_id,
        workflow_id=request.workflow_id,
        workflow_version=request.workflow_version,
        definition_hash=version.hash,
        trigger_type="child",
        parent_run_id=parent.run_id,
        root_run_id=parent.root_run_id or parent.run_id,
        payload=request.payload,
    )


def begun_anew(request: LoadRequest) -> RestoredRun | None:
    """A run whose row the store lost before the run read it; None when its arguments do not tell enough.

    One that goes on in a new history has a timeline besides, so what is made here stands in until it is rebuilt.
    """
    origin = request.origin
    if origin is None or (request.with_payload and origin.payload is None):
        return None
    row = RunRow(
        run_id=request.run_id,
        tenant_id=request.tenant_id,
        workflow_id=request.workflow_id,
        workflow_version=request.workflow_version,
        definition_hash=origin.definition_hash,
        trigger_type=request.trigger_type,
        trigger_event_id=origin.trigger_event_id,
        execution_key=request.execution_key,
        parent_run_id=origin.parent_run_id,
        root_run_id=origin.root_run_id or request.run_id,
        payload=json.loads(origin.payload) if request.with_payload and origin.payload is not None else None,
        created_at=origin.created_at,
        updated_at=origin.created_at,
    )
    return RestoredRun(row, (), executing=True, with_payload=request.with_payload, whole=request.with_payload)


def lost_row(request: SyncRequest) -> RunRow:
    """A row for a run that Temporal has and the store lost, until the run is rebuilt; ``request`` has records."""
    return RunRow(
        run_id=request.run_id,
        tenant_id=request.tenant_id,
        workflow_id=request.workflow_id,
        workflow_version=request.workflow_version,
        definition_hash=request.definition_hash,
        created_at=request.records[0].at,
        updated_at=request.records[0].at,
    )


def task_row(request: SyncRequest, task: WaitForTask) -> TaskRow:
    """A task that opens; it is as old as its wait, when the request tells of that."""
    return TaskRow(
        task_id=task.task_id,
        tenant_id=request.tenant_id,
        run_id=request.run_id,
        wait_id=task.wait_id,
        step_path=task.step_path,
        task_type=task.task_type,
        title=task.title,
        description=task.description,
        context_data=task.context_data,
        created_at=next((record.at for record in request.records if record.key == task.wait_id), None),
        timeout_at=task.timeout_at,
    )


def closed_wait_at(request: SyncRequest) -> str | None:
    """When the wait ended that the request tells the end of, ISO 8601; every other wait has a request of its own."""
    ended = (record.at for record in request.records if record.kind == "wait" and "endedAt" in record.fields)
    return next(ended, None)


def wait_row(request: SyncRequest, opening: OpenWait) -> Wait:
    """An event wait that opens."""
    return Wait(
        tenant_id=request.tenant_id,
        run_id=request.run_id,
        wait_id=opening.wait.wait_id,
        event_name=opening.wait.event_name,
        correlation_key=opening.wait.correlation_key,
        filters=opening.wait.filters,
        trigger_event_id=opening.trigger_event_id,
    )
