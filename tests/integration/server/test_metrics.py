"""Everything an operator watches stands on /metrics of the real processes, with the values that are true."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis
from tests.fixtures.ingress import new_event, until
from tests.fixtures.ports import free_port
from tests.fixtures.processes import PATIENCE_SECONDS, ServiceProcess, service_process
from tests.fixtures.servers import running_temporal
from tests.integration.server.definitions import definition

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.connection import tenant_key
from workflow_runtime.store.events import publish
from workflow_runtime.store.events._keys import reader_key

EVENT = "ticket.created"
DIGEST = "sha256:" + "ab" * 32


def value(process: ServiceProcess, name: str, **labels: str) -> float | None:
    """The sample of a metric that has these labels; null when there is none."""
    text = httpx2.get(f"{process.url}/metrics", timeout=PATIENCE_SECONDS).text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None


async def shows(process: ServiceProcess, wanted: float, name: str, **labels: str) -> None:
    """Wait until a metric has a value."""
    await until(lambda: asyncio.to_thread(value, process, name, **labels), lambda found: found == wanted)


@pytest.fixture(scope="module")
def temporal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal server of this module: other tests look at who polls the queues of the session's."""
    with running_temporal(tmp_path_factory.mktemp("temporal")) as address:
        yield address


@contextmanager
def both(temporal: str, redis_url: str, directory: Path) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    manifest = directory / "image.json"
    queues = '["workflow-runtime-v2"]'
    manifest.write_text(
        f'{{"name": "workflow-worker", "digest": "{DIGEST}", "queues": {queues}, '
        f'"consumerGroups": ["workflow-runtime-v2"]}}'
    )
    variables = {"TEMPORAL_ADDRESS": temporal, "REDIS_URL": redis_url}
    image = {"WORKFLOW_RUNTIME_IMAGE_JSON": str(manifest)}
    with (
        service_process("workflow_server", free_port(), directory, **variables) as server,
        service_process("workflow_worker", free_port(), directory, **variables, **image) as worker,
    ):
        server.until_ready()
        worker.until_ready()
        yield server, worker


async def publish_workflow(http: httpx2.AsyncClient, workflow_id: str, *steps: dict[str, Any]) -> None:
    trigger = {"type": "event", "eventName": EVENT}
    given = definition(workflow_id, payloadSchemaRef="payload.Ticket.v1", trigger=trigger)
    body = {"definition": {**given, "steps": [*given["steps"], *steps]}}
    answer = await http.post(f"/api/workflows/{workflow_id}/publish", json=body)
    assert answer.status_code == 201, answer.text


COMPOSE = {
    "id": "compose",
    "type": "action.call",
    "config": {"actionId": "transform.uppercase_text", "version": 1, "inputMapping": {"text": "x"}},
}


async def test_what_happens_to_events_runs_and_actions_is_counted(
    temporal: str, redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    with both(temporal, redis_url, tmp_path) as (server, worker):
        async with httpx2.AsyncClient(
            base_url=server.url, headers={"X-Tenant-Id": "acme"}, timeout=PATIENCE_SECONDS
        ) as http:
            await http.put("/api/schemas/payload.Ticket.v1", json={"type": "object"})
            await http.put(f"/api/event-types/{EVENT}", json={"payloadSchemaRef": "payload.Ticket.v1"})
            await publish_workflow(http, "good", COMPOSE)
            await publish_workflow(http, "missing")
            await redis_client.rename(tenant_key("acme", "workflow", "missing", "version", 1), "aside")
            event = new_event(EVENT, {"ticketId": "T-1"})
            for _ in range(3):
                await publish(redis_client, event)
            await redis_client.xadd(EVENT_STREAM, {"event_id": "no event"})
            for _ in range(2):
                body = {"eventName": "unheard", "payload": {}, "eventId": "11111111-1111-4111-8111-111111111111"}
                await http.post("/api/events", json=body)

            accepted = "workflow_ingress_events_total"
            for wanted, outcome in ((1, "accepted"), (2, "duplicate"), (2, "dead_letter")):
                await shows(worker, wanted, accepted, outcome=outcome)
            await shows(server, 1, "workflow_api_events_total", outcome="accepted")
            await shows(server, 1, "workflow_api_events_total", outcome="duplicate")
            await shows(worker, 2, "workflow_ingress_routed_total", status="DONE")
            for status in ("DELIVERED", "FAILED"):
                await shows(worker, 1, "workflow_ingress_targets_total", kind="trigger", status=status)
            await shows(worker, 1, "workflow_actions_total", action="transform.uppercase_text@1", outcome="succeeded")
            await shows(server, 1, "workflow_runs", status="SUCCEEDED")
            await shows(server, 2, "workflow_dead_letters")
            await shows(worker, 0, "workflow_ingress_lag")
            await shows(worker, 0, "workflow_ingress_oldest_pending_seconds")
            await shows(worker, 0, "workflow_ingress_backlog")
            await shows(worker, 1, "workflow_build_info", image="workflow-worker", digest=DIGEST)
            await shows(server, 1, "workflow_build_info", image="workflow-server")


async def test_lag_and_the_age_of_what_is_pending_grow_while_nobody_reads(
    temporal: str, redis_client: Redis, redis_url: str, tmp_path: Path
) -> None:
    variables = {"TEMPORAL_ADDRESS": temporal, "REDIS_URL": redis_url}
    with service_process("workflow_worker", free_port(), tmp_path, **variables) as worker:
        worker.until_ready()
        await until(lambda: asyncio.to_thread(value, worker, "workflow_ingress_reading"), (1.0).__eq__)
        # Another consumer of the group takes the stream and stands still, as a frozen replica does.
        await redis_client.set(reader_key("workflow-runtime-v2"), "frozen", px=600_000)
        for _ in range(3):
            await publish(redis_client, new_event("unheard"))
        await redis_client.xreadgroup("workflow-runtime-v2", "frozen", {EVENT_STREAM: ">"}, count=1)
        await shows(worker, 2, "workflow_ingress_lag")
        await until(
            lambda: asyncio.to_thread(value, worker, "workflow_ingress_oldest_pending_seconds"),
            lambda age: bool(age and age > 0),
        )
        await shows(worker, 0, "workflow_ingress_reading")
