"""docs/ACTIONS.md is true: both of its workers, each in a process of its own, serve its specs to its definition."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client
from tests.fixtures import crm_workers
from tests.fixtures.authored import eventually
from tests.fixtures.crm_workers import PACKAGE, PAGE, QUEUE, SCRIPT, CrmWorker, block, node_worker, python_worker
from tests.integration.server.conftest import TENANT, Ended, until

WORKERS: dict[str, CrmWorker] = {"python": python_worker, "javascript": node_worker}


@pytest.fixture(params=WORKERS)
def external_worker(request: pytest.FixtureRequest, temporal_server: str, tmp_path: Path) -> Iterator[str]:
    """One of the page's workers; its language."""
    (tmp_path / "worker").mkdir()
    with WORKERS[request.param](temporal_server, tmp_path / "worker", QUEUE):
        yield request.param


async def register(http: httpx2.AsyncClient, kind: str, **changes: Any) -> None:
    answer = await http.post("/api/actions", json=json.loads(block(f"json {kind}")) | changes)
    assert answer.status_code == 201, answer.text


async def publish(http: httpx2.AsyncClient, definition: dict[str, Any]) -> dict[str, Any]:
    await http.put("/api/schemas/payload.Mail.v1", json={"type": "object"})
    answer = await http.post(f"/api/workflows/{definition['id']}/publish", json={"definition": definition})
    assert answer.status_code == 201, answer.text
    published: dict[str, Any] = answer.json()
    return published


@pytest.fixture
async def registered(http: httpx2.AsyncClient) -> None:
    await register(http, "spec")
    published = await publish(http, json.loads(block("json definition")))
    spec = json.loads(block("json spec"))
    assert published["actionQueues"] == {"crm.find_customer@1": QUEUE}
    assert published["pinnedActions"] == {
        "crm.find_customer@1": {key: spec[key] for key in ("inputSchema", "outputSchema")}
    }


async def play(http: httpx2.AsyncClient, ended: Ended, workflow_id: str, payload: Any) -> dict[str, Any]:
    started = await http.post(f"/api/workflows/{workflow_id}/runs", json={"payload": payload})
    return await ended(started.json()["runId"])


@pytest.mark.parametrize(
    ("mail", "error"),
    [
        ("ada@example.org", None),
        ("bob@example.org", ("ActionError", "CUSTOMER_UNKNOWN", "nobody has the address bob@example.org")),
        ("nobody", ("ValidationError", "NO_ADDRESS", "'nobody' is no address")),
    ],
)
async def test_a_worker_of_somebody_else_serves_its_action(
    http: httpx2.AsyncClient,
    registered: None,
    external_worker: str,
    workers: None,
    ended: Ended,
    mail: str,
    error: tuple[str, str, str] | None,
) -> None:
    detail = await play(http, ended, "greet-customer", {"mail": mail})
    assert told(detail["run"]["error"]) == error
    assert detail["run"]["status"] == ("SUCCEEDED" if error is None else "FAILED")
    assert detail["actions"][0]["taskQueue"] == QUEUE
    queues = {row["queue"]: row["verdict"] for row in (await http.get("/api/ownership")).json()["queues"]}
    assert queues[QUEUE] == "EXTERNAL"


def told(error: dict[str, Any] | None) -> tuple[str, str, str] | None:
    return None if error is None else (error["category"], error["code"], error["message"])


EXPORT: dict[str, Any] = {
    "id": "export",
    "version": 1,
    "name": "Export",
    "payloadSchemaRef": "payload.Mail.v1",
    "steps": [
        {
            "id": "export",
            "type": "action.call",
            "config": {
                "actionId": "crm.export_customers",
                "version": 1,
                "inputMapping": {"pauseMs": {"$expr": "payload.pauseMs"}},
                "saveAs": "vars.file",
            },
        },
    ],
}


async def test_the_long_action_of_the_page_heartbeats_and_ends(
    http: httpx2.AsyncClient, external_worker: str, workers: None, ended: Ended, temporal_client: Client
) -> None:
    await register(http, "export")
    await publish(http, EXPORT)
    detail = await play(http, ended, "export", {"pauseMs": 1})
    assert detail["run"]["status"] == "SUCCEEDED", detail["run"]
    handle = temporal_client.get_workflow_handle(f"workflow-runtime-v2:run:{detail['run']['runId']}")
    assert (await handle.result())["vars"]["file"] == {"csv": "C-1;Ada\nC-2;Bea\nC-3;Cyd"}


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"timeoutMs": 500, "heartbeatTimeoutMs": None}, "START_TO_CLOSE"),
        ({"heartbeatTimeoutMs": 500}, "HEARTBEAT"),
    ],
)
async def test_a_worker_that_takes_too_long_is_a_timeout_everywhere(
    http: httpx2.AsyncClient, external_worker: str, workers: None, ended: Ended, limits: dict[str, Any], code: str
) -> None:
    await register(http, "export", **limits)
    await publish(http, EXPORT)
    detail = await play(http, ended, "export", {"pauseMs": 600_000})
    for error in (detail["run"]["error"], detail["actions"][0]["error"], detail["steps"][0]["error"]):
        assert (error["category"], error["code"]) == ("TimeoutError", code)


