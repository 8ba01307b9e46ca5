"""Starting, following, cancelling and answering runs through the API, executed by the real worker code."""

import itertools
import uuid
from typing import Any

import httpx2
import pytest
from tests.integration.server.conftest import TENANT, Ended, until
from tests.integration.server.definitions import definition

from workflow_server.backend import Backend
from workflow_server.settings import ServerSettings

ORDER_SCHEMA = {
    "type": "object",
    "properties": {"ticketId": {"type": "string"}},
    "required": ["ticketId"],
    "additionalProperties": False,
}
WAITING_STEPS = [
    {
        "id": "reply",
        "type": "event.wait",
        "config": {
            "eventName": "ticket.replied",
            "correlationKey": {"$expr": "payload.ticketId"},
            "filters": [{"path": "channel", "op": "=", "value": "mail"}],
        },
    }
]
TASK_STEPS = [
    {"id": "approve", "type": "human.task", "config": {"taskType": "approval", "title": "May we?"}},
    {"id": "keep", "type": "transform.assign", "config": {"assign": {"vars.answer": {"$expr": "vars.event.yes"}}}},
]


async def publish(http: httpx2.AsyncClient, **changes: Any) -> None:
    await http.put("/api/schemas/payload.Ticket.v1", json=ORDER_SCHEMA)
    answer = await http.post("/api/workflows/greeting/publish", json={"definition": definition(**changes)})
    assert answer.status_code == 201, answer.text


async def start(http: httpx2.AsyncClient, payload: Any = None, **headers: str) -> httpx2.Response:
    return await http.post("/api/workflows/greeting/runs", json={"payload": payload or {}}, headers=headers)


async def test_a_started_run_succeeds_and_shows_its_steps(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http)
    started = await start(http)
    assert (started.status_code, started.json()["state"]) == (201, "admitted")
    detail = await ended(started.json()["runId"])
    assert detail["run"]["status"] == "SUCCEEDED"
    assert [(step["stepId"], step["status"]) for step in detail["steps"]] == [("greet", "SUCCEEDED")]
    assert detail["waitingFor"] == []


async def test_a_payload_that_does_not_fit_starts_nothing(http: httpx2.AsyncClient) -> None:
    await publish(http, payloadSchemaRef="payload.Ticket.v1")
    answer = await start(http, {"ticketId": 7})
    assert (answer.status_code, answer.json()["code"]) == (422, "PAYLOAD_INVALID")
    assert answer.json()["findings"][0]["message"].startswith("/ticketId")
    assert (await http.get("/api/runs")).json()["runs"] == []


