"""Routes of human tasks: list, show, answer. Process code only."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from workflow_runtime.store.tasks import TaskStatus
from workflow_server import answering
from workflow_server.requests import Cursor, Limit, Tenant, Work
from workflow_server.task_views import task_view
from workflow_server.wire import RequestBody, StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/tasks", tags=["tasks"], route_class=StrictJsonRoute)


class TaskResponse(RequestBody):
    """A person's response; ``event_name`` names it in ``vars.eventName``, ``responded_by`` is kept with the task."""

    payload: Any = None
    event_name: str | None = Field(default=None, min_length=1, max_length=200)
    responded_by: str | None = Field(default=None, max_length=200)


@ROUTER.get("", summary="Human tasks, newest first; open ones unless status says otherwise")
async def list_tasks(
    tenant: Tenant, work: Work, status: TaskStatus = "OPEN", limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """A page; pass ``nextCursor`` as ``cursor`` for the next one."""
    page = await work.tasks.list_tasks(tenant, status=status, limit=limit, cursor=cursor)
    return json_answer({"tasks": [task_view(task) for task in page.tasks], "nextCursor": page.next_cursor})


@ROUTER.get("/{task_id}", summary="One task")
async def get_task(task_id: str, tenant: Tenant, work: Work) -> Response:
    """The task with its context, and with its response when it has one; both are redacted."""
    return json_answer(task_view(await answering.existing_task(work, tenant, task_id)))


@ROUTER.post("/{task_id}/complete", summary="Answer a task")
async def complete_task(task_id: str, body: TaskResponse, tenant: Tenant, work: Work) -> Response:
    """200 when the run accepted the response; 422 when it refused it, and the task stays open."""
    row = await answering.complete_task(
        work, tenant, task_id, body.payload, event_name=body.event_name, responded_by=body.responded_by
    )
    return json_answer(task_view(row))
