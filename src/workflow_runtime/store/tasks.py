"""Human tasks: the rows people see and answer. Activities and processes only.

The workflow decides whether a response is accepted and the row follows it: a task closes once, and stays as it closed.
"""

from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Any, Literal, cast

from redis.asyncio import Redis

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._indexes import id_of, newest, time_member
from workflow_runtime.store._rows import HashRow, dump, flat
from workflow_runtime.store._task_keys import TASK_STATUSES, indexes, of_run_key, task_index_key, task_key
from workflow_runtime.store.connection import Clock, iso, register_script, remember_tenant, utc_now
from workflow_runtime.store.errors import ConflictError, NotFoundError

__all__ = ["TASK_STATUSES", "TaskPage", "TaskRow", "TaskStatus", "Tasks"]

TaskStatus = Literal["OPEN", "COMPLETED", "TIMED_OUT", "CANCELED"]


class TaskRow(HashRow):
    """One human task. Times are ISO 8601 UTC; ``timeout_at`` is when the workflow stops waiting for it."""

    task_id: str
    tenant_id: str
    run_id: str
    wait_id: str
    step_path: str
    task_type: str
    title: str
    description: str | None = None
    context_data: Any = None
    status: TaskStatus = "OPEN"
    created_at: str | None = None
    timeout_at: str | None = None
    closed_at: str | None = None
    event_name: str | None = None
    response: Any = None
    responded_by: str | None = None


class TaskPage(WireModel):
    """Tasks, newest first; ``next_cursor`` continues the list and is null at its end."""

    tasks: tuple[TaskRow, ...]
    next_cursor: str | None


class Tasks:
    """The human tasks of all tenants."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock
        self._open = register_script(redis, "task_open")
        self._close = register_script(redis, "task_close")

    async def open(self, row: TaskRow) -> bool:
        """Show a task to people; false when it was opened before (then nothing changes, not even a closed one)."""
        created_at = row.created_at or iso(self._clock())
        row = row.model_copy(update={"created_at": created_at, "status": "OPEN"})
        await remember_tenant(self._redis, row.tenant_id)
        names = [task_key(row.tenant_id, row.task_id), *indexes(row.tenant_id, row.run_id)]
        return bool(await self._open(names, [time_member(created_at, row.task_id), *flat(row.to_hash())]))

    async def get(self, tenant: str, task_id: str) -> TaskRow | None:
        """The task; null when there is none."""
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(task_key(tenant, task_id)))
        return TaskRow.from_hash(raw) if raw else None

    async def list_tasks(
        self,
        tenant: str,
        *,
        status: TaskStatus | None = "OPEN",
        limit: int = 50,
        cursor: str | None = None,
    ) -> TaskPage:
        """Tasks of a status, or of any when it is null."""
        found = await newest(self._redis, task_index_key(tenant, status), limit=limit, cursor=cursor)
        rows = await self._rows(tenant, found)
        return TaskPage(tasks=rows, next_cursor=found[-1] if len(found) == limit else None)

    async def of_run(self, tenant: str, run_id: str) -> tuple[TaskRow, ...]:
        """All tasks of a run, newest first."""
        return await self._rows(tenant, await newest(self._redis, of_run_key(tenant, run_id), limit=1000, cursor=None))

    async def _rows(self, tenant: str, found: list[str]) -> tuple[TaskRow, ...]:
        pipe = self._redis.pipeline(transaction=False)
        for member in found:
            pipe.hgetall(task_key(tenant, id_of(member)))
        return tuple(TaskRow.from_hash(raw) for raw in await pipe.execute() if raw)

    async def complete(
        self,
        tenant: str,
        task_id: str,
        response: Any,
        *,
        event_name: str | None = None,
        responded_by: str | None = None,
        at: str | None = None,
    ) -> TaskRow:
        """Close a task with the response the workflow accepted; repeating the same response is harmless.

        ``at`` is when that was (ISO 8601 UTC), now when left out.
        Raises `NotFoundError`, and `ConflictError` TASK_CLOSED when it is closed with something else.
        """
        told = TaskRow.encode({"eventName": event_name, "respondedBy": responded_by})
        text = dump(response, f"response to task {task_id!r}")
        outcome = await self._closed(tenant, task_id, "COMPLETED", at, text, told)
        if outcome not in ("closed", "same"):
            state = "completed with another response" if outcome == "COMPLETED" else outcome.lower().replace("_", " ")
            raise ConflictError(
                f"task {task_id!r} is {state}; it takes no further response", code="TASK_CLOSED", details=outcome
            )
        row = await self.get(tenant, task_id)
        if row is None:
            raise _no_task(tenant, task_id)
        return row

    async def time_out(self, tenant: str, task_id: str, *, at: str | None = None) -> bool:
        """Close a task nobody answered in time; false when it was closed before. Raises `NotFoundError`."""
        return await self._closed(tenant, task_id, "TIMED_OUT", at) == "closed"

    async def cancel(self, tenant: str, task_id: str, *, at: str | None = None) -> bool:
        """Close a task of a run that was cancelled; false when it was closed before. Raises `NotFoundError`."""
        return await self._closed(tenant, task_id, "CANCELED", at) == "closed"

    async def _closed(
        self,
        tenant: str,
        task_id: str,
        status: TaskStatus,
        at: str | None,
        response: str = "",
        fields: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        names = [task_key(tenant, task_id), task_index_key(tenant, "OPEN"), task_index_key(tenant, status)]
        # HSET wants at least one pair, and the id is one that never changes.
        told = flat({"taskId": task_id, **fields})
        outcome = cast(str, await self._close(names, [status, response, at or iso(self._clock()), *told]))
        if outcome == "missing":
            raise _no_task(tenant, task_id)
        return outcome


def _no_task(tenant: str, task_id: str) -> NotFoundError:
    return NotFoundError("task", task_id, tenant, "it never existed or went with its run; list tasks to find it")
