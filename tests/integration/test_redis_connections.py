"""The client that every process opens: it outlives restarts of Redis, and speaks to a cluster when it is told to."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from temporalio.client import Client
from temporalio.worker import Worker
from tests.fixtures.event_runs import OneEventRun
from tests.fixtures.ingress import QUICK, new_event, publish_workflow, settled
from tests.fixtures.killable_servers import KillableRedis, alive
from tests.fixtures.servers import running_redis_cluster

from workflow_runtime.core.contract import AUTHORED_QUEUE, run_workflow_id
from workflow_runtime.service.connect import connect_both, connect_redis, open_redis, redis_check
from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.settings import ProcessSettings
from workflow_runtime.store.events import Wait, publish
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress import build_ingress

TENANTS = [f"tenant-{number}" for number in range(6)]
"""Enough of them to live on every node."""


@pytest.fixture(autouse=True)
def plain_log() -> None:
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis_cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
async def cluster(cluster_url: str) -> AsyncIterator[Redis]:
    async with aclosing(open_redis(ProcessSettings(redis_url=cluster_url, redis_cluster=True))) as client:
        yield client


async def fill_pool(redis: Redis) -> None:
    """Use as many connections as commands wait at the same time."""
    answers = await asyncio.gather(*(redis.blpop([f"nothing-{number}"], timeout=0.2) for number in range(8)))
    assert answers == [None] * 8


async def test_no_pooled_connection_fails_after_redis_was_restarted(tmp_path: Path) -> None:
    with alive(KillableRedis(tmp_path)) as server:
        async with aclosing(open_redis(ProcessSettings(redis_url=server.url))) as redis:
            await fill_pool(redis)
            server.kill()
            await asyncio.to_thread(server.start)
            await fill_pool(redis)


async def test_a_command_is_sent_once_even_when_its_connection_is_lost(tmp_path: Path) -> None:
    received, answers = 0, {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"SETINFO": b"+OK\r\n", b"PING": b"+PONG\r\n"}

    async def count_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal received
        while data := await reader.read(65536):
            if b"INCR" in data:
                received += 1
                break
            writer.write(b"".join(answer * data.count(name) for name, answer in answers.items()))
        writer.close()

    server = await asyncio.start_server(count_and_hang_up, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    async with server, aclosing(open_redis(ProcessSettings(redis_url=url))) as redis:
        with pytest.raises(RedisConnectionError):
            await redis.incr("counter")
    assert received == 1


async def test_a_cluster_without_its_setting_is_refused_in_one_line(cluster_url: str) -> None:
    with pytest.raises(MisuseError, match="is a node of a cluster; set REDIS_CLUSTER=true"):
        await connect_redis(ProcessSettings(redis_url=cluster_url))


async def test_a_single_server_is_no_cluster(redis_url: str) -> None:
    with pytest.raises(MisuseError, match="is no cluster; leave REDIS_CLUSTER out"):
        await connect_redis(ProcessSettings(redis_url=redis_url, redis_cluster=True))


async def test_a_worker_that_is_told_so_delivers_events_on_a_cluster(
    cluster: Redis, cluster_url: str, temporal_server: str
) -> None:
    settings = ProcessSettings(redis_url=cluster_url, redis_cluster=True, temporal_address=temporal_server)
    client = await connect_both(settings, cluster, identity="cluster")
    assert await redis_check(cluster)() == (True, "answers")
    ingress = build_ingress(cluster, client, QUICK, identity=str(uuid.uuid4()), registry=CollectorRegistry())
    stop = asyncio.Event()
    async with Worker(client, task_queue=AUTHORED_QUEUE, workflows=[OneEventRun]):
        working = asyncio.create_task(ingress.run(stop))
        try:
            for tenant in TENANTS:
                assert await started_and_resumed(cluster, client, tenant)
        finally:
            stop.set()
            await working


async def started_and_resumed(redis: Redis, client: Client, tenant: str) -> bool:
    """One event starts a run of the tenant, a second one resumes it."""
    ticket = {"ticketId": "T-1"}
    await publish_workflow(redis, "follow-up", "CREATED", tenant=tenant)
    created = await settled(redis, await publish(redis, new_event("CREATED", ticket, tenant=tenant)), tenant=tenant)
    run_id = created.targets[0].run_id
    await WaitIndex(redis).register(Wait(tenant, run_id, "w", "CLOSED", "T-1"), since="wait")
    closed = new_event("CLOSED", ticket, tenant=tenant)
    await publish(redis, closed)
    result = await client.get_workflow_handle(run_workflow_id(run_id), result_type=dict).result()
    return bool(result["event"]["eventId"] == closed.event_id)