async def test_a_repeated_idempotency_key_starts_one_run(http: httpx2.AsyncClient) -> None:
    await publish(http)
    first, again = await start(http, **{"Idempotency-Key": "k"}), await start(http, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["runId"] == again.json()["runId"]
    assert len((await http.get("/api/runs")).json()["runs"]) == 1


async def test_a_run_says_what_it_waits_for_until_the_event_comes(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http, steps=WAITING_STEPS, payloadSchemaRef="payload.Ticket.v1")
    run_id = (await start(http, {"ticketId": "T-1"})).json()["runId"]
    detail = await until(http, run_id, lambda found: bool(found["waits"]))
    assert detail["run"]["status"] == "WAITING"
    [waiting] = detail["waitingFor"]
    assert waiting["text"] == "an event 'ticket.replied' with the key 'T-1', where channel = 'mail'"
    assert waiting["facts"]["correlationKey"] == "T-1"


async def test_a_run_that_waits_ends_when_it_is_cancelled(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http, steps=WAITING_STEPS, payloadSchemaRef="payload.Ticket.v1")
    run_id = (await start(http, {"ticketId": "T-1"})).json()["runId"]
    await until(http, run_id, lambda found: bool(found["waits"]))
    assert (await http.post(f"/api/runs/{run_id}/cancel")).status_code == 202
    assert (await ended(run_id))["run"]["status"] == "CANCELED"
    again = await http.post(f"/api/runs/{run_id}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "RUN_ENDED")


async def test_a_start_of_a_paused_workflow_waits_and_goes_on_after_resuming(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http)
    await http.post("/api/workflows/greeting/pause")
    started = (await start(http)).json()
    assert started["state"] == "queued"
    detail = (await http.get(f"/api/runs/{started['runId']}")).json()
    assert detail["waitingFor"][0]["kind"] == "queue"
    await http.post("/api/workflows/greeting/resume")
    assert (await ended(started["runId"]))["run"]["status"] == "SUCCEEDED"


async def test_a_queued_start_can_be_cancelled_and_never_runs(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http)
    await http.post("/api/workflows/greeting/pause")
    first, second = (await start(http)).json()["runId"], (await start(http)).json()["runId"]
    await http.post(f"/api/runs/{first}/cancel")
    await http.post("/api/workflows/greeting/resume")
    assert (await ended(second))["run"]["status"] == "SUCCEEDED"
    cancelled = (await http.get(f"/api/runs/{first}")).json()
    assert (cancelled["run"]["status"], cancelled["steps"]) == ("CANCELED", [])


async def test_the_concurrency_limit_lets_starts_through_one_after_another(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http)
    await http.patch("/api/workflows/greeting", json={"concurrencyLimit": 1})
    started = [(await start(http)).json()["runId"] for _ in range(3)]
    details = [await ended(run_id) for run_id in started]
    assert [detail["run"]["status"] for detail in details] == ["SUCCEEDED"] * 3
    spans = sorted((detail["run"]["startedAt"], detail["run"]["endedAt"]) for detail in details)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


async def test_a_rerun_repeats_version_and_payload_in_a_new_run(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    steps = [
        {"id": "see", "type": "transform.assign", "config": {"assign": {"vars.id": {"$expr": "payload.ticketId"}}}}
    ]
    await publish(http, steps=steps, payloadSchemaRef="payload.Ticket.v1")
    old = (await start(http, {"ticketId": "T-9"})).json()["runId"]
    await ended(old)
    await publish(http, steps=steps, payloadSchemaRef="payload.Ticket.v1", version=2)
    answer = (await http.post(f"/api/runs/{old}/rerun")).json()
    assert answer["rerunOf"] == old != answer["runId"]
    detail = await ended(answer["runId"])
    assert (detail["run"]["workflowVersion"], detail["payload"]) == (1, {"ticketId": "T-9"})


async def test_a_task_is_answered_once_and_the_run_goes_on(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    await publish(http, steps=TASK_STEPS)
    run_id = (await start(http)).json()["runId"]
    await until(http, run_id, lambda found: bool(found["waits"]))
    [task] = (await http.get("/api/tasks")).json()["tasks"]
    assert (task["title"], task["runId"]) == ("May we?", run_id)
    path = f"/api/tasks/{task['taskId']}/complete"
    done = await http.post(path, json={"payload": {"yes": True}, "respondedBy": "ada"})
    assert (done.status_code, done.json()["status"], done.json()["respondedBy"]) == (200, "COMPLETED", "ada")
    assert (await ended(run_id))["run"]["status"] == "SUCCEEDED"
    assert (await http.post(path, json={"payload": {"yes": True}})).status_code == 200
    other = await http.post(path, json={"payload": {"yes": False}})
    assert (other.status_code, other.json()["code"]) == (409, "TASK_CLOSED")
    assert (await http.get("/api/tasks")).json()["tasks"] == []


async def test_an_unconfigured_ai_action_fails_the_run_with_its_code(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    call = {
        "actionId": "ai.infer",
        "version": 1,
        "inputMapping": {"prompt": "p", "outputSchema": {"type": "object"}},
    }
    await publish(http, steps=[{"id": "ask", "type": "action.call", "config": call}])
    detail = await ended((await start(http)).json()["runId"])
    assert detail["run"]["status"] == "FAILED"
    assert (detail["run"]["error"]["category"], detail["run"]["error"]["code"]) == ("ActionError", "AI_NOT_CONFIGURED")
    assert detail["actions"][0]["taskQueue"] == "workflow-app-actions"


async def test_what_actions_were_given_and_answered_can_be_read_without_secrets(
    http: httpx2.AsyncClient, workers: None, ended: Ended, settings: ServerSettings
) -> None:
    secrets = settings.workflow_secrets_dir / TENANT
    secrets.mkdir()
    (secrets / "GREETING").write_text("  hush  ")
    call = {"actionId": "transform.trim_text", "version": 1, "inputMapping": {"text": {"$secret": "GREETING"}}}
    await publish(http, steps=[{"id": "trim", "type": "action.call", "config": call}])
    run_id = (await start(http)).json()["runId"]
    assert (await ended(run_id))["run"]["status"] == "SUCCEEDED"
    [entry] = (await http.get(f"/api/runs/{run_id}/actions")).json()["actions"]
    assert (entry["actionId"], entry["state"], entry["input"]) == (
        "transform.trim_text",
        "SUCCEEDED",
        {"text": "[SECRET:REDACTED]"},
    )
    everything = [(await http.get(f"/api/runs/{run_id}{part}")).text for part in ("", "/actions", "/records")]
    assert "  hush  " not in "".join(everything)


async def test_the_live_summary_is_asked_of_the_run_itself(http: httpx2.AsyncClient, workers: None) -> None:
    await publish(http, steps=WAITING_STEPS, payloadSchemaRef="payload.Ticket.v1")
    run_id = (await start(http, {"ticketId": "T-1"})).json()["runId"]
    await until(http, run_id, lambda found: bool(found["waits"]))
    summary = (await http.get(f"/api/runs/{run_id}/summary")).json()
    assert (summary["runId"], summary["currentStepPath"]) == (run_id, "root.steps[0]")


async def test_a_queued_start_has_no_interpreter_and_says_who_ended_it(http: httpx2.AsyncClient) -> None:
    await publish(http)
    await http.post("/api/workflows/greeting/pause")
    run_id = (await start(http)).json()["runId"]
    answer = await http.get(f"/api/runs/{run_id}/summary")
    assert (answer.status_code, answer.json()["code"]) == (409, "RUN_QUEUED")
    cancelled = (await http.post(f"/api/runs/{run_id}/cancel")).json()
    assert (cancelled["status"], cancelled["error"]["code"]) == ("CANCELED", "RUN_CANCELLED")
    assert cancelled["error"]["at"] <= cancelled["endedAt"]


async def test_a_run_whose_payload_was_lost_is_shown_without_it_and_not_run_again(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    await publish(http)
    run_id = (await start(http)).json()["runId"]
    await backend.redis.delete(f"wf:{{acme}}:run:{run_id}:payload")
    shown = await http.get(f"/api/runs/{run_id}")
    assert (shown.status_code, shown.json()["payload"]) == (200, None)
    assert (await http.get(f"/runs/{run_id}", params={"tenant": "acme"})).status_code == 200
    again = await http.post(f"/api/runs/{run_id}/rerun")
    assert again.status_code == 404
    assert "rebuild the run" in again.json()["detail"]


async def test_a_run_is_followed_by_its_records(http: httpx2.AsyncClient, workers: None, ended: Ended) -> None:
    await publish(http)
    run_id = (await start(http)).json()["runId"]
    await ended(run_id)
    page = (await http.get(f"/api/runs/{run_id}/records")).json()
    numbers = [record["seq"] for record in page["records"]]
    assert numbers == list(range(1, page["lastSeq"] + 1))
    rest = (await http.get(f"/api/runs/{run_id}/records", params={"after": page["lastSeq"]})).json()
    assert rest["records"] == []


async def test_runs_are_filtered_by_status_and_workflow(http: httpx2.AsyncClient, workers: None, ended: Ended) -> None:
    await publish(http)
    run_id = (await start(http)).json()["runId"]
    await ended(run_id)
    for query, expected in (
        ({"status": "SUCCEEDED"}, [run_id]),
        ({"status": "FAILED"}, []),
        ({"workflowId": "greeting"}, [run_id]),
        ({"workflowId": "other"}, []),
        ({"since": "2100-01-01T00:00:00Z"}, []),
    ):
        listed = (await http.get("/api/runs", params=query)).json()["runs"]
        assert [run["runId"] for run in listed] == expected, query


@pytest.mark.parametrize("path", ["", "/records", "/summary"])
async def test_a_run_nobody_started_is_not_found(http: httpx2.AsyncClient, path: str) -> None:
    answer = await http.get(f"/api/runs/{uuid.uuid4()}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_an_unknown_status_is_a_request_error(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/api/runs", params={"status": "DONE"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")


async def test_a_workflow_that_fails_too_often_pauses_itself_until_somebody_resumes_it(
    http: httpx2.AsyncClient, workers: None, ended: Ended
) -> None:
    failing = {"id": "see", "type": "control.if", "condition": {"$expr": "payload.fine"}, "then": []}
    await http.put("/api/schemas/payload.Any.v1", json={"type": "object"})
    await publish(http, steps=[failing], payloadSchemaRef="payload.Any.v1")
    watched = {"autoPauseOnFailure": True, "failureRateThreshold": 0.6, "failureRateMinRuns": 3}
    await http.patch("/api/workflows/greeting", json=watched)
    for payload in ({"fine": True}, {}, {}):
        await ended((await start(http, payload)).json()["runId"])
    workflow = (await http.get("/api/workflows/greeting")).json()
    assert (workflow["state"], workflow["pausedReason"]) == ("paused", "2 of the last 3 runs failed")
    queued = (await start(http, {"fine": True})).json()
    detail = (await http.get(f"/api/runs/{queued['runId']}")).json()
    assert "2 of the last 3 runs failed" in detail["waitingFor"][0]["text"]
    resumed = (await http.post("/api/workflows/greeting/resume")).json()
    assert (resumed["state"], resumed["pausedReason"]) == ("published", None)
    assert (await ended(queued["runId"]))["run"]["status"] == "SUCCEEDED"


async def test_a_queued_start_tells_its_place_in_the_queue(http: httpx2.AsyncClient) -> None:
    await publish(http)
    await http.patch("/api/workflows/greeting", json={"concurrencyLimit": 1})
    runs = [(await start(http)).json()["runId"] for _ in range(4)]
    for place, run_id in enumerate(runs[1:], start=1):
        [waiting] = (await http.get(f"/api/runs/{run_id}")).json()["waitingFor"]
        assert waiting["facts"] == {"reason": "concurrency", "place": place, "limit": 1, "active": 1}
        assert f"place {place} in the queue" in waiting["text"]
    await http.post(f"/api/runs/{runs[1]}/cancel")
    [waiting] = (await http.get(f"/api/runs/{runs[2]}")).json()["waitingFor"]
    assert waiting["facts"]["place"] == 1
