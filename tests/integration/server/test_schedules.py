"""Time triggers as Temporal schedules: made, changed and removed with what is published; each firing starts one run."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from temporalio.client import (
    ScheduleBackfill,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError
from tests.integration.server.conftest import TENANT, Ended
from tests.integration.server.definitions import definition

from workflow_runtime.store.connection import iso
from workflow_server.backend import Backend
from workflow_server.schedules import RECURRING_CATCH_UP, reconcile, schedule_id

NIGHTLY = {"type": "recurring", "cron": "30 3 * * *", "timezone": "Europe/Berlin"}
IDENTIFIER = schedule_id(TENANT, "greeting")


@pytest.fixture(autouse=True)
async def _no_schedule_left(backend: Backend) -> AsyncIterator[None]:
    yield
    try:
        await backend.client.get_schedule_handle(IDENTIFIER).delete()
    except RPCError:
        return


async def publish(http: httpx2.AsyncClient, trigger: Mapping[str, Any] | None, version: int = 1) -> None:
    changes: dict[str, Any] = {
        "payloadSchemaRef": "payload.WorkflowClockTrigger.v1",
        "version": version,
        "trigger": trigger,
    }
    body = {"definition": definition(**{key: value for key, value in changes.items() if value is not None})}
    answer = await http.post("/api/workflows/greeting/publish", json=body)
    assert answer.status_code == 201, answer.text


async def described(backend: Backend) -> ScheduleDescription | None:
    try:
        return await backend.client.get_schedule_handle(IDENTIFIER).describe()
    except RPCError:
        return None


async def test_a_recurring_trigger_is_a_schedule_in_its_time_zone(http: httpx2.AsyncClient, backend: Backend) -> None:
    await publish(http, NIGHTLY)
    found = await described(backend)
    assert found is not None
    assert found.schedule.spec.time_zone_name == "Europe/Berlin"
    [calendar] = found.schedule.spec.calendars
    assert ([part.start for part in calendar.hour], [part.start for part in calendar.minute]) == ([3], [30])


async def test_a_new_version_changes_the_schedule(http: httpx2.AsyncClient, backend: Backend) -> None:
    await publish(http, NIGHTLY)
    await publish(http, NIGHTLY | {"timezone": "UTC"}, version=2)
    found = await described(backend)
    assert found is not None
    assert found.schedule.spec.time_zone_name == "UTC"


@pytest.mark.parametrize("verb", ["archive", "publish"])
async def test_the_schedule_goes_with_the_trigger(http: httpx2.AsyncClient, backend: Backend, verb: str) -> None:
    await publish(http, NIGHTLY)
    if verb == "archive":
        await http.post("/api/workflows/greeting/archive")
    else:
        await publish(http, None, version=2)
    assert await described(backend) is None


async def test_a_restored_workflow_has_its_schedule_again(http: httpx2.AsyncClient, backend: Backend) -> None:
    await publish(http, NIGHTLY)
    await http.post("/api/workflows/greeting/archive")
    await http.post("/api/workflows/greeting/restore")
    assert await described(backend) is not None


async def test_reconciling_makes_what_is_missing_and_removes_what_nobody_has(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    await publish(http, NIGHTLY)
    await backend.client.get_schedule_handle(IDENTIFIER).delete()
    await reconcile(backend)
    assert await described(backend) is not None
    await backend.redis.flushall()
    await listed(backend, IDENTIFIER)
    await reconcile(backend)
    assert await described(backend) is None


async def test_reconciling_puts_right_what_was_changed_and_what_an_older_server_made(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    await publish(http, NIGHTLY)
    older = ScheduleSpec(cron_expressions=["0 1 * * *"], time_zone_name="UTC")

    def made_by_an_older_server(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = found.description.schedule
        return ScheduleUpdate(replace(schedule, spec=older, state=replace(schedule.state, note="older")))

    await backend.client.get_schedule_handle(IDENTIFIER).update(made_by_an_older_server)
    await reconcile(backend)
    found = await described(backend)
    assert found is not None
    assert found.schedule.spec.time_zone_name == "Europe/Berlin"
    assert found.schedule.policy.catchup_window == RECURRING_CATCH_UP


async def test_a_trigger_that_temporal_cannot_take_keeps_no_other_from_its_schedule(
    http: httpx2.AsyncClient, backend: Backend
) -> None:
    """Publishing refuses both of these now; what an older server has published stays."""
    await publish(http, NIGHTLY)
    await backend.client.get_schedule_handle(IDENTIFIER).delete()
    for workflow_id, moment in (("a", "9999-12-31T23:59:59Z"), ("b", " 2030-01-31T09:00:00Z")):
        old = definition(workflow_id, trigger={"type": "schedule", "runAt": moment})
        await backend.catalog.publish(TENANT, workflow_id, 1, old, action_queues={})
    await reconcile(backend)
    assert await described(backend) is not None


async def test_firings_of_the_same_moments_start_one_run_each_however_often_they_are_repeated(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    await publish(http, NIGHTLY)
    until_now = datetime.now(UTC)
    handle = backend.client.get_schedule_handle(IDENTIFIER)
    days = ScheduleBackfill(until_now - timedelta(days=3), until_now, overlap=ScheduleOverlapPolicy.ALLOW_ALL)
    await handle.backfill(days)
    await fired(backend, 3)
    await handle.backfill(days)
    # Temporal does one thing after another, so this one tells when the repetition is through.
    await handle.trigger()
    deadline = asyncio.get_running_loop().time() + 60
    while len(runs := (await http.get("/api/runs")).json()["runs"]) < 4:
        assert asyncio.get_running_loop().time() < deadline, runs
        await asyncio.sleep(0.05)
    due = [(await ended(run["runId"]))["payload"]["scheduledFor"] for run in runs]
    assert len(set(due)) == len(due) == 4
    assert sorted(run["executionKey"] for run in runs) == sorted(f"{IDENTIFIER}@{moment}" for moment in due)


async def test_a_moment_that_the_schedule_itself_missed_is_made_up_for_once(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    await publish(http, {"type": "schedule", "runAt": iso(datetime.now(UTC) + timedelta(seconds=1.5))})

    def without_firings(found: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(replace(found.description.schedule, spec=ScheduleSpec()))

    await backend.client.get_schedule_handle(IDENTIFIER).update(without_firings)
    await asyncio.sleep(2)
    for _ in range(2):
        await reconcile(backend)
        await fired(backend, 1)
    assert (await ended(await only_run(http)))["run"]["status"] == "SUCCEEDED"
    assert len((await http.get("/api/runs")).json()["runs"]) == 1


async def test_a_firing_of_a_paused_workflow_is_kept_as_a_queued_run(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    await publish(http, NIGHTLY)
    await http.post("/api/workflows/greeting/pause")
    assert await described(backend) is not None
    await backend.client.get_schedule_handle(IDENTIFIER).trigger()
    run_id = await only_run(http)
    assert (await http.get(f"/api/runs/{run_id}")).json()["run"]["queuedReason"] == "paused"
    await http.post("/api/workflows/greeting/resume")
    assert (await ended(run_id))["run"]["status"] == "SUCCEEDED"


async def listed(backend: Backend, identifier: str) -> None:
    """Return once Temporal's list, which lags behind, has the schedule; fails after a minute."""
    deadline = asyncio.get_running_loop().time() + 60
    while identifier not in {entry.id async for entry in await backend.client.list_schedules()}:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.1)


