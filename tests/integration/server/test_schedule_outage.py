"""A one-time trigger whose moment passes while Temporal is down: it fires late, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from temporalio.client import Client
from tests.fixtures.killable_servers import KillableTemporal, alive
from tests.fixtures.ports import free_port
from tests.fixtures.processes import PATIENCE_SECONDS, service_process
from tests.integration.server.definitions import definition

from workflow_runtime.store.connection import iso
from workflow_server.schedules import schedule_id

CLOCK = "payload.WorkflowClockTrigger.v1"


@pytest.mark.parametrize("worker_is_away", [False, True])
async def test_a_moment_that_passed_during_an_outage_starts_one_run_afterwards(
    redis_url: str, tmp_path: Path, worker_is_away: bool
) -> None:
    with alive(KillableTemporal(tmp_path / "temporal")) as temporal:
        variables = {"TEMPORAL_ADDRESS": temporal.address, "REDIS_URL": redis_url, "SHUTDOWN_GRACE_SECONDS": "1"}
        with service_process("workflow_server", free_port(), tmp_path, **variables) as server:
            server.until_ready()
            run_at = iso(datetime.now(UTC) + timedelta(seconds=3))
            trigger = {"type": "schedule", "runAt": run_at}
            body = {"definition": definition(trigger=trigger, payloadSchemaRef=CLOCK)}
            answer = httpx2.post(f"{server.url}/api/workflows/greeting/publish", json=body, timeout=PATIENCE_SECONDS)
            assert answer.status_code == 201, answer.text
            await looked_at(temporal.address)
            if not worker_is_away:
                temporal.kill()
            # The moment has to pass, and two seconds more are the least that makes it late.
            await asyncio.sleep(5)
            if not worker_is_away:
                temporal.start()
            with service_process("workflow_worker", free_port(), tmp_path, **variables) as worker:
                worker.until_ready()
                server.until(lambda: status_of_runs(server.url) == ["SUCCEEDED"])
                [run] = httpx2.get(f"{server.url}/api/runs", timeout=PATIENCE_SECONDS).json()["runs"]
                detail = httpx2.get(f"{server.url}/api/runs/{run['runId']}", timeout=PATIENCE_SECONDS).json()
                payload = detail["payload"]
                assert payload["scheduledFor"] == run_at
                assert payload["firedAt"] > run_at


async def looked_at(address: str) -> None:
    """Return once Temporal knows when the schedule fires: it looks back no further than to its own first look."""
    handle = (await Client.connect(address)).get_schedule_handle(schedule_id("default", "greeting"))
    deadline = asyncio.get_running_loop().time() + 60
    while not (await handle.describe()).info.next_action_times:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.02)


def status_of_runs(url: str) -> list[str]:
    return [run["status"] for run in httpx2.get(f"{url}/api/runs", timeout=PATIENCE_SECONDS).json()["runs"]]
