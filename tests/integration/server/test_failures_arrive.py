"""Category, code and message of an action's failure arrive unchanged: from every kind of queue, in every place."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError
from tests.fixtures.crm_workers import CrmWorker, block, node_worker, python_worker
from tests.integration.server.conftest import TENANT, Ended
from tests.integration.server.definitions import definition

from workflow_server.backend import Backend


@dataclass(frozen=True)
class Source:
    """A step that fails, with what; ``worker`` serves it when that is not one of ours."""

    step: Mapping[str, Any]
    expected: tuple[str, str, str]
    worker: CrmWorker | None = None


def _call(action_id: str, **given: Any) -> dict[str, Any]:
    config = {"actionId": action_id, "version": 1, "inputMapping": given}
    return {"id": "failing", "type": "action.call", "config": config}


_OWN = _call("transform.regex_match", text="a", pattern="b+", requireMatch=True)
_NO_MATCH = ("REGEX_NO_MATCH", "The pattern 'b+' matches nowhere.")
_NO_ADDRESS = ("ValidationError", "NO_ADDRESS", "'nobody' is no address")
_CHILD = {"id": "failing", "type": "control.callWorkflow", "workflowId": "child", "workflowVersion": 1}
_UNCONFIGURED = (
    "e-mail is not configured on workflow-server; set SMTP_HOST and EMAIL_FROM, and SMTP_USERNAME with SMTP_PASSWORD "
    "or SMTP_PASSWORD_FILE when the server asks for them, then start it again"
)

SOURCES = {
    "own queue": Source(_OWN, ("ValidationError", *_NO_MATCH)),
    "app queue": Source(
        _call("email.send", to="a@example.org", subject="s", text="t"),
        ("ActionError", "EMAIL_NOT_CONFIGURED", _UNCONFIGURED),
    ),
    "Python worker": Source(_call("crm.find_customer", mail="nobody"), _NO_ADDRESS, python_worker),
    "JavaScript worker": Source(_call("crm.find_customer", mail="nobody"), _NO_ADDRESS, node_worker),
    "child": Source(_CHILD, ("ChildWorkflowError", *_NO_MATCH)),
}


@pytest.fixture(params=SOURCES)
async def source(
    request: pytest.FixtureRequest, http: httpx2.AsyncClient, workers: None, temporal_server: str, tmp_path: Path
) -> AsyncIterator[Source]:
    """One of the sources, with everything that it needs."""
    found = SOURCES[request.param]
    await _publish(http, "child", _OWN)
    with ExitStack() as stack:
        if found.worker is not None:
            queue = f"crm-of-the-{request.param}".replace(" ", "-")
            spec = json.loads(block("json spec")) | {"taskQueue": queue}
            assert (await http.post("/api/actions", json=spec)).status_code == 201
            (tmp_path / "worker").mkdir()
            stack.enter_context(found.worker(temporal_server, tmp_path / "worker", queue))
        yield found


async def _publish(http: httpx2.AsyncClient, workflow_id: str, *steps: Any) -> None:
    body = {"definition": definition(workflow_id, steps=steps)}
    answer = await http.post(f"/api/workflows/{workflow_id}/publish", json=body)
    assert answer.status_code == 201, answer.text


class Run:
    """A run of one step that has ended, seen from everywhere."""

    def __init__(self, backend: Backend, detail: dict[str, Any]) -> None:
        self.detail = detail
        self.id: str = detail["run"]["runId"]
        self.handle = backend.client.get_workflow_handle(f"workflow-runtime-v2:run:{self.id}")
        self.backend = backend


async def _run(backend: Backend, http: httpx2.AsyncClient, ended: Ended, *steps: Any) -> Run:
    await _publish(http, "failing", *steps)
    started = await http.post("/api/workflows/failing/runs", json={})
    return Run(backend, await ended(started.json()["runId"]))


async def test_in_catch(source: Source, backend: Backend, http: httpx2.AsyncClient, ended: Ended) -> None:
    seen = {"id": "see", "type": "transform.assign", "config": {"assign": {"vars.seen": {"$expr": "error"}}}}
    caught = {
        "id": "try",
        "type": "control.tryCatch",
        "try": [source.step],
        "catch": [seen],
        "captureErrorAs": "caught",
    }
    run = await _run(backend, http, ended, caught)
    variables = (await run.handle.result())["vars"]
    assert variables["caught"] == variables["seen"]
    assert _told(variables["caught"]) == source.expected
    if source.step is _CHILD:
        assert variables["caught"]["details"]["cause"]["category"] == "ValidationError"


async def _projected(run: Run) -> list[Any]:
    detail = await run.backend.runs.run_detail(TENANT, run.id)
    assert detail is not None
    assert detail.run.error is not None
    rows = [row.fields["error"] for row in (*detail.steps, *detail.actions)]
    return [detail.run.error.model_dump(mode="json", by_alias=True), *rows]


async def _shown(run: Run) -> list[Any]:
    rows = (*run.detail["steps"], *run.detail["actions"])
    return [run.detail["run"]["error"], *(row["error"] for row in rows)]


async def _raised(run: Run) -> list[Any]:
    with pytest.raises(WorkflowFailureError) as ended:
        await run.handle.result()
    cause = ended.value.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.type, cause.message) == (
        f"WorkflowRuntimeV2.{cause.details[0]['category']}",
        cause.details[0]["message"],
    )
    return [cause.details[0]]


@pytest.mark.parametrize("seen", [_projected, _shown, _raised], ids=["in the projection", "in the API", "in Temporal"])
async def test_where_it_ends_the_run(
    source: Source, backend: Backend, http: httpx2.AsyncClient, ended: Ended, seen: Callable[[Run], Any]
) -> None:
    found = await seen(await _run(backend, http, ended, source.step))
    calls = 0 if source.step is _CHILD else 1
    assert len(found) == (1 if seen is _raised else 2 + calls)
    assert {_told(error) for error in found} == {source.expected}


def _told(error: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    return error["category"], error.get("code"), error["message"]
