"""Pages of human tasks: the list, one task, and answering it. Process code only.

An answer goes the way of the API: the run judges it before it is accepted, and a refusal comes back with the form as it
was filled in.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from workflow_runtime.core.errors import RuntimeFailureError
from workflow_runtime.store.tasks import TASK_STATUSES, TaskStatus
from workflow_server import answering
from workflow_server.page.render import link, words
from workflow_server.page.routes import Frame, InFrame, form_fields, person
from workflow_server.problems import ProblemError, as_problem
from workflow_server.requests import Cursor
from workflow_server.task_views import task_view
from workflow_server.wire import parse_json

ROUTER = APIRouter(include_in_schema=False)

_PAGE: Final = 50
_ACTIVE: Final = "tasks"
_NAME_LENGTH: Final = 200


@ROUTER.get("/tasks")
async def tasks_page(frame: InFrame, status: TaskStatus = "OPEN", cursor: Cursor = None) -> Response:
    """Human tasks, newest first; the open ones unless another status is asked for."""
    page = await frame.work.tasks.list_tasks(frame.tenant, status=status, limit=_PAGE, cursor=cursor)
    return frame.page(
        "tasks.html",
        _ACTIVE,
        tasks=[task_view(task) for task in page.tasks],
        next=page.next_cursor,
        status=status,
        statuses=[(each, words(each)) for each in TASK_STATUSES],
    )


@ROUTER.get("/tasks/{task_id}")
async def task_page(task_id: str, frame: InFrame) -> Response:
    """One task: what the run gave with it, a form while it is open, and its response afterwards."""
    return await _task(frame, task_id)


@ROUTER.get("/tasks/{task_id}/complete")
async def back_to_task(task_id: str, frame: InFrame) -> Response:
    """Where a refusal stands a person may reload or keep the address."""
    return RedirectResponse(link(f"/tasks/{task_id}", frame.tenant))


@ROUTER.post("/tasks/{task_id}/complete")
async def answer_task(task_id: str, frame: InFrame, request: Request) -> Response:
    """Give the answer to the run; then back to the task's page, which shows it or says why it was refused."""
    typed = await form_fields(request)
    try:
        payload = _payload(typed.get("payload", ""))
        event_name = typed.get("eventName", "").strip()[:_NAME_LENGTH] or None
        who = person(request)[:_NAME_LENGTH]
        await answering.complete_task(
            frame.work, frame.tenant, task_id, payload, event_name=event_name, responded_by=who
        )
    except (ProblemError, RuntimeFailureError) as error:
        return await _task(frame, task_id, typed, as_problem(error))
    return RedirectResponse(link(f"/tasks/{task_id}", frame.tenant), status_code=303)


def _payload(text: str) -> Any:
    """What was typed, as JSON; nothing is null. Raises `ProblemError` 400."""
    return parse_json(text.encode(), "the response") if text.strip() else None


async def _task(
    frame: Frame, task_id: str, typed: dict[str, str] | None = None, problem: ProblemError | None = None
) -> Response:
    task = await frame.work.tasks.get(frame.tenant, task_id)
    if task is None:
        title, detail = "There is no such task", "It never existed, or it went with its run."
        return frame.page("problem.html", _ACTIVE, http_status=404, title=title, detail=detail)
    view = task_view(task)
    context = [("What the run gives with it", view["contextData"], True)] if task.context_data else []
    response = [("Response", view["response"], True)] if task.status == "COMPLETED" else []
    return frame.page(
        "task.html",
        _ACTIVE,
        http_status=problem.status_code if problem else 200,
        task=view,
        typed=typed or {},
        refusal=problem.detail if problem else None,
        documents=[*response, *context],
    )
