"""Human tasks through the API: listed, answered, refused, timed out, cancelled with their run."""

from typing import Any

import httpx2
import pytest
from tests.integration.server.conftest import Ended, until
from tests.integration.server.definitions import definition

from workflow_server.backend import Backend
from workflow_worker.rebuild import Rebuilder

HANDLED = {"id": "noted", "type": "state.set", "config": {"state": "NOBODY_ANSWERED"}}


def ask(step_id: str = "ask", /, **config: Any) -> dict[str, Any]:
    return {"id": step_id, "type": "human.task", "config": {"taskType": "approval", "title": "May we?"} | config}


async def started(http: httpx2.AsyncClient, *steps: dict[str, Any]) -> str:
    answer = await http.post("/api/workflows/greeting/publish", json={"definition": definition(steps=list(steps))})
    assert answer.status_code == 201, answer.text
    run_id: str = (await http.post("/api/workflows/greeting/runs")).json()["runId"]
    return run_id


async def task_of(http: httpx2.AsyncClient, run_id: str) -> dict[str, Any]:
    """The task the run waits for, once it does."""
    detail = await until(http, run_id, lambda found: found["run"]["status"] == "WAITING")
    [waiting] = detail["waitingFor"]
    task: dict[str, Any] = (await http.get(f"/api/tasks/{waiting['facts']['taskId']}")).json()
    return task


async def complete(http: httpx2.AsyncClient, task: dict[str, Any], payload: Any, **more: Any) -> httpx2.Response:
    return await http.post(f"/api/tasks/{task['taskId']}/complete", json={"payload": payload, **more})


async def listed(http: httpx2.AsyncClient, status: str) -> list[str]:
    tasks = (await http.get("/api/tasks", params={"status": status})).json()["tasks"]
    return [task["taskId"] for task in tasks]


async def test_a_task_shows_what_its_author_wrote_and_what_the_run_knows(
    http: httpx2.AsyncClient, workers: None
) -> None:
    config: dict[str, Any] = {"description": "The customer asks.", "contextData": {"run": {"$expr": "system.runId"}}}
    run_id = await started(http, ask(**config, timeoutMs=3_600_000))
    task = await task_of(http, run_id)
    assert (task["status"], task["title"], task["description"]) == ("OPEN", "May we?", "The customer asks.")
    assert (task["contextData"], task["runId"]) == ({"run": run_id}, run_id)
    assert task["timeoutAt"] > task["createdAt"]
    assert await listed(http, "OPEN") == [task["taskId"]]


async def test_a_response_the_run_cannot_work_with_is_refused_and_the_task_stays_open(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    run_id = await started(http, ask(assign={"vars.by": {"$expr": "vars.event.by.name"}}))
    task = await task_of(http, run_id)
    wrong: list[Any] = [{"by": {}}, "yes", None, [[["deep"]]]]
    for payload in wrong:
        refused = await complete(http, task, payload)
        assert (refused.status_code, refused.json()["code"]) == (422, "RESPONSE_REFUSED"), payload
        assert "MISSING_RESULT" in refused.text or "gave no value" in refused.json()["detail"]
    assert (await http.get(f"/api/tasks/{task['taskId']}")).json()["status"] == "OPEN"
    assert (await complete(http, task, {"by": {"name": "Ada"}}, respondedBy="ada")).status_code == 200
    assert (await ended(run_id))["run"]["status"] == "SUCCEEDED"
    closed = (await http.get(f"/api/tasks/{task['taskId']}")).json()
    assert (closed["status"], closed["respondedBy"]) == ("COMPLETED", "ada")
    assert (await listed(http, "OPEN"), await listed(http, "COMPLETED")) == ([], [task["taskId"]])


async def test_the_first_of_two_who_give_the_same_response_is_the_one_who_responded(
    http: httpx2.AsyncClient, workers: None, ended: Ended, backend: Backend
) -> None:
    run_id = await started(http, ask())
    task = await task_of(http, run_id)
    assert (await complete(http, task, {"ok": 1}, respondedBy="ann")).status_code == 200
    assert (await complete(http, task, {"ok": 1}, respondedBy="bob")).json()["respondedBy"] == "ann"
    await ended(run_id)
    shown = (await http.get(f"/api/tasks/{task['taskId']}")).json()
    assert (await Rebuilder(backend.client, backend.redis).rebuild(run_id)).changed is False
    await backend.redis.delete(f"wf:{{acme}}:task:{task['taskId']}")
    assert (await Rebuilder(backend.client, backend.redis).rebuild(run_id)).changed is True
    assert (await http.get(f"/api/tasks/{task['taskId']}")).json() == shown


async def test_a_task_nobody_answers_times_out_and_takes_no_response(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    caught = {"id": "try", "type": "control.tryCatch", "try": [ask(timeoutMs=50)], "catch": [HANDLED]}
    run_id = await started(http, caught)
    detail = await ended(run_id)
    assert detail["run"]["status"] == "SUCCEEDED"
    [wait] = detail["waits"]
    assert (wait["type"], wait["status"]) == ("human", "TIMED_OUT")
    [task_id] = await listed(http, "TIMED_OUT")
    late = await complete(http, {"taskId": task_id}, {})
    assert (late.status_code, late.json()["code"]) == (409, "TASK_CLOSED")


async def test_a_timeout_nothing_handles_fails_the_run_with_its_category(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    detail = await ended(await started(http, ask(timeoutMs=50)))
    error = detail["run"]["error"]
    assert (detail["run"]["status"], error["category"], error["nodePath"]) == (
        "FAILED",
        "TimeoutError",
        "root.steps[0]",
    )


async def test_the_tasks_of_a_cancelled_run_are_closed(http: httpx2.AsyncClient, workers: None, ended: Ended) -> None:
    run_id = await started(http, ask())
    task = await task_of(http, run_id)
    await http.post(f"/api/runs/{run_id}/cancel")
    await ended(run_id)
    assert await listed(http, "CANCELED") == [task["taskId"]]
    answer = await complete(http, task, {})
    assert (answer.status_code, answer.json()["code"]) == (409, "TASK_CLOSED")


async def test_each_of_two_tasks_takes_its_own_response(http: httpx2.AsyncClient, workers: None, ended: Ended) -> None:
    run_id = await started(http, ask("one"), ask("two", title="And now?"))
    first = await task_of(http, run_id)
    assert (await complete(http, first, {"n": 1}, eventName="APPROVED")).json()["eventName"] == "APPROVED"
    await until(
        http, run_id, lambda found: [item["facts"].get("title") for item in found["waitingFor"]] == ["And now?"]
    )
    second = await task_of(http, run_id)
    assert second["taskId"] != first["taskId"]
    assert (await complete(http, second, {"n": 2})).status_code == 200
    await ended(run_id)
    assert sorted(await listed(http, "COMPLETED")) == sorted([first["taskId"], second["taskId"]])


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_task_nobody_opened_is_not_found(http: httpx2.AsyncClient, method: str) -> None:
    path = "/api/tasks/nope" if method == "GET" else "/api/tasks/nope/complete"
    answer = await http.request(method, path, json=None if method == "GET" else {"payload": {}})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_task_of_another_tenant_is_not_found(http: httpx2.AsyncClient, workers: None) -> None:
    task = await task_of(http, await started(http, ask()))
    other = {"X-Tenant-Id": "globex"}
    path = f"/api/tasks/{task['taskId']}"
    assert (await http.get(path, headers=other)).status_code == 404
    assert (await http.post(f"{path}/complete", json={"payload": {}}, headers=other)).status_code == 404
    assert (await http.get(path)).json()["status"] == "OPEN"
