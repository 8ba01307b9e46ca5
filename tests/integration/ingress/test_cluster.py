"""The same code on a Redis Cluster of three nodes: every key of a script shares a slot."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import new_event, publish_workflow, running, settled
from tests.fixtures.servers import running_redis_cluster

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.events import (
    DeadLetters,
    EventIntake,
    Wait,
    accept_event,
    explain,
    publish,
    tenants_of_event,
)
from workflow_runtime.store.waits import WaitIndex

TENANTS = [f"tenant-{number}" for number in range(8)]
"""Enough of them to live on every node."""


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis_cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
async def cluster(cluster_url: str) -> AsyncIterator[Redis]:
    async with RedisCluster.from_url(cluster_url, decode_responses=True) as client:
        yield cast(Any, client)


async def test_events_start_and_resume_runs_of_tenants_on_every_node(cluster: Redis) -> None:
    gateway = RunGatewayFake(live={f"waiting-{tenant}" for tenant in TENANTS})
    intake = EventIntake(cluster)
    async with running(cluster, gateway):
        for tenant in TENANTS:
            await publish_workflow(cluster, "follow-up", "CREATED", tenant=tenant)
            wait = Wait(tenant, f"waiting-{tenant}", "w", "CLOSED", "T-1")
            assert await WaitIndex(cluster).register(wait) == ()
            created = await publish(cluster, new_event("CREATED", {"ticketId": "T-1"}, tenant=tenant))
            closed = await accept_event(cluster, intake, new_event("CLOSED", {"ticketId": "T-1"}, tenant=tenant))
            for event_id in (created, closed.event_id):
                await settled(cluster, event_id, tenant=tenant)
            assert (await explain(cluster, tenant, closed.event_id)).targets[0].status == "DELIVERED"
            assert await WaitIndex(cluster).resolve(tenant, wait.run_id, "w", event_id=closed.event_id)
    assert {start.tenant_id for start in gateway.started.values()} == set(TENANTS)
    assert {run_id for run_id, _ in gateway.signalled} == gateway.live


async def test_a_malformed_message_is_buried_and_redriven_across_nodes(cluster: Redis) -> None:
    letters = DeadLetters(cluster)
    await cluster.xadd(EVENT_STREAM, {"event_id": "none"})
    last = new_event("UNHEARD")
    async with running(cluster, RunGatewayFake()):
        await publish(cluster, last)
        await settled(cluster, last.event_id)
    [letter] = await letters.list()
    await letters.redrive(letter.id, actor="ann")
    assert await letters.count() == 0
    assert len(await letters.audit()) == 1


async def test_a_message_of_very_many_fields_is_buried_across_nodes(cluster: Redis) -> None:
    letters, pairs = DeadLetters(cluster), [(b"name-%d" % number, b"") for number in range(9_000)]
    letter_id = await letters.add(pairs, reason="r", attempts=1, source="s")
    assert await letters.add(pairs, reason="r", attempts=1, source="s") == letter_id
    assert (await letters.show(letter_id)).pairs == tuple(pairs)
    await letters.drop(letter_id, actor="ann")
    for tenant in TENANTS:
        event = await accept_event(cluster, EventIntake(cluster), new_event("UNHEARD", tenant=tenant))
        assert await letters.retry(tenant, event.event_id, actor="ann") == ()
        assert await tenants_of_event(cluster, TENANTS, event.event_id) == (tenant,)
