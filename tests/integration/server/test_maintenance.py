"""What the server does now and then, for every tenant."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx2
from temporalio.client import ScheduleHandle
from temporalio.service import RPCError
from tests.integration.server.definitions import definition

from workflow_runtime.store.notifications import Notification, Notifications
from workflow_runtime.store.runs import RunRow, Runs
from workflow_server.backend import Backend
from workflow_server.maintenance import keep_house, prune_tenants
from workflow_server.schedules import schedule_id

NIGHTLY = {"type": "recurring", "cron": "30 3 * * *", "timezone": "UTC"}


async def ended(backend: Backend, tenant: str, run_id: str, age: timedelta) -> None:
    runs = Runs(backend.redis, clock=lambda: datetime.now(UTC) - age)
    fields = {"workflow_id": "w", "workflow_version": 1, "definition_hash": "h"}
    await runs.create_run(RunRow.model_validate({"run_id": run_id, "tenant_id": tenant, **fields}))
    await runs.finish_run(tenant, run_id, "SUCCEEDED")


async def test_what_is_older_than_the_settings_say_goes_for_every_tenant(backend: Backend) -> None:
    for tenant in ("acme", "globex"):
        for age in (100, 50):
            await ended(backend, tenant, f"{tenant}-{age}", timedelta(days=age))
        old = Notifications(backend.redis, clock=lambda: datetime.now(UTC) - timedelta(days=91))
        await old.send(tenant, ["ann"], Notification(title="t", body="b"), operation="op")
    await prune_tenants(backend)
    for tenant in ("acme", "globex"):
        assert [row.run_id for row in (await backend.runs.list_runs(tenant)).runs] == [f"{tenant}-50"]
        assert (await Notifications(backend.redis).list_notifications(tenant, "ann")).notifications == ()


async def test_a_schedule_that_vanished_is_there_again_after_a_while(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    body = {"definition": definition(trigger=NIGHTLY, payloadSchemaRef="payload.WorkflowClockTrigger.v1")}
    assert (await http.post("/api/workflows/greeting/publish", json=body)).status_code == 201
    handle = backend.client.get_schedule_handle(schedule_id("acme", "greeting"))
    await handle.delete()
    stop = asyncio.Event()
    keeping = asyncio.create_task(keep_house(backend, stop, pause_seconds=0.05))
    deadline = asyncio.get_running_loop().time() + 60
    while not await described(handle):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    stop.set()
    await keeping
    await handle.delete()


async def described(handle: ScheduleHandle) -> bool:
    try:
        await handle.describe()
    except RPCError:
        return False
    return True
