"""Every store on a real three-node cluster: scripts find all their keys on one node, whichever tenant it is."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import cast

import pytest
from redis.asyncio import Redis, RedisCluster
from tests.fakes.clock import HandClock
from tests.fixtures.servers import running_redis_cluster
from tests.integration.store.builders import AT, action_request, definition, record, run_row, task_row

from workflow_runtime.core.actions import ActionSpec
from workflow_runtime.store.action_registry import ActionRegistry
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.key_values import KeyValues
from workflow_runtime.store.ledger import ActionLedger, LedgerVerdict
from workflow_runtime.store.links import EntityRef, Links
from workflow_runtime.store.notifications import Notification, Notifications
from workflow_runtime.store.restoring import RestoredRun, RunRestorer
from workflow_runtime.store.retention import Retention
from workflow_runtime.store.runs import Runs
from workflow_runtime.store.schemas import Schemas
from workflow_runtime.store.tasks import Tasks

TENANTS = ("acme", "globex", "initech", "umbrella", "hooli")


@pytest.fixture(scope="module")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis_cluster(tmp_path_factory.mktemp("cluster")) as url:
        yield url


@pytest.fixture
async def cluster(cluster_url: str) -> AsyncIterator[Redis]:
    async with RedisCluster.from_url(cluster_url, decode_responses=True) as client:
        await client.flushall(target_nodes=RedisCluster.PRIMARIES)
        yield cast(Redis, client)


async def test_tenants_are_spread_and_known(cluster: Redis) -> None:
    schemas = Schemas(cluster)
    for tenant in TENANTS:
        await schemas.put_schema(tenant, "payload.X.v1", {})
        await schemas.put_event(tenant, "X", "payload.X.v1")
    assert await known_tenants(cluster) == tuple(sorted(TENANTS))
    nodes = {cast(RedisCluster, cluster).get_node_from_key(f"wf:{{{tenant}}}:schemas") for tenant in TENANTS}
    assert len(nodes) > 1


@pytest.mark.parametrize("tenant", TENANTS)
async def test_runs_and_catalog(cluster: Redis, tenant: str) -> None:
    catalog, clock = Catalog(cluster), HandClock()
    runs = Runs(cluster, clock=clock)
    source = definition("w", trigger={"type": "event", "eventName": "E"})
    await catalog.save_draft(tenant, "w", source, key="w")
    await catalog.publish(tenant, "w", 1, source, action_queues={})
    await catalog.set_concurrency_limit(tenant, "w", 1)
    assert [found.workflow_id for found in await catalog.triggers_for_event(tenant, "E")] == ["w"]
    for run_id in ("r1", "r2"):
        await runs.admit(run_row(run_id, tenant_id=tenant, workflow_id="w"))
    await runs.create_run(run_row("child", tenant_id=tenant, workflow_id="other", parent_run_id="r1"))
    end = [record(1, "step", "s#1", status="SUCCEEDED"), record(2, "run", "r1", status="SUCCEEDED")]
    assert (await runs.apply_projections(tenant, "r1", end)).applied == 2
    assert [row.run_id for row in await runs.release(tenant, "w", "r1")] == ["r2"]
    assert [row.run_id for row in (await runs.list_runs(tenant, workflow_id="w")).runs] == ["r2", "r1"]
    row = run_row("r1", tenant_id=tenant, workflow_id="w", created_at=AT)
    await RunRestorer(cluster).restore(RestoredRun(row, tuple(end), executing=False, with_payload=False))
    await RunRestorer(cluster).restore_task(task_row("t1", tenant_id=tenant, created_at=AT))
    detail = await runs.run_detail(tenant, "r1")
    assert detail is not None
    assert (detail.child_run_ids, len(detail.steps)) == (("child",), 1)
    await runs.finish_run(tenant, "child", "CANCELED")
    assert [row.run_id for row in await runs.recover_starts(tenant, clock.advance(days=1))] == ["r2"]
    clock.advance(days=1)
    assert await Retention(cluster, clock=clock).prune_runs(tenant, 1) == 2
    assert (await runs.count_by_status(tenant))["RUNNING"] == 1
    await catalog.archive(tenant, "w")
    await catalog.restore(tenant, "w")
    assert len((await catalog.list_workflows(tenant)).workflows) == 1


@pytest.mark.parametrize("tenant", TENANTS)
async def test_ledger_tasks_and_registry(cluster: Redis, tenant: str) -> None:
    ledger, tasks, registry = ActionLedger(cluster), Tasks(cluster), ActionRegistry(cluster)
    request = action_request()
    request = request.model_copy(update={"context": request.context.model_copy(update={"tenant_id": tenant})})
    for verdict in (LedgerVerdict.FRESH, LedgerVerdict.UNKNOWN):
        assert (await ledger.begin(request, side_effectful=True))[0] is verdict
    assert await ledger.succeed(request, {"ok": []}) == {"ok": []}
    await tasks.open(task_row("t1", tenant_id=tenant))
    await tasks.complete(tenant, "t1", {})
    assert len((await tasks.list_tasks(tenant, status="COMPLETED")).tasks) == 1
    spec = ActionSpec(id="a", version=1, input_schema=True, output_schema=True, side_effectful=False, task_queue="q")
    await registry.register(tenant, spec)
    assert await registry.list_actions(tenant) == (spec,)


@pytest.mark.parametrize("tenant", TENANTS)
async def test_key_values_links_and_notifications(cluster: Redis, tenant: str) -> None:
    store, links = KeyValues(cluster), Links(cluster)
    clock = HandClock()
    notifications = Notifications(cluster, clock=clock)
    await store.set(tenant, "ns", "k", 1, ttl=timedelta(hours=1), operation="op")
    assert (await store.increment(tenant, "ns", "k", operation="op-2")).value == 2
    assert [item.key for item in (await store.list_entries(tenant, "ns")).items] == ["k"]
    assert await store.delete(tenant, "ns", "k")
    left, right = EntityRef(type="t", id="1"), EntityRef(type="t", id="2")
    await links.upsert(tenant, "ns", left, right)
    assert len(await links.lookup(tenant, "ns", left, direction="either")) == 1
    assert await links.delete(tenant, "ns", right=right) == 1
    (id_,) = await notifications.send(tenant, ["ann"], Notification(title="t", body="b"), operation="op")
    assert await notifications.mark_read(tenant, "ann", id_)
    assert await notifications.prune(tenant, clock.advance(days=1)) == 1