async def _begun(client: Client, run_id: str) -> None:
    """Return once a worker has taken the run's action."""
    handle = client.get_workflow_handle(f"workflow-runtime-v2:run:{run_id}")

    async def taken() -> bool | None:
        pending = (await handle.describe()).raw_description.pending_activities
        return any(each.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED for each in pending) or None

    await eventually(taken)


@pytest.mark.parametrize(
    ("worker", "number", "retry"),
    [
        (node_worker, signal.SIGTERM, None),
        (python_worker, signal.SIGKILL, {"maxAttempts": 2, "backoffMs": 1, "retryOn": ["TimeoutError"]}),
    ],
    ids=["shut down", "killed"],
)
async def test_a_call_outlives_its_worker(
    http: httpx2.AsyncClient,
    workers: None,
    ended: Ended,
    temporal_server: str,
    temporal_client: Client,
    tmp_path: Path,
    worker: CrmWorker,
    number: signal.Signals,
    retry: Any,
) -> None:
    await register(http, "export", heartbeatTimeoutMs=6000)
    [step] = EXPORT["steps"]
    await publish(http, EXPORT | {"steps": [step | ({"retry": retry} if retry else {})]})
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with worker(temporal_server, tmp_path / "first", QUEUE) as first:
        started = await http.post("/api/workflows/export/runs", json={"payload": {"pauseMs": 1500}})
        await _begun(temporal_client, started.json()["runId"])
        first.stop(number)
    with worker(temporal_server, tmp_path / "second", QUEUE):
        detail = await ended(started.json()["runId"])
    assert detail["run"]["status"] == "SUCCEEDED", detail["run"]
    assert [action["status"] for action in detail["actions"]] == (["FAILED"] if retry else []) + ["SUCCEEDED"]


async def test_an_input_that_does_not_fit_never_reaches_the_worker(
    http: httpx2.AsyncClient, external_worker: str, workers: None, ended: Ended
) -> None:
    await register(http, "export")
    await publish(http, EXPORT)
    detail = await play(http, ended, "export", {"pauseMs": "long"})
    error = detail["run"]["error"]
    assert (error["category"], error["code"]) == ("ValidationError", "ACTION_INPUT_INVALID")


async def test_a_secret_reaches_a_worker_of_somebody_else_by_name_only(
    http: httpx2.AsyncClient, registered: None, external_worker: str, workers: None, ended: Ended, tmp_path: Path
) -> None:
    (tmp_path / TENANT).mkdir()
    (tmp_path / TENANT / "CRM_KEY").write_text("hunter2-and-more")
    definition = json.loads(block("json definition")) | {"id": "secretive"}
    definition["steps"][0]["config"]["inputMapping"] = {"mail": {"$secret": "CRM_KEY"}}
    await publish(http, definition)
    detail = await play(http, ended, "secretive", {})
    # What each language makes of an object where it expects a text.
    assert detail["run"]["error"]["code"] == {"python": "NO_ADDRESS", "javascript": "TypeError"}[external_worker]
    assert "hunter2" not in json.dumps(detail)


async def test_without_a_worker_the_run_says_which_queue_nobody_serves(
    http: httpx2.AsyncClient, registered: None, workers: None
) -> None:
    started = await http.post("/api/workflows/greet-customer/runs", json={"payload": {"mail": "ada@example.org"}})
    detail = await until(http, started.json()["runId"], lambda found: bool(found["actions"]))
    [waiting] = detail["waitingFor"]
    assert (waiting["kind"], waiting["facts"]["taskQueue"]) == ("action", QUEUE)


def test_the_page_shows_the_very_file_that_is_run() -> None:
    assert block("javascript") == SCRIPT.read_text()


def test_the_lock_file_names_no_registry_and_works_with_the_oldest_node_the_page_promises() -> None:
    locked = json.loads((PACKAGE / "package-lock.json").read_text())["packages"]
    assert not any("resolved" in package for package in locked.values())
    assert locked["node_modules/@temporalio/worker"]["engines"]["node"] == ">= 18.0.0"
    assert locked["node_modules/@temporalio/worker"]["version"] in PAGE.read_text()


def test_a_machine_without_node_is_told_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crm_workers, "STATE", tmp_path / "state")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="apt-get install nodejs npm"), node_worker("", tmp_path, QUEUE):
        pass
