"""What a run says it waits for, for every kind of wait, asked of a run that really waits."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from tests.integration.server.conftest import Ended, until
from tests.integration.server.definitions import definition

from workflow_runtime.core.contract import ACTION_ACTIVITY, SIGNAL_QUOTA_RESUME, run_workflow_id
from workflow_runtime.store.connection import iso
from workflow_server.backend import Backend

QUEUE = "crm"
HOUR_MS = 3_600_000


class Crm:
    """Somebody else's action: it fails as it is told, then answers."""

    def __init__(self) -> None:
        self.failure: ApplicationError | None = None

    @activity.defn(name=ACTION_ACTIVITY)
    async def execute(self, request: Any) -> Any:
        if self.failure is not None:
            raise self.failure
        return {}


@pytest.fixture
async def crm(backend: Backend, http: httpx2.AsyncClient) -> AsyncIterator[Crm]:
    spec = {"id": "crm.call", "version": 1, "inputSchema": True, "outputSchema": True}
    registered = await http.post("/api/actions", json=spec | {"sideEffectful": False, "taskQueue": QUEUE})
    assert registered.status_code == 201
    crm = Crm()
    async with Worker(backend.client, task_queue=QUEUE, activities=[crm.execute]):
        yield crm


def call(**options: Any) -> dict[str, Any]:
    config = {"actionId": "crm.call", "version": 1, "inputMapping": {}}
    return {"id": "call", "type": "action.call", "config": config, **options}


async def waiting(http: httpx2.AsyncClient, kind: str, *steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Publish, start, and answer what the run waits for once it is of this kind, with its ``runId``."""
    answer = await http.post(
        "/api/workflows/greeting/publish", json={"definition": definition(steps=list(steps), **changes)}
    )
    assert answer.status_code == 201, answer.text
    run_id = (await http.post("/api/workflows/greeting/runs")).json()["runId"]
    detail = await until(http, run_id, lambda found: kind in {item["kind"] for item in found["waitingFor"]})
    [item] = detail["waitingFor"]
    return {**item, "runId": run_id}


async def test_an_event_is_told_with_its_key_its_filters_and_until_when(
    http: httpx2.AsyncClient, workers: None
) -> None:
    filters = [{"path": "channel", "op": "in", "value": ["mail", "chat"]}, {"path": "spam", "op": "not_exists"}]
    config = {"eventName": "ticket.replied", "correlationKey": "T-1", "filters": filters, "timeoutMs": HOUR_MS}
    item = await waiting(http, "event", {"id": "reply", "type": "event.wait", "config": config})
    assert item["text"] == (
        "an event 'ticket.replied' with the key 'T-1', where channel in ['mail', 'chat'] and spam not_exists"
    )
    assert item["hint"] == f"it gives up at {item['facts']['timeoutAt']}"
    assert (item["facts"]["correlationKey"], len(item["facts"]["filters"])) == ("T-1", 2)


async def test_a_time_is_told(http: httpx2.AsyncClient, workers: None) -> None:
    due = iso(datetime.now(UTC) + timedelta(days=300))
    config = {"mode": "until", "until": due}
    item = await waiting(http, "time", {"id": "moment", "type": "time.wait", "config": config})
    assert (item["text"], item["facts"]["dueAt"]) == (f"the time {due}", due)


async def test_a_task_is_told_with_what_it_asks_and_how_to_answer(http: httpx2.AsyncClient, workers: None) -> None:
    config = {"taskType": "approval", "title": "May we?", "timeoutMs": HOUR_MS}
    item = await waiting(http, "human", {"id": "ask", "type": "human.task", "config": config})
    facts = item["facts"]
    assert (facts["taskType"], facts["title"], facts["stepId"]) == ("approval", "May we?", "ask")
    assert item["hint"] == f"POST /api/tasks/{facts['taskId']}/complete; it gives up at {facts['timeoutAt']}"
    assert (await http.get(f"/api/tasks/{facts['taskId']}")).json()["runId"] == item["runId"]


async def test_a_quota_is_told_with_its_reason_until_it_is_there_again(
    http: httpx2.AsyncClient, backend: Backend, workers: None, crm: Crm, ended: Ended
) -> None:
    crm.failure = ApplicationError(
        "100 mails a day", {"message": "100 mails a day"}, type="WorkflowRuntimeV2.QuotaExceeded", non_retryable=True
    )
    item = await waiting(http, "quota", call())
    assert item["text"] == "a quota is used up: 100 mails a day"
    assert item["facts"]["reason"] == "100 mails a day"
    crm.failure = None
    await backend.client.get_workflow_handle(run_workflow_id(item["runId"])).signal(SIGNAL_QUOTA_RESUME, {})
    assert (await ended(item["runId"]))["run"]["status"] == "SUCCEEDED"


async def test_a_retry_is_told_with_its_time_and_why(http: httpx2.AsyncClient, workers: None, crm: Crm) -> None:
    crm.failure = ApplicationError("the line is busy", type="WorkflowRuntimeV2.TransientError", non_retryable=True)
    item = await waiting(http, "retry", call(retry={"maxAttempts": 2, "backoffMs": HOUR_MS, "jitter": False}))
    assert item["text"] == f"the next attempt of step 'call' at {item['facts']['nextAttemptAt']}"
    assert item["hint"] == "attempt 1 failed: the line is busy"


async def test_a_child_run_is_told_by_its_id(http: httpx2.AsyncClient, workers: None) -> None:
    ask = {"id": "ask", "type": "human.task", "config": {"taskType": "t", "title": "May we?"}}
    await http.post("/api/workflows/asking/publish", json={"definition": definition("asking", steps=[ask])})
    step = {"id": "child", "type": "control.callWorkflow", "workflowId": "asking", "workflowVersion": 1}
    item = await waiting(http, "child", step)
    child = await until(http, item["facts"]["childRunId"], lambda found: bool(found["waits"]))
    assert (child["run"]["parentRunId"], child["waitingFor"][0]["kind"]) == (item["runId"], "human")


async def test_an_action_nobody_serves_is_told_with_its_queue(http: httpx2.AsyncClient, workers: None) -> None:
    spec = {"id": "crm.call", "version": 1, "inputSchema": True, "outputSchema": True}
    await http.post("/api/actions", json=spec | {"sideEffectful": False, "taskQueue": "nobody"})
    item = await waiting(http, "action", call())
    assert item["text"] == "the action 'crm.call' version 1 on the queue 'nobody'"
    assert "a worker must be polling 'nobody'" in item["hint"]