async def test_a_one_time_trigger_starts_one_run_at_its_moment(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    run_at = iso((datetime.now(UTC) + timedelta(seconds=3)).replace(microsecond=0))
    await publish(http, {"type": "schedule", "runAt": run_at})
    run_id = await only_run(http)
    detail = await ended(run_id)
    assert (detail["run"]["status"], detail["run"]["triggerType"]) == ("SUCCEEDED", "schedule")
    assert (detail["payload"]["scheduledFor"], detail["payload"]["workflowId"]) == (run_at, "greeting")
    assert "cron" not in detail["payload"]


async def test_a_repeated_firing_starts_no_second_run(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    run_at = iso(datetime.now(UTC) + timedelta(seconds=2))
    await publish(http, {"type": "schedule", "runAt": run_at})
    await ended(await only_run(http))
    handle = backend.client.get_schedule_handle(IDENTIFIER)
    await handle.trigger()
    await fired(backend, 2)
    assert len((await http.get("/api/runs")).json()["runs"]) == 1


async def test_a_recurring_firing_tells_its_run_when_it_was_due(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    await publish(http, NIGHTLY)
    await backend.client.get_schedule_handle(IDENTIFIER).trigger()
    detail = await ended(await only_run(http))
    payload = detail["payload"]
    assert (payload["triggerType"], payload["cron"], payload["timezone"]) == (
        "recurring",
        "30 3 * * *",
        "Europe/Berlin",
    )
    assert payload["scheduledFor"] <= payload["firedAt"]
    assert detail["run"]["executionKey"] == f"{IDENTIFIER}@{payload['scheduledFor']}"


async def test_a_moment_that_passed_while_the_schedule_was_missing_is_made_up_for(
    http: httpx2.AsyncClient, backend: Backend, workers: None, ended: Ended
) -> None:
    await publish(http, {"type": "schedule", "runAt": iso(datetime.now(UTC) + timedelta(seconds=1.5))})
    await backend.client.get_schedule_handle(IDENTIFIER).delete()
    await asyncio.sleep(2)
    await reconcile(backend)
    assert (await ended(await only_run(http)))["run"]["status"] == "SUCCEEDED"


async def only_run(http: httpx2.AsyncClient) -> str:
    """The id of the first run that is started; fails after a minute."""
    deadline = asyncio.get_running_loop().time() + 60
    while not (runs := (await http.get("/api/runs")).json()["runs"]):
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
    run_id: str = runs[0]["runId"]
    return run_id


async def fired(backend: Backend, times: int) -> None:
    """Return once the schedule has fired so often and what it started has ended; fails after a minute."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        found = await described(backend)
        assert found is not None
        if found.info.num_actions >= times and not found.info.running_actions:
            return
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.1)
