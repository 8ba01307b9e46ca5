"""What a run waits for, in sentences and in facts. Process code and tests; pure but for the place in the queue."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.runs import TERMINAL_STATUSES, RunDetail, RunRow, Runs, TimelineRow


class WaitingFor(WireModel):
    """One thing a run waits for.

    ``kind``: queue, event, time, human, quota, action, retry, child or worker. ``text`` says it to a person, ``hint``
    what would end it, ``facts`` holds what a program needs (an event's name and key, a task's id, …).
    """

    kind: str
    text: str
    hint: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)


class Queued(WireModel):
    """Where a queued start stands: what holds it now, its place from 1, what its workflow allows and runs."""

    reason: Literal["paused", "concurrency"]
    place: int
    limit: int | None
    active: int
    paused_reason: str | None = None


async def queued(runs: Runs, catalog: Catalog, run: RunRow) -> Queued | None:
    """The place of a start that waits; None for a run that was admitted or has ended."""
    place = await runs.queue_place(run.tenant_id, run.workflow_id, run.run_id) if run.queued_reason else None
    if place is None:
        return None
    workflow = await catalog.get_workflow(run.tenant_id, run.workflow_id)
    active = await runs.active_count(run.tenant_id, run.workflow_id)
    return Queued(
        reason="paused" if workflow.is_paused else "concurrency",
        place=place,
        limit=workflow.concurrency_limit,
        active=active,
        paused_reason=workflow.paused_reason,
    )


def waiting_for(detail: RunDetail, queue: Queued | None = None) -> tuple[WaitingFor, ...]:
    """Everything the run waits for now; empty when it has ended."""
    run = detail.run
    if run.status in TERMINAL_STATUSES:
        return ()
    if run.queued_reason is not None:
        # What it was queued for may be over by now, and something else may hold it.
        return (_queued(run.workflow_id, queue.reason if queue else run.queued_reason, queue),)
    found = (*_open_waits(detail.waits), *_open_actions(detail.actions), *_open_steps(detail.steps))
    if found:
        return found
    return () if detail.steps else (_unseen(),)


def _queued(workflow_id: str, reason: str, queue: Queued | None) -> WaitingFor:
    facts = {"reason": reason} | (queue.model_dump(by_alias=True, exclude_none=True) if queue else {})
    place = f"; it has place {queue.place} in the queue" if queue else ""
    if reason == "paused":
        why = f": {queue.paused_reason}" if queue and queue.paused_reason else ""
        return WaitingFor(
            kind="queue",
            text=f"the workflow {workflow_id!r}, which is paused{why}{place}",
            hint=f"POST /api/workflows/{workflow_id}/resume lets it go on",
            facts=facts,
        )
    limit = f" of {queue.limit} ({queue.active} running)" if queue and queue.limit is not None else ""
    return WaitingFor(
        kind="queue",
        text=f"the workflow {workflow_id!r}, which has reached its concurrency limit{limit}{place}",
        hint="it goes on when a running one ends, or when the limit is raised",
        facts=facts,
    )


def _unseen() -> WaitingFor:
    return WaitingFor(
        kind="worker",
        text="no step has been reported yet",
        hint="if this lasts, see GET /api/ownership: workflow-worker must be polling workflow-runtime-v2",
    )


def _open_waits(rows: tuple[TimelineRow, ...]) -> Iterator[WaitingFor]:
    for row in rows:
        if row.fields.get("status") == "WAITING":
            yield _wait(row.key, row.fields)


def _wait(key: str, fields: Mapping[str, Any]) -> WaitingFor:
    facts = {"waitId": key, **_chosen(fields, _WAIT_FACTS)}
    match fields.get("type"):
        case "event":
            return WaitingFor(kind="event", text=_event_text(fields), hint=_until(fields), facts=facts)
        case "human":
            task = fields.get("taskId")
            return WaitingFor(
                kind="human",
                text=f"a response to the task {fields.get('title') or task!r}",
                hint=f"POST /api/tasks/{task}/complete; {_until(fields)}",
                facts=facts,
            )
        case "quota":
            return WaitingFor(
                kind="quota",
                text=f"a quota is used up: {fields.get('reason') or 'no reason given'}",
                hint="the quota signal resumes it",
                facts=facts,
            )
    return WaitingFor(kind="time", text=f"the time {fields.get('dueAt') or fields.get('timeoutAt')}", facts=facts)


_WAIT_FACTS = (
    *("stepId", "stepPath", "eventName", "correlationKey", "filters", "since", "timeoutAt", "dueAt"),
    *("taskId", "taskType", "title", "reason"),
)


def _event_text(fields: Mapping[str, Any]) -> str:
    key = fields.get("correlationKey")
    text = f"an event {fields.get('eventName')!r} " + (f"with the key {key!r}" if key is not None else "with any key")
    filters = [_filter_text(item) for item in fields.get("filters") or ()]
    return f"{text}, where {' and '.join(filters)}" if filters else text


def _filter_text(item: Mapping[str, Any]) -> str:
    value = f" {item['value']!r}" if item.get("value") is not None else ""
    return f"{item.get('path')} {item.get('op')}{value}"


def _until(fields: Mapping[str, Any]) -> str:
    limit = fields.get("timeoutAt")
    return f"it gives up at {limit}" if limit else "it waits without a limit"


def _open_actions(rows: tuple[TimelineRow, ...]) -> Iterator[WaitingFor]:
    for row in rows:
        fields = row.fields
        if fields.get("status") == "STARTED":
            queue = fields.get("taskQueue")
            yield WaitingFor(
                kind="action",
                text=f"the action {fields.get('actionId')!r} version {fields.get('version')} on the queue {queue!r}",
                hint=f"attempt {fields.get('attempt')} began at {fields.get('startedAt')}; "
                f"a worker must be polling {queue!r}",
                facts=_chosen(fields, ("stepId", "stepPath", "actionId", "version", "taskQueue", "attempt")),
            )


def _open_steps(rows: tuple[TimelineRow, ...]) -> Iterator[WaitingFor]:
    latest = {row.fields.get("itemPath"): row for row in rows}
    for row in latest.values():
        fields = row.fields
        facts = _chosen(fields, ("stepId", "stepPath", "attempt", "nextAttemptAt", "childRunId"))
        # Without a time it waits for a quota, which its wait tells.
        if fields.get("status") == "RETRY_SCHEDULED" and fields.get("nextAttemptAt"):
            yield WaitingFor(
                kind="retry",
                text=f"the next attempt of step {fields.get('stepId')!r} at {fields.get('nextAttemptAt')}",
                hint=f"attempt {fields.get('attempt')} failed: {_message(fields.get('error'))}",
                facts=facts,
            )
        elif fields.get("status") == "STARTED" and fields.get("childRunId"):
            child = fields["childRunId"]
            hint = f"GET /api/runs/{child} says what that one waits for"
            yield WaitingFor(kind="child", text=f"the child run {child!r}", hint=hint, facts=facts)


def _message(error: Any) -> str:
    return str(error.get("message")) if isinstance(error, Mapping) else "no message"


def _chosen(fields: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}
