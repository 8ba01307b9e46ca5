"""The gateway and the wired ingress against a real Temporal server."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Worker
from tests.fixtures.event_runs import OneEventRun
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, settled
from tests.fixtures.killable_servers import KillableTemporal, alive

from workflow_runtime.core.contract import (
    AUTHORED_QUEUE,
    EventSignal,
    run_workflow_id,
)
from workflow_runtime.core.errors import ActionFailure
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import utc_now
from workflow_runtime.store.events import Wait, explain, publish
from workflow_runtime.store.runs import RunRow, Runs
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress import GatewayOutageError, RunStart, StartOutcome, build_ingress
from workflow_worker.ingress.temporal_gateway import TemporalRunGateway


@pytest.fixture
async def client(temporal_server: str) -> AsyncIterator[Client]:
    client = await Client.connect(temporal_server, data_converter=pydantic_data_converter)
    async with Worker(client, task_queue=AUTHORED_QUEUE, workflows=[OneEventRun]):
        yield client


async def start_of(redis: Redis, **changes: Any) -> RunStart:
    await publish_workflow(redis, "follow-up", "CREATED")
    values: dict[str, Any] = {
        "run_id": str(uuid.uuid4()),
        "tenant_id": TENANT,
        "workflow_id": "follow-up",
        "workflow_version": 1,
        "definition_hash": (await Catalog(redis).get_version(TENANT, "follow-up")).hash,
        "event_id": str(uuid.uuid4()),
        "payload": {"ticketId": "T-1"},
    }
    return RunStart(**values | changes)


def handle_of(client: Client, run_id: str) -> WorkflowHandle[Any, dict[str, Any]]:
    return client.get_workflow_handle(run_workflow_id(run_id), result_type=dict)


async def test_a_run_is_started_once_and_never_again_after_its_end(redis_client: Redis, client: Client) -> None:
    gateway, start = TemporalRunGateway(client, redis_client), await start_of(redis_client)
    signal = EventSignal(event_id=str(uuid.uuid4()), event_name="CLOSED")
    assert await gateway.start_run(start) is StartOutcome.STARTED
    assert await gateway.start_run(start) is StartOutcome.ALREADY_STARTED
    assert await gateway.signal_run(TENANT, start.run_id, signal)
    result = await handle_of(client, start.run_id).result()
    assert (result["run"], result["trigger"], result["event"]["eventId"]) == (start.run_id, "event", signal.event_id)
    assert await gateway.start_run(start) is StartOutcome.ALREADY_STARTED
    described = await handle_of(client, start.run_id).describe()
    assert described.close_time is not None
    row = await Runs(redis_client).get_run(TENANT, start.run_id)
    assert row is not None
    assert (row.trigger_type, row.trigger_event_id) == ("event", start.event_id)


async def test_a_run_that_ended_or_never_was_takes_no_signal(redis_client: Redis, client: Client) -> None:
    gateway, start = TemporalRunGateway(client, redis_client), await start_of(redis_client)
    signal = EventSignal(event_id=str(uuid.uuid4()), event_name="CLOSED")
    assert not await gateway.signal_run(TENANT, start.run_id, signal)
    await gateway.start_run(start)
    await gateway.signal_run(TENANT, start.run_id, signal)
    await handle_of(client, start.run_id).result()
    assert not await gateway.signal_run(TENANT, start.run_id, signal)


async def test_a_start_of_a_paused_workflow_is_recorded_and_not_executed(redis_client: Redis, client: Client) -> None:
    gateway, start = TemporalRunGateway(client, redis_client), await start_of(redis_client)
    await Catalog(redis_client).set_paused(TENANT, "follow-up", True)
    assert await gateway.start_run(start) is StartOutcome.QUEUED
    [waiting] = await Runs(redis_client).waiting_starts(TENANT, "follow-up")
    assert waiting.run_id == start.run_id
    with pytest.raises(RPCError, match="not found"):
        await handle_of(client, start.run_id).describe()


async def test_a_start_that_lost_its_process_is_launched(redis_client: Redis, client: Client) -> None:
    start = await start_of(redis_client)
    row = RunRow(
        run_id=start.run_id,
        tenant_id=TENANT,
        workflow_id="follow-up",
        workflow_version=1,
        definition_hash=start.definition_hash,
    )
    await Runs(redis_client).admit(row)
    assert await TemporalRunGateway(client, redis_client).recover_starts() == 0, "its process may still be at it"

    def later() -> datetime:
        return utc_now() + timedelta(minutes=2)

    gateway = TemporalRunGateway(client, redis_client, clock=later)
    assert await gateway.recover_starts() == 1
    assert await gateway.recover_starts() == 0
    assert (await handle_of(client, start.run_id).describe()).close_time is None


async def test_an_event_too_large_for_temporal_is_refused_for_good(redis_client: Redis, client: Client) -> None:
    gateway, start = TemporalRunGateway(client, redis_client), await start_of(redis_client)
    await gateway.start_run(start)
    huge = EventSignal(event_id=str(uuid.uuid4()), event_name="CLOSED", payload="x" * 3 * 1024 * 1024)
    with pytest.raises(ActionFailure, match="Temporal refuses the call"):
        await gateway.signal_run(TENANT, start.run_id, huge)


async def test_a_temporal_that_is_away_is_no_fault_of_the_event(redis_client: Redis, tmp_path: Path) -> None:
    signal = EventSignal(event_id=str(uuid.uuid4()), event_name="CLOSED")
    with alive(KillableTemporal(tmp_path)) as server:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        gateway = TemporalRunGateway(client, redis_client)
        server.kill()
        with pytest.raises(GatewayOutageError, match="Temporal cannot be reached: "):
            await gateway.signal_run(TENANT, str(uuid.uuid4()), signal)
        with pytest.raises(GatewayOutageError, match="Temporal cannot be reached: "):
            await gateway.start_run(await start_of(redis_client))


async def test_one_event_starts_a_run_and_a_second_one_resumes_it(redis_client: Redis, client: Client) -> None:
    await publish_workflow(redis_client, "follow-up", "CREATED")
    ingress = build_ingress(redis_client, client, QUICK, identity=str(uuid.uuid4()), registry=CollectorRegistry())
    stop = asyncio.Event()
    working = asyncio.create_task(ingress.run(stop))
    try:
        created = await settled(redis_client, await publish(redis_client, new_event("CREATED", {"ticketId": "T-1"})))
        run_id = created.targets[0].run_id
        assert await Runs(redis_client).recover_starts(TENANT, utc_now() + timedelta(days=1)) == (), "it is launched"
        await WaitIndex(redis_client).register(Wait(TENANT, run_id, "w", "CLOSED", "T-1"), since="wait")
        closed = await settled(redis_client, await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"})))
        result = await handle_of(client, run_id).result()
    finally:
        stop.set()
        await working
    assert result["event"] == {
        "eventId": closed.event.event_id,
        "eventName": "CLOSED",
        "correlationKey": "T-1",
        "payload": {"ticketId": "T-1"},
        "receivedAt": closed.accepted_at,
    }
    explanation = await explain(redis_client, TENANT, closed.event.event_id)
    assert [(target.run_id, target.status) for target in explanation.targets] == [(run_id, "DELIVERED")]
