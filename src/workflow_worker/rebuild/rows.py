"""From what a run told its store to the rows it had there. Pure; process code and tests.

docs/OPERATIONS.md says for each column where it comes from; what is said here and there must agree.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store.connection import iso
from workflow_runtime.store.restoring import Ended, RestoredRun
from workflow_runtime.store.runs import RunRow
from workflow_runtime.store.tasks import TaskRow, TaskStatus
from workflow_worker.rebuild.endings import interrupted
from workflow_worker.rebuild.errors import NotReplayableError
from workflow_worker.rebuild.histories import RunHistories
from workflow_worker.rebuild.replaying import Told
from workflow_worker.records import ClosedTask, OpenWait, SyncRequest
from workflow_worker.run_rows import task_row


def restored_run(run: RunHistories, told: Told, ended: Ended | None, standing: RunRow | None) -> RestoredRun:
    """The run as it was, or would be had nothing interfered. ``standing`` is its row in the store.

    Raises NotReplayableError when a record is missing, and when the run never began and its row is gone.
    """
    records = _records(run, told)
    if ended is not None and not _tells_end(records):
        records += tuple(interrupted(records, ended.at))
    return RestoredRun(
        row=_row(run, told, standing),
        records=records,
        executing=run.closing is None,
        ended=ended,
        with_payload=told.loaded is not None or standing is None,
    )


def _records(run: RunHistories, told: Told) -> tuple[ProjectionRecord, ...]:
    # Handed over again after a failed delivery, a record is the same one.
    by_seq = {record.seq: record for request in told.synced for record in request.records}
    if sorted(by_seq) != list(range(1, len(by_seq) + 1)):
        missing = min(set(range(1, max(by_seq) + 1)) - by_seq.keys())
        raise NotReplayableError(run.input.run_id, f"it does not tell record {missing}")
    return tuple(by_seq[seq] for seq in sorted(by_seq))


def _tells_end(records: Sequence[ProjectionRecord]) -> bool:
    return any(record.kind == "run" and "endedAt" in record.fields for record in records)


def _row(run: RunHistories, told: Told, standing: RunRow | None) -> RunRow:
    given = run.input
    definition_hash, trigger_event_id, created_at = _origin(run, told, standing)
    return RunRow(
        run_id=given.run_id,
        tenant_id=given.tenant_id,
        workflow_id=given.workflow_id,
        workflow_version=given.workflow_version,
        definition_hash=definition_hash,
        trigger_type=given.trigger_type,
        trigger_event_id=trigger_event_id,
        execution_key=given.execution_key,
        parent_run_id=run.parent_run_id,
        root_run_id=run.root_run_id,
        payload=_payload(run, told),
        created_at=created_at,
        updated_at=created_at,
    )


def _origin(run: RunHistories, told: Told, standing: RunRow | None) -> tuple[str, str | None, str]:
    """Hash of the definition, trigger event and time of creation: what a run is given when it begins."""
    if told.loaded is not None:
        created = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=told.loaded.run_started_ms)
        return told.loaded.definition_hash, told.loaded.trigger_event_id, iso(created)
    if standing is not None:
        return standing.definition_hash, standing.trigger_event_id, standing.created_at or iso(run.began_at)
    if run.origin is None or run.origin.payload is None:
        raise NotReplayableError(run.input.run_id, "it never began, and what it was to begin with was in Redis alone")
    return run.origin.definition_hash, run.origin.trigger_event_id, run.origin.created_at


def _payload(run: RunHistories, told: Told) -> Any:
    if told.loaded is not None:
        return told.loaded.payload
    return json.loads(run.origin.payload) if run.origin is not None and run.origin.payload is not None else None


# Tasks and waits


def restored_tasks(told: Told, run: RestoredRun) -> Iterator[TaskRow]:
    """Every human task of the run, as its wait tells."""
    waits = _waits(run.records)
    closed = {task.task_id: task for request in told.synced for task in request.closed_tasks}
    opened = {request.open_task.task_id: request for request in told.synced if request.open_task is not None}
    for request in opened.values():
        assert request.open_task is not None
        wait = waits.get(request.open_task.wait_id, {})
        row = task_row(request, request.open_task).model_copy(update={"created_at": wait.get("startedAt")})
        yield row.model_copy(update=_task_end(closed.get(row.task_id), wait, run))


def _task_end(closed: ClosedTask | None, wait: dict[str, Any], run: RestoredRun) -> dict[str, Any]:
    if closed is not None:
        status: TaskStatus = "COMPLETED" if closed.answered else "TIMED_OUT"
        given = {"event_name": closed.event_name, "response": closed.response, "responded_by": closed.responded_by}
        return {"status": status, "closed_at": wait.get("endedAt"), **(given if closed.answered else {})}
    ended_at = end_of(run)
    return {} if ended_at is None else {"status": "CANCELED", "closed_at": ended_at}


def open_wait(told: Told, run: RestoredRun) -> tuple[SyncRequest, OpenWait, str] | None:
    """The event wait an executing run is in: the request that opened it, the opening, and when that was."""
    closed = {wait.wait_id for request in told.synced for wait in request.closed_waits}
    for request in reversed(told.synced):
        if (opening := request.open_wait) is not None:
            wait = _waits(run.records).get(opening.wait.wait_id, {})
            opened_at = str(wait.get("startedAt") or run.row.created_at)
            return None if opening.wait.wait_id in closed else (request, opening, opened_at)
    return None


def end_of(run: RestoredRun) -> str | None:
    """When the run ended; null while it goes on."""
    told = (record.fields["endedAt"] for record in run.records if record.kind == "run" and "endedAt" in record.fields)
    return next(told, run.ended.at if run.ended else None)


def _waits(records: Sequence[ProjectionRecord]) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        if record.kind == "wait":
            rows.setdefault(record.key, {}).update(record.fields)
    return rows
