"""The server's application over a real Redis and a real Temporal server, in the test's own event loop."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Worker

from workflow_runtime.bootstrap import app_actions
from workflow_runtime.core.contract import APP_ACTION_QUEUE
from workflow_runtime.service.action_dispatch import ActionDispatcher
from workflow_runtime.service.action_metrics import ActionMetrics
from workflow_runtime.service.health import Health
from workflow_runtime.service.image import UNMANAGED, ImageManifest
from workflow_runtime.store.ledger import ActionLedger
from workflow_server.app import attach, build_app
from workflow_server.backend import Backend, build_backend
from workflow_server.settings import ServerSettings
from workflow_worker.__main__ import _worker as authored_worker
from workflow_worker.ingress import IngressSettings, build_ingress
from workflow_worker.settings import WorkflowWorkerSettings

TENANT = "acme"
IMAGE = ImageManifest(name="workflow-server", digest=UNMANAGED)

type Ended = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture
async def temporal_client(temporal_server: str) -> Client:
    return await Client.connect(
        temporal_server, data_converter=pydantic_data_converter, identity="workflow-server@unmanaged/test"
    )


@pytest.fixture
def settings(tmp_path: Path) -> ServerSettings:
    return ServerSettings(workflow_secrets_dir=tmp_path)


@pytest.fixture
def backend(temporal_client: Client, redis_client: Redis, settings: ServerSettings) -> Backend:
    return build_backend(temporal_client, redis_client, IMAGE, settings)


@pytest.fixture
async def http(backend: Backend, settings: ServerSettings) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application, as tenant acme."""
    app = build_app(Health(IMAGE, CollectorRegistry()), token=None, max_body_bytes=settings.max_body_bytes)
    attach(app, backend)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"X-Tenant-Id": TENANT}
    async with httpx2.AsyncClient(transport=transport, base_url="http://server", headers=headers) as client:
        yield client


@pytest.fixture
async def workers(backend: Backend, settings: ServerSettings) -> AsyncIterator[None]:
    """workflow-worker's Temporal worker as its main wires it, and the one of the app actions, in this event loop."""
    client, redis = backend.client, backend.redis
    await _end_what_is_left(client)
    worker_settings = WorkflowWorkerSettings(workflow_secrets_dir=settings.workflow_secrets_dir)
    async with (
        authored_worker(client, redis, worker_settings, IMAGE, ActionMetrics(CollectorRegistry())) as authored,
        app_actions(None, None) as actions,
    ):
        dispatcher = ActionDispatcher(actions, ledger=ActionLedger(redis), secrets=backend.secrets)
        async with authored, Worker(client, task_queue=APP_ACTION_QUEUE, activities=[dispatcher.execute]):
            yield


async def _end_what_is_left(client: Client) -> None:
    """Runs of earlier tests would go on with this worker, and be shown by a Redis that has forgotten them."""
    async for found in client.list_workflows('ExecutionStatus = "Running"'):
        with contextlib.suppress(RPCError):
            await client.get_workflow_handle(found.id).terminate("left by another test")


@pytest.fixture
async def ingress(backend: Backend) -> AsyncIterator[None]:
    """workflow-worker's ingress, in this event loop."""
    stop = asyncio.Event()
    settings = IngressSettings(sweep_seconds=0.1, block_seconds=0.1)
    running = build_ingress(
        backend.redis, backend.client, settings, identity=f"test-{uuid.uuid4()}", registry=CollectorRegistry()
    )
    task = asyncio.create_task(running.run(stop))
    yield
    stop.set()
    await task


@pytest.fixture
def ended(http: httpx2.AsyncClient) -> Ended:
    """Waits until a run has ended, and answers its detail."""

    async def wait(run_id: str) -> dict[str, Any]:
        return await until(http, run_id, lambda detail: detail["run"]["endedAt"] is not None)

    return wait


async def until(http: httpx2.AsyncClient, run_id: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The detail of a run as soon as ``condition`` holds; fails after a minute with what the run is doing."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        answer = await http.get(f"/api/runs/{run_id}")
        detail: dict[str, Any] = answer.json()
        if answer.status_code == 200 and condition(detail):
            return detail
        assert asyncio.get_running_loop().time() < deadline, detail
        await asyncio.sleep(0.05)
