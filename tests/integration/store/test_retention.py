"""Retention: what goes at which age, and that nothing of it is left."""

from typing import Any

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT, action_request, published, record, run_row, task_row

from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.errors import NotFoundError
from workflow_runtime.store.ledger import ActionLedger
from workflow_runtime.store.notifications import Notification, Notifications
from workflow_runtime.store.retention import Removed, Retention
from workflow_runtime.store.runs import Runs
from workflow_runtime.store.tasks import Tasks
from workflow_runtime.store.waits import Wait, WaitIndex

pytestmark = pytest.mark.also_on_valkey


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def runs(redis_client: Redis, clock: HandClock) -> Runs:
    return Runs(redis_client, clock=clock)


@pytest.fixture
def retention(redis_client: Redis, clock: HandClock) -> Retention:
    return Retention(redis_client, clock=clock)


async def ended(runs: Runs, run_id: str, **fields: Any) -> None:
    await runs.create_run(run_row(run_id, **fields))
    await runs.finish_run(TENANT, run_id, "FAILED")


async def left(runs: Runs) -> list[str]:
    return sorted(row.run_id for row in (await runs.list_runs(TENANT)).runs)


async def keeping(redis: Redis, workflow_id: str, override: Any) -> None:
    catalog = Catalog(redis)
    await published(catalog, workflow_id)
    await catalog.change_settings(TENANT, workflow_id, {"retention_policy_override": override})


async def test_no_key_of_an_old_run_is_left(
    runs: Runs, retention: Retention, clock: HandClock, redis_client: Redis
) -> None:
    await published(Catalog(redis_client))
    before = set(await redis_client.keys())
    await runs.admit(run_row("old", payload={"a": 1}))
    await runs.create_run(run_row("child", parent_run_id="old"))
    ledger, tasks = ActionLedger(redis_client), Tasks(redis_client)
    await ledger.begin(action_request("acme:old:root:mail.send:1:ff", run_id="old"), side_effectful=True)
    await WaitIndex(redis_client).register(Wait(TENANT, "old", "w1", "TicketClosed", "42"))
    for task_id in ("t1", "t2"):
        await tasks.open(task_row(task_id, run_id="old"))
    await tasks.complete(TENANT, "t1", {"ok": True})
    for run_id in ("child", "old"):
        end = record(1, "run", run_id, status="SUCCEEDED", endedAt="2026-01-02T00:00:00Z")
        await runs.apply_projections(TENANT, run_id, [end])
    clock.advance(days=8)
    assert await retention.prune_runs(TENANT, 7) == 0
    clock.advance(seconds=1)
    assert await retention.prune_runs(TENANT, 7) == 2
    assert set(await redis_client.keys()) == before
    with pytest.raises(NotFoundError, match="payload of run 'old'"):
        await runs.payload(TENANT, "old")


async def test_runs_that_have_not_ended_or_ended_later_stay(runs: Runs, retention: Retention, clock: HandClock) -> None:
    for run_id in ("running", "recent"):
        await runs.create_run(run_row(run_id))
    await ended(runs, "old")
    clock.advance(days=40)
    await runs.finish_run(TENANT, "recent", "FAILED")
    assert await retention.prune_runs(TENANT, 30) == 1
    assert await left(runs) == ["recent", "running"]


async def test_a_workflow_keeps_its_runs_as_long_as_its_own_override_says(
    runs: Runs, retention: Retention, clock: HandClock, redis_client: Redis
) -> None:
    await keeping(redis_client, "short", {"days": 2})
    await keeping(redis_client, "long", {"days": 300})
    for number in range(3):
        for workflow_id in ("short", "long", "usual"):
            await ended(runs, f"{workflow_id}-{number}", workflow_id=workflow_id)
        clock.advance(days=20)
    assert await retention.prune_runs(TENANT, 30) == 3 + 2
    assert await left(runs) == ["long-0", "long-1", "long-2", "usual-2"]
    clock.advance(days=241)
    assert await retention.prune_runs(TENANT, 30) == 1 + 1
    assert await left(runs) == ["long-1", "long-2"]


async def test_a_run_that_took_long_is_kept_from_its_end_on(
    runs: Runs, retention: Retention, clock: HandClock, redis_client: Redis
) -> None:
    await keeping(redis_client, "follow-up", {"days": 2})
    await runs.create_run(run_row("slow"))
    await Tasks(redis_client).open(task_row("t1", run_id="slow"))
    clock.advance(days=10)
    await runs.finish_run(TENANT, "slow", "CANCELED")
    assert await retention.prune_runs(TENANT, 1) == 0
    assert await Tasks(redis_client).get(TENANT, "t1") is not None
    clock.advance(days=3)
    assert await retention.prune_runs(TENANT, 1) == 1


@pytest.mark.parametrize("override", [None, {}, {"days": 0}, {"days": "7"}, {"months": 1}, "7 days", True])
async def test_an_override_that_names_no_days_changes_nothing(
    runs: Runs, retention: Retention, clock: HandClock, redis_client: Redis, override: Any
) -> None:
    await keeping(redis_client, "follow-up", override)
    await ended(runs, "r1")
    clock.advance(days=20)
    assert await retention.prune_runs(TENANT, 30) == 0
    clock.advance(days=20)
    assert await retention.prune_runs(TENANT, 30) == 1


async def test_more_runs_than_a_page_go_in_one_call(runs: Runs, retention: Retention, clock: HandClock) -> None:
    for number in range(1_050):
        await ended(runs, f"r{number}")
    clock.advance(days=2)
    assert await retention.prune_runs(TENANT, 1) == 1_050


async def test_a_pruned_run_does_not_come_back_with_a_late_record(
    runs: Runs, retention: Retention, clock: HandClock
) -> None:
    await ended(runs, "r1")
    clock.advance(days=2)
    await retention.prune_runs(TENANT, 1)
    await runs.apply_projections(TENANT, "r1", [record(1, "run", "r1", status="RUNNING")], workflow_id="follow-up")
    assert await runs.get_run(TENANT, "r1") is None
    assert await left(runs) == []


async def test_runs_and_notifications_go_at_their_own_ages(
    runs: Runs, retention: Retention, clock: HandClock, redis_client: Redis
) -> None:
    await ended(runs, "r1")
    hello = Notification(title="t", body="b")
    await Notifications(redis_client, clock=clock).send(TENANT, ["ann", "bob"], hello, operation="op")
    clock.advance(days=10)
    assert await retention.prune(TENANT, run_days=20, notification_days=5) == Removed(runs=0, notifications=2)
    assert await retention.prune(TENANT, run_days=5, notification_days=5) == Removed(runs=1, notifications=0)


async def test_another_tenant_keeps_what_it_has(runs: Runs, retention: Retention, clock: HandClock) -> None:
    await ended(runs, "r1")
    clock.advance(days=10)
    assert await retention.prune_runs("globex", 1) == 0
    assert await left(runs) == ["r1"]
