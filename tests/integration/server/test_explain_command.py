"""`./dev explain` and `./dev retry` against real processes: triggers, waits, a failure and its repair."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis
from tests.fixtures.commands import dev
from tests.fixtures.ingress import until
from tests.fixtures.ports import free_port
from tests.fixtures.processes import service_process
from tests.fixtures.servers import running_temporal
from tests.integration.server.definitions import definition

from workflow_runtime.store.connection import tenant_key
from workflow_runtime.store.events import NewEvent, publish

EVENT = "ticket.created"


@pytest.fixture(scope="module")
def address(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a workflow-server, beside it a workflow-worker.

    On a Temporal server of their own: other tests look at who polls the queues of the session's.
    """
    directory = tmp_path_factory.mktemp("processes")
    with ExitStack() as stack:
        environment = {"TEMPORAL_ADDRESS": stack.enter_context(running_temporal(directory)), "REDIS_URL": redis_server}
        server, worker = (
            stack.enter_context(service_process(module, free_port(), directory, **environment))
            for module in ("workflow_server", "workflow_worker")
        )
        server.until_ready()
        worker.until_ready()
        yield server.url


@pytest.fixture
async def http(address: str, redis_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """The server's API, over a Redis that was emptied for this test, with the event's schema."""
    async with httpx2.AsyncClient(base_url=address, headers={"X-Tenant-Id": "acme"}, timeout=30) as client:
        await client.put("/api/schemas/payload.Ticket.v1", json={"type": "object"})
        await client.put(f"/api/event-types/{EVENT}", json={"payloadSchemaRef": "payload.Ticket.v1"})
        yield client


async def publish_workflow(http: httpx2.AsyncClient, workflow_id: str, **changes: Any) -> None:
    body = {"definition": definition(workflow_id, payloadSchemaRef="payload.Ticket.v1", **changes)}
    answer = await http.post(f"/api/workflows/{workflow_id}/publish", json=body)
    assert answer.status_code == 201, answer.text


async def a_run_that_waits(http: httpx2.AsyncClient, name: str, key: str, channel: str) -> str:
    filters = [{"path": "channel", "op": "=", "value": channel}]
    config = {"eventName": EVENT, "correlationKey": key, "filters": filters}
    await publish_workflow(http, name, steps=[{"id": "wait", "type": "event.wait", "config": config}])
    run_id = str((await http.post(f"/api/workflows/{name}/runs", json={"payload": {}})).json()["runId"])

    async def waits() -> bool:
        return bool((await http.get(f"/api/runs/{run_id}")).json()["run"]["status"] == "WAITING")

    await until(waits)
    return run_id


async def command(http: httpx2.AsyncClient, *argv: str) -> tuple[int, str, str]:
    return await asyncio.to_thread(dev, *argv, server=str(http.base_url).rstrip("/"))


async def routed(http: httpx2.AsyncClient, event_id: str) -> dict[str, Any]:
    async def probe() -> dict[str, Any]:
        answer: dict[str, Any] = (await http.get(f"/api/events/{event_id}")).json()
        return answer

    found: dict[str, Any] = await until(probe, lambda event: event.get("status") == "DONE")
    return found


async def test_an_event_is_explained_and_retried_where_it_failed(http: httpx2.AsyncClient, redis_client: Redis) -> None:
    trigger = {"type": "event", "eventName": EVENT}
    for workflow_id in ("good", "missing"):
        await publish_workflow(http, workflow_id, trigger=trigger)
    runs = {
        name: await a_run_that_waits(http, name, key, channel)
        for name, key, channel in (("takes", "T-1", "chat"), ("refuses", "T-1", "mail"), ("elsewhere", "T-2", "chat"))
    }
    version = tenant_key("acme", "workflow", "missing", "version", 1)
    await redis_client.rename(version, "aside")
    payload = {"ticketId": "T-1", "channel": "chat", "password": "hunter2"}
    event_id = await publish(redis_client, NewEvent(tenant="acme", event_name=EVENT, payload=payload))
    await routed(http, event_id)

    code, output, errors = await command(http, "explain", event_id.upper())
    assert (code, errors) == (0, "")
    said = one_line(output)
    for text in (
        f"{EVENT} {event_id} tenant acme",
        "by the stream, as number 1 of the tenant",
        "outcome FAILED",
        "keys T-1 found at payload path ticketId",
        "DELIVERED starts good version 1 as run",
        "FAILED starts missing version 1 as run",
        "ValidationError: version 1 of workflow 'missing' of tenant 'acme' does not exist",
        f"DELIVERED wakes run {runs['takes']} at wait",
        "matched trigger of good: it is triggered by events of this name",
        f"matched wait of run {runs['takes']}: name, key and filters match",
        f"no match wait of run {runs['refuses']}: filter not met: channel = 'mail', but it is 'chat'",
        f"no match wait of run {runs['elsewhere']}: the wait is for key 'T-2', the event has 'T-1'",
        '"password": "[REDACTED]"',
        f"./dev retry {event_id} --tenant acme --server",
    ):
        assert text in said, f"{text!r} is not in\n{output}"
    assert "hunter2" not in output
    code, output, _ = await command(http, "explain", event_id, "--tenant", "acme", "--json")
    assert json.loads(output)["targets"] == (await http.get(f"/api/events/{event_id}")).json()["targets"]

    await redis_client.rename("aside", version)
    code, output, errors = await command(http, "retry", event_id, "--reason", "restored", "--actor", "ann")
    assert (code, errors) == (0, "")
    assert output.startswith("trying trigger:missing again\n")
    done = await routed(http, event_id)
    assert {target["status"] for target in done["targets"]} == {"DELIVERED"}
    assert {target["attempts"] for target in done["targets"]} == {1}
    assert len((await http.get("/api/runs")).json()["runs"]) == len(runs) + 2
    said = one_line((await command(http, "explain", event_id))[1])
    assert "outcome MATCHED" in said
    assert re.search(r"ann retried it at \S+ \(\d+ s ago\): restored \(trigger:missing\)", said)
    assert f"run {runs['takes']} at wait" in said
    assert "./dev retry" not in said
    code, output, errors = await command(http, "retry", event_id)
    assert (code, output) == (2, "")
    assert errors == f"dev: event '{event_id}' has no failed target: there is nothing to retry\n"


def one_line(text: str) -> str:
    return " ".join(text.split())


async def test_an_event_that_nobody_wanted_says_so(http: httpx2.AsyncClient) -> None:
    posted = (await http.post("/api/events", json={"eventName": "nobody.cares", "payload": {}})).json()["eventId"]
    await routed(http, posted)
    said = one_line((await command(http, "explain", posted))[1])
    for text in (
        "by the API",
        "outcome UNMATCHED: nothing took it",
        "reason unmatched: no workflow is triggered by 'nobody.cares', and no run waits for it",
        "keys none: none was given",
        "where it went nowhere",
        "what was considered nothing: no live trigger has this event's name",
    ):
        assert text in said


async def test_an_id_that_two_tenants_have_wants_a_flag(http: httpx2.AsyncClient) -> None:
    event_id = str(uuid.uuid4())
    event = {"eventName": "e", "payload": {}, "eventId": event_id}
    for tenant in ("acme", "globex"):
        await http.post("/api/events", json=event, headers={"X-Tenant-Id": tenant})
    for name in ("explain", "retry"):
        code, output, errors = await command(http, name, event_id)
        assert (code, output) == (2, "")
        assert errors == (f"dev: 2 tenants have an event '{event_id}' (acme, globex): say which with --tenant\n")
    code, output, _ = await command(http, "explain", event_id, "--tenant", "globex")
    assert (code, output.splitlines()[0]) == (0, f"e  {event_id}  tenant globex")


async def test_an_unknown_event_or_tenant_is_one_line_and_code_2(http: httpx2.AsyncClient) -> None:
    unknown = str(uuid.uuid4())
    for name in ("explain", "retry"):
        mistakes: list[tuple[tuple[str, ...], str]] = [
            ((unknown,), f"no tenant has an event '{unknown}': it was never accepted"),
            ((unknown, "--tenant", "nobody"), "there is no tenant 'nobody'; there are: acme"),
            ((unknown, "--tenant", "acme"), f"event '{unknown}' of tenant 'acme' is not in the ledger"),
        ]
        for argv, text in mistakes:
            code, output, errors = await command(http, name, *argv)
            assert (code, output) == (2, "")
            assert errors.startswith(f"dev: {text}")
            assert len(errors.splitlines()) == 1


def test_nobody_is_asked_without_a_stack(tmp_path: Path) -> None:
    code, _, errors = dev("explain", str(uuid.uuid4()), WORKFLOW_DEV_STATE=str(tmp_path))
    assert code == 2
    assert errors.startswith("dev: nothing of this checkout runs")
