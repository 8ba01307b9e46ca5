"""Readiness asks Temporal who polls, and names who should not."""

import asyncio

from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from tests.fixtures.authored import eventually

from temporal_worker.probe import QueueProbe, QueueProbeWorkflow
from workflow_runtime.service.image import ImageManifest
from workflow_runtime.service.pollers import Poller, polling_check, queue_pollers
from workflow_runtime.service.settings import ProcessSettings
from workflow_runtime.service.workers import build_worker

IMAGE = ImageManifest(name="temporal-worker", digest="sha256:1234")
QUEUE = "portal-domain-workflows"
OURS = "temporal-worker@sha256:1234/host:1"
STRANGER = "4711@laptop"


async def _client(address: str, identity: str) -> Client:
    return await Client.connect(address, identity=identity, data_converter=pydantic_data_converter)


def _worker(client: Client) -> Worker:
    probe = QueueProbe(image=IMAGE.name, digest=IMAGE.digest, identity=client.identity)
    settings = ProcessSettings(shutdown_grace_seconds=0)
    workflows, activities = [QueueProbeWorkflow], [probe.describe]
    return build_worker(client, QUEUE, settings=settings, image=IMAGE, workflows=workflows, activities=activities)


async def test_a_worker_is_ready_while_temporal_lists_it_and_not_after_it_stopped(temporal_server: str) -> None:
    client = await _client(temporal_server, OURS)
    worker = _worker(client)
    check = polling_check(client, worker)
    assert await check() == (False, f"the worker of {QUEUE} does not run")

    async def ready() -> str | None:
        ok, detail = await check()
        return detail if ok else None

    async with worker:
        assert (await eventually(ready)).startswith(f"polling {QUEUE}")
    assert (await check())[0] is False


async def test_a_stranger_on_the_queue_is_named_and_logged_once(temporal_server: str) -> None:
    ours, theirs = await _client(temporal_server, OURS), await _client(temporal_server, STRANGER)
    worker = _worker(ours)
    check = polling_check(ours, worker)

    async def named() -> str | None:
        ok, detail = await check()
        return detail if ok and STRANGER in detail else None

    with capture_logs() as lines:
        async with worker, _worker(theirs):
            assert "strangers poll it too" in await eventually(named)
            await check()
    logged = [line for line in lines if line["event"] == "foreign_poller" and line["identity"] == STRANGER]
    assert [line["queue"] for line in logged] == [QUEUE]


async def test_pollers_are_told_by_queue_kind_and_image(temporal_server: str) -> None:
    client = await _client(temporal_server, OURS)

    async def both() -> list[Poller] | None:
        found = [poller for poller in await queue_pollers(client, QUEUE) if poller.identity == OURS]
        return found if len(found) == 2 else None

    async with _worker(client):
        pollers = await eventually(both)
        await asyncio.sleep(0)
    assert {(poller.kind, poller.image) for poller in pollers} == {
        ("workflow", "temporal-worker"),
        ("activity", "temporal-worker"),
    }
