"""Payload schemas, the event catalogue and external actions through the API, on a real Redis."""

from typing import Any

import httpx2
import pytest
from tests.integration.server.definitions import definition

SPEC: dict[str, Any] = {
    "id": "crm.find_customer",
    "version": 1,
    "inputSchema": {"type": "object", "properties": {"mail": {"type": "string"}}, "required": ["mail"]},
    "outputSchema": {"type": "object"},
    "sideEffectful": False,
    "taskQueue": "crm-actions",
}


async def test_a_schema_is_kept_and_replaced(http: httpx2.AsyncClient) -> None:
    path = "/api/schemas/payload.Ticket.v1"
    assert (await http.put(path, json={"type": "object"})).status_code == 201
    assert (await http.put(path, json={"type": "array"})).status_code == 200
    assert (await http.get(path)).json() == {"ref": "payload.Ticket.v1", "schema": {"type": "array"}, "builtin": False}
    listed = (await http.get("/api/schemas")).json()["schemas"]
    assert {(item["ref"], item["builtin"]) for item in listed} == {
        ("payload.Empty.v1", True),
        ("payload.WorkflowClockTrigger.v1", True),
        ("payload.Ticket.v1", False),
    }


@pytest.mark.parametrize(
    ("ref", "schema", "status", "code"),
    [
        ("payload.Ticket.v1", {"type": "no such type"}, 422, "SCHEMA_INVALID"),
        ("payload.Ticket.v1", [1], 422, "SCHEMA_INVALID"),
        ("payload.Ticket.v1", {"$ref": "http://example.org/schema"}, 422, "SCHEMA_INVALID"),
        ("payload.Empty.v1", {"type": "object"}, 409, "CONFLICT"),
        ("%20", {"type": "object"}, 422, "INVALID_NAME"),
    ],
)
async def test_an_unusable_schema_is_refused(
    http: httpx2.AsyncClient, ref: str, schema: Any, status: int, code: str
) -> None:
    answer = await http.put(f"/api/schemas/{ref}", json=schema)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_an_event_type_needs_a_schema_that_exists(http: httpx2.AsyncClient) -> None:
    body = {"payloadSchemaRef": "payload.Ticket.v1"}
    assert (await http.put("/api/event-types/ticket.created", json=body)).status_code == 404
    await http.put("/api/schemas/payload.Ticket.v1", json={"type": "object"})
    assert (await http.put("/api/event-types/ticket.created", json=body)).status_code == 200
    assert (await http.get("/api/event-types")).json() == {"eventTypes": [{"eventName": "ticket.created"} | body]}


async def test_a_registered_action_can_be_called_and_pins_its_queue(http: httpx2.AsyncClient) -> None:
    call = {"actionId": "crm.find_customer", "version": 1, "inputMapping": {"mail": "a@b.c"}}
    body = {"definition": definition(steps=[{"id": "find", "type": "action.call", "config": call}])}
    refused = await http.post("/api/workflows/greeting/publish", json=body)
    assert [finding["code"] for finding in refused.json()["findings"]] == ["UNKNOWN_ACTION"]
    assert (await http.post("/api/actions", json=SPEC)).status_code == 201
    published = await http.post("/api/workflows/greeting/publish", json=body)
    assert published.json()["actionQueues"] == {"crm.find_customer@1": "crm-actions"}
    [listed] = (await http.get("/api/workflows/greeting/versions")).json()["versions"]
    assert "pinnedActions" not in listed


async def test_what_a_version_pinned_outlives_the_registered_spec(http: httpx2.AsyncClient) -> None:
    limits = {"timeoutMs": 60_000, "scheduleTimeoutMs": 1000, "heartbeatTimeoutMs": 5000}
    await http.post("/api/actions", json=SPEC | limits)
    call = {"actionId": "crm.find_customer", "version": 1, "inputMapping": {"mail": "a@b.c"}}
    body = {"definition": definition(steps=[{"id": "find", "type": "action.call", "config": call}])}
    published = (await http.post("/api/workflows/greeting/publish", json=body)).json()
    schemas = {key: SPEC[key] for key in ("inputSchema", "outputSchema")}
    assert published["pinnedActions"] == {"crm.find_customer@1": schemas | limits}
    await http.delete("/api/actions/crm.find_customer/1")
    await http.post("/api/actions", json=SPEC | {"inputSchema": False})
    kept = (await http.get("/api/workflows/greeting/versions/1")).json()
    assert kept["pinnedActions"] == published["pinnedActions"]


async def test_our_own_actions_pin_no_schemas(http: httpx2.AsyncClient) -> None:
    call = {"actionId": "transform.trim_text", "version": 1, "inputMapping": {"text": " a "}}
    body = {"definition": definition(steps=[{"id": "trim", "type": "action.call", "config": call}])}
    published = (await http.post("/api/workflows/greeting/publish", json=body)).json()
    assert published["actionQueues"] == {"transform.trim_text@1": "workflow-runtime-v2"}
    assert published["pinnedActions"] == {}


async def test_a_version_of_an_action_may_move_but_not_change(http: httpx2.AsyncClient) -> None:
    await http.post("/api/actions", json=SPEC)
    assert (await http.post("/api/actions", json=SPEC | {"taskQueue": "crm-2", "timeoutMs": 500})).status_code == 200
    answer = await http.post("/api/actions", json=SPEC | {"sideEffectful": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "ACTION_EXISTS")
    listed = {item["id"]: item for item in (await http.get("/api/actions")).json()["actions"]}
    found = listed["crm.find_customer"]
    assert (found["taskQueue"], found["timeoutMs"], found["heartbeatTimeoutMs"]) == ("crm-2", 500, None)


async def test_every_built_in_action_is_listed_with_its_queue(http: httpx2.AsyncClient) -> None:
    listed = {item["id"]: item for item in (await http.get("/api/actions")).json()["actions"]}
    assert listed["ai.infer"]["taskQueue"] == "workflow-app-actions"
    assert listed["transform.trim_text"]["taskQueue"] == "workflow-runtime-v2"
    assert {item["origin"] for item in listed.values()} == {"builtin"}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"id": "ai.infer"}, 409, "ACTION_BUILT_IN"),
        ({"taskQueue": "workflow-runtime-v2"}, 422, "QUEUE_NOT_YOURS"),
        ({"inputSchema": {"type": 7}}, 422, "SCHEMA_INVALID"),
        ({"outputSchema": None}, 422, "INVALID_REQUEST"),
        ({"id": "has space"}, 422, "INVALID_REQUEST"),
        ({"version": 0}, 422, "INVALID_REQUEST"),
        ({"handler": "x"}, 422, "INVALID_REQUEST"),
        ({"timeoutMs": 0}, 422, "INVALID_REQUEST"),
        ({"scheduleTimeoutMs": "1s"}, 422, "INVALID_REQUEST"),
        ({"timeoutMs": 1000, "heartbeatTimeoutMs": 1000}, 422, "INVALID_REQUEST"),
    ],
)
async def test_a_spec_that_cannot_work_is_refused(
    http: httpx2.AsyncClient, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await http.post("/api/actions", json=SPEC | changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_forgotten_action_is_unknown_to_new_versions(http: httpx2.AsyncClient) -> None:
    await http.post("/api/actions", json=SPEC)
    assert (await http.delete("/api/actions/crm.find_customer/1")).status_code == 204
    assert (await http.delete("/api/actions/crm.find_customer/1")).status_code == 404
