"""docs/AUTHORING.md is true: every definition in it is published and run, every expression in it has its value."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from tests.integration.server.conftest import Ended, until

from workflow_runtime.core.definition import STEP_TYPES
from workflow_runtime.core.expressions import compile_expression
from workflow_runtime.core.findings import FindingCode
from workflow_server.backend import Backend
from workflow_server.schedules import schedule_id

TEXT: Final = (Path(__file__).parents[3] / "docs" / "AUTHORING.md").read_text(encoding="utf-8")
SCHEMAS: Final = {
    ref: json.loads(block) for ref, block in re.findall(r"```json schema (\S+)\n(.*?)```", TEXT, flags=re.DOTALL)
}
DEFINITIONS: Final[list[dict[str, Any]]] = [
    json.loads(block) for block in re.findall(r"```json definition\n(.*?)```", TEXT, flags=re.DOTALL)
]
EXPRESSIONS: Final = re.findall(r"^\| `(.+?)` \| `(.+?)` \|$", TEXT.partition("## Steps")[0], flags=re.MULTILINE)
CONTEXT: Final[dict[str, Any]] = {
    "payload": {"n": 2, "tags": ["a", "b"], "who": {"name": "Ada"}, "none": None},
    "vars": {"count": 3},
    "count": 3,
}
PAYLOAD: Final = {
    "ticketId": "T-1",
    "subject": "Printer",
    "priority": "high",
    "lines": ['{"a": 1}', "not json", "[2]"],
    "mail": "It works, thanks.\n\nOn Monday, Ada wrote:\n> Does it?",
}
BY_TRIGGER: Final = {"on-ticket", "nightly"}

type Nudge = Callable[[httpx2.AsyncClient, str], Awaitable[None]]


async def _reply(http: httpx2.AsyncClient, run_id: str) -> None:
    payload = {"ticketId": "T-1", "channel": "mail", "text": "yes"}
    await http.post("/api/events", json={"eventName": "ticket.replied", "payload": payload})


async def _approve(http: httpx2.AsyncClient, run_id: str) -> None:
    await until(http, run_id, lambda found: bool(found["waits"]))
    [task] = (await http.get("/api/tasks")).json()["tasks"]
    refused = await http.post(f"/api/tasks/{task['taskId']}/complete", json={"payload": {}})
    assert (refused.status_code, refused.json()["code"]) == (422, "RESPONSE_REFUSED")
    await http.post(f"/api/tasks/{task['taskId']}/complete", json={"payload": {"approved": True}})


NUDGES: Final[dict[str, Nudge]] = {"await-reply": _reply, "ask-for-approval": _approve}


@pytest.fixture
async def published(http: httpx2.AsyncClient, backend: Backend) -> None:
    """Everything on the page, published in the order of the page."""
    for ref, schema in SCHEMAS.items():
        await http.put(f"/api/schemas/{ref}", json=schema)
    await http.put("/api/event-types/ticket.created", json={"payloadSchemaRef": "payload.Ticket.v1"})
    await http.put("/api/event-types/ticket.replied", json={"payloadSchemaRef": "payload.Ticket.v1"})
    for definition in DEFINITIONS:
        answer = await http.post(f"/api/workflows/{definition['id']}/publish", json={"definition": definition})
        assert (answer.status_code, answer.json()["findings"]) == (201, []), (definition["id"], answer.json())
    await backend.client.get_schedule_handle(schedule_id("acme", "nightly")).delete()


def test_the_page_shows_every_step_type() -> None:
    assert {kind for definition in DEFINITIONS for kind in _types(definition["steps"])} == set(STEP_TYPES)


def test_the_page_names_every_finding() -> None:
    assert [code for code in FindingCode if code.value not in TEXT] == []


def _types(steps: list[dict[str, Any]]) -> set[str]:
    inner = (step.get(block, []) for step in steps for block in ("then", "else", "body", "try", "catch"))
    return {step["type"] for step in steps}.union(*(_types(block) for block in inner))


@pytest.mark.parametrize(("source", "value"), EXPRESSIONS)
def test_an_expression_has_the_value_the_page_gives(source: str, value: str) -> None:
    assert compile_expression(source).evaluate(CONTEXT, now_iso="2025-03-03T10:00:00.000Z") == json.loads(value)


def test_the_page_has_a_table_of_expressions() -> None:
    assert len(EXPRESSIONS) >= 10


async def test_every_definition_on_the_page_can_be_published(published: None) -> None:
    assert len(DEFINITIONS) >= len(STEP_TYPES)


@pytest.mark.parametrize("workflow_id", [item["id"] for item in DEFINITIONS if item["id"] not in BY_TRIGGER])
async def test_every_definition_on_the_page_runs_to_its_end(
    http: httpx2.AsyncClient, published: None, workers: None, ingress: None, ended: Ended, workflow_id: str
) -> None:
    started = await http.post(f"/api/workflows/{workflow_id}/runs", json={"payload": PAYLOAD})
    run_id = started.json()["runId"]
    if nudge := NUDGES.get(workflow_id):
        await nudge(http, run_id)
    detail = await ended(run_id)
    assert detail["run"]["status"] == "SUCCEEDED", detail["run"]["error"]
