"""The surface as a whole: bounds of a request, the time before the connections stand, health, ownership, the token."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from tests.integration.server.conftest import IMAGE
from tests.integration.server.definitions import definition

from workflow_runtime.service.health import Health
from workflow_server.app import attach, build_app
from workflow_server.backend import Backend
from workflow_server.store_metrics import StoreMetrics


def client_of(app: FastAPI, **headers: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://server", headers=headers)


async def endless() -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    while True:
        yield b"[" * 1024


async def test_a_body_above_the_bound_is_refused_as_a_problem(backend: Backend) -> None:
    app = build_app(Health(IMAGE, CollectorRegistry()), token=None, max_body_bytes=2048)
    attach(app, backend)
    async with client_of(app) as http:
        answer = await http.post("/api/events", json={"eventName": "e", "payload": "x" * 4096})
        assert (answer.status_code, answer.json()["code"]) == (413, "CONTENT_TOO_LARGE")
        answer = await http.post("/api/events", content=endless(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (413, "CONTENT_TOO_LARGE")
        assert (await http.post("/api/events", json={"eventName": "e", "payload": "x"})).status_code == 202


async def test_a_payload_of_two_megabytes_is_taken(http: httpx2.AsyncClient) -> None:
    await http.put("/api/schemas/payload.Any.v1", json={"type": "object"})
    body = {"definition": definition(payloadSchemaRef="payload.Any.v1")}
    await http.post("/api/workflows/greeting/publish", json=body)
    answer = await http.post("/api/workflows/greeting/runs", json={"payload": {"text": "x" * 2_000_000}})
    assert answer.status_code == 201, answer.text
    detail = (await http.get(answer.headers["location"])).json()
    assert len(detail["payload"]["text"]) == 2_000_000


@pytest.mark.parametrize("body", [b"{", b'{"eventName": "e", "payload": NaN}', b'{"a": "\\ud800"}'])
async def test_what_is_not_json_is_a_400(http: httpx2.AsyncClient, body: bytes) -> None:
    answer = await http.post("/api/events", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_JSON")


@pytest.mark.parametrize(
    ("origin", "status"), [(None, 201), ("http://server", 201), ("https://elsewhere.example", 403), ("null", 403)]
)
async def test_a_page_of_another_site_changes_nothing(
    http: httpx2.AsyncClient, origin: str | None, status: int
) -> None:
    headers = {} if origin is None else {"Origin": origin}
    answer = await http.post("/api/workflows", json={"definition": definition()}, headers=headers)
    assert answer.status_code == status
    assert (await http.get("/api/workflows", headers=headers)).status_code == 200


async def test_before_the_connections_stand_the_server_lives_and_is_not_ready() -> None:
    async with client_of(build_app(Health(IMAGE, CollectorRegistry()), token=None, max_body_bytes=2048)) as http:
        assert (await http.get("/livez")).status_code == 200
        assert (await http.get("/readyz")).status_code == 503
        answer = await http.get("/api/runs")
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "STARTING", "1")


async def test_the_token_closes_api_and_page_and_leaves_probes_open(backend: Backend) -> None:
    app = build_app(Health(IMAGE, CollectorRegistry()), token="t", max_body_bytes=2048)
    attach(app, backend)
    async with client_of(app) as stranger, client_of(app, Authorization="Bearer t") as known:
        assert [(await stranger.get(path)).status_code for path in ("/api/runs", "/runs", "/livez")] == [401, 401, 200]
        assert [(await known.get(path)).status_code for path in ("/api/runs", "/runs")] == [200, 200]


async def test_ownership_names_the_live_pollers_of_every_queue(http: httpx2.AsyncClient, workers: None) -> None:
    await http.post(
        "/api/actions",
        json={
            "id": "crm.find",
            "version": 1,
            "inputSchema": True,
            "outputSchema": True,
            "sideEffectful": False,
            "taskQueue": "nobody-serves-this",
        },
    )
    queues = {row["queue"]: row for row in (await http.get("/api/ownership")).json()["queues"]}
    assert queues["workflow-app-actions"]["owner"] == "workflow-server"
    assert queues["workflow-app-actions"]["verdict"] == "OWNED"
    assert queues["workflow-runtime-v2"]["verdict"] == "STRANGER_ONLY"
    assert queues["alga-jobs"]["verdict"] == "NOT_POLLED"
    assert (queues["nobody-serves-this"]["owner"], queues["nobody-serves-this"]["verdict"]) == (None, "NOT_POLLED")


async def test_the_description_of_the_api_can_be_read(http: httpx2.AsyncClient) -> None:
    paths = (await http.get("/api/openapi.json")).json()["paths"]
    assert {"/api/workflows/{workflow_id}/publish", "/api/events", "/api/runs/{run_id}"} <= paths.keys()


async def test_runs_are_counted_by_status_over_all_tenants(http: httpx2.AsyncClient, backend: Backend) -> None:
    for tenant in ("acme", "globex"):
        headers = {"X-Tenant-Id": tenant}
        await http.post("/api/workflows/greeting/publish", json={"definition": definition()}, headers=headers)
        await http.post("/api/workflows/greeting/pause", headers=headers)
        await http.post("/api/workflows/greeting/runs", headers=headers)
    registry = CollectorRegistry()
    await StoreMetrics(registry).refresh(backend)
    assert registry.get_sample_value("workflow_runs", {"status": "WAITING"}) == 2
    assert registry.get_sample_value("workflow_runs", {"status": "FAILED"}) == 0


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain; charset=utf-8", ""])
async def test_a_body_that_does_not_say_it_is_json_is_told_what_to_say(http: httpx2.AsyncClient, kind: str) -> None:
    """curl -d calls its body a form."""
    answer = await http.post("/api/events", content=b'{"eventName": "e"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["application/json", "application/cloudevents+json; charset=utf-8"])
async def test_a_body_that_says_it_is_json_is_read(http: httpx2.AsyncClient, kind: str) -> None:
    answer = await http.post("/api/events", content=b'{"eventName": "e"}', headers={"Content-Type": kind})
    assert answer.status_code == 202


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/api/nothing", 404), ("DELETE", "/api/runs", 405)])
async def test_an_address_that_is_none_names_the_list_of_all(
    http: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await http.request(method, path)
    assert answer.status_code == status
    assert "GET /api/openapi.json" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/runs", "/api/tasks", "/runs", "/tasks"])
async def test_a_cursor_of_another_list_is_told_instead_of_read_as_the_first_page(
    http: httpx2.AsyncClient, path: str
) -> None:
    answer = await http.get(path, params={"cursor": "ticket-follow-up"})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_VALUE")
    assert "nextCursor" in answer.json()["detail"]
