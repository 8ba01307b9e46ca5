"""Runs and tasks put back in place of whatever stands there, while others go on writing to them."""

import random
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.fixtures.snapshots import projections
from tests.integration.store.builders import AT, TENANT, published, record, run_row, task_row

from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.restoring import Ended, RestoredRun, RunRestorer
from workflow_runtime.store.runs import RunRow, Runs
from workflow_runtime.store.tasks import Tasks

pytestmark = pytest.mark.also_on_valkey

LATER = "2026-01-01T00:01:00.000Z"
ERROR = {"category": "ActionError", "code": "E42", "message": "no"}
ROW = run_row("r1", created_at=AT, updated_at=AT, payload={"n": 1})
ROW_KEY = f"wf:{{{TENANT}}}:run:r1"


def story() -> list[ProjectionRecord]:
    return [
        record(1, "run", "r1", status="RUNNING", startedAt=AT, currentStepPath="root.steps[0]"),
        record(2, "step", "root.steps[0]#1", status="STARTED", stepId="a", itemIndexes=[]),
        record(3, "wait", "w1", type="event", status="WAITING"),
        record(4, "run", "r1", status="WAITING", currentWait="w1", currentStepPath="root.steps[0]"),
        record(5, "wait", "w1", status="RESOLVED", eventId="e1"),
        record(6, "run", "r1", status="RUNNING", currentWait=None),
        record(7, "run", "r1", status="FAILED", error=ERROR, stepCount=3, currentStepPath="x", endedAt=LATER, at=LATER),
    ]


@pytest.fixture
async def runs(redis_client: Redis) -> Runs:
    runs = Runs(redis_client, clock=HandClock())
    await published(Catalog(redis_client))
    await runs.admit(ROW)
    return runs


def restored(count: int = 7, **fields: Any) -> RestoredRun:
    return RestoredRun(ROW, tuple(story()[:count]), executing=count < 7, **fields)


@pytest.mark.parametrize("count", range(1, 8))
async def test_a_run_restored_at_any_point_is_what_applying_its_records_made(
    runs: Runs, redis_client: Redis, count: int
) -> None:
    await runs.apply_projections(TENANT, "r1", story()[:count])
    before = await projections(redis_client, TENANT)
    assert await RunRestorer(redis_client).restore(restored(count)) is False
    assert await projections(redis_client, TENANT) == before
    for key in [key async for key in redis_client.scan_iter(f"wf:{{{TENANT}}}:run*")]:
        await redis_client.delete(key)
    assert await RunRestorer(redis_client).restore(restored(count)) is True
    assert await projections(redis_client, TENANT) == before


async def test_restoring_folds_any_records_as_applying_them_does(runs: Runs, redis_client: Redis) -> None:
    chance = random.Random(7)
    fields: dict[str, list[Any]] = {
        "status": ["RUNNING", "WAITING"],
        "currentStepPath": ["a", None],
        "currentWait": ["w", None],
    }
    fields |= {"stepCount": [0, 1, None], "error": [ERROR, None], "startedAt": [AT, None]}
    for number in range(60):
        row = run_row(f"any-{number}", created_at=AT, updated_at=AT, payload=None)
        some: list[dict[str, Any]] = [
            {name: chance.choice(values) for name, values in fields.items() if chance.random() < 0.5}
            for _ in range(chance.randrange(1, 12))
        ]
        for change in some[chance.randrange(len(some)) :]:
            change |= {"status": chance.choice(["SUCCEEDED", "CANCELED"])} if chance.random() < 0.3 else {}
        records = [record(seq, "run", row.run_id, **change) for seq, change in enumerate(some, start=1)]
        await runs.admit(row)
        await runs.apply_projections(TENANT, row.run_id, records)
        over = any(change.get("status") in ("SUCCEEDED", "CANCELED") for change in some)
        run = RestoredRun(row, tuple(records), executing=not over)
        assert await RunRestorer(redis_client).restore(run) is False, records


async def test_a_damaged_row_and_its_places_in_the_indexes_are_put_right(runs: Runs, redis_client: Redis) -> None:
    await runs.apply_projections(TENANT, "r1", story())
    before = await projections(redis_client, TENANT)
    damage = {"status": "WAITING", "seq": "99", "createdAt": LATER, "indexMember": "000000000000001:r1", "x": "y"}
    await cast(Any, redis_client).hset(ROW_KEY, mapping=damage)
    for index in ("runs", "runs:status:WAITING", "runs:workflow:follow-up"):
        await redis_client.zadd(f"wf:{{{TENANT}}}:{index}", {"000000000000001:r1": 0})
    await redis_client.zadd(f"{ROW_KEY}:records", {"no record": 50})
    await redis_client.sadd(f"wf:{{{TENANT}}}:workflow:follow-up:active", "r1")
    assert await RunRestorer(redis_client).restore(restored()) is True
    assert await projections(redis_client, TENANT) == before


async def test_where_a_run_begins_in_the_order_of_events_stays(runs: Runs, redis_client: Redis) -> None:
    await cast(Any, redis_client).hset(f"{ROW_KEY}:ledger", "eventsFrom", "17")
    await redis_client.delete(ROW_KEY)
    await RunRestorer(redis_client).restore(restored())
    assert await cast(Any, redis_client).hget(f"{ROW_KEY}:ledger", "eventsFrom") == "17"


async def test_what_a_living_run_wrote_since_stays_and_it_goes_on(runs: Runs, redis_client: Redis) -> None:
    await runs.apply_projections(TENANT, "r1", story()[:6])
    before = await projections(redis_client, TENANT)
    await RunRestorer(redis_client).restore(restored(3))
    assert await projections(redis_client, TENANT) == before
    await runs.apply_projections(TENANT, "r1", story())
    row = await runs.get_run(TENANT, "r1")
    assert row is not None
    assert (row.status, row.seq) == ("FAILED", 7)


async def test_records_after_a_gap_do_not_keep_a_run_from_going_on(runs: Runs, redis_client: Redis) -> None:
    await runs.apply_projections(TENANT, "r1", story()[:3])
    await runs.apply_projections(TENANT, "r1", [record(1000, "log", "1000", message="not of this run")])
    await RunRestorer(redis_client).restore(restored(4))
    applied = await runs.apply_projections(TENANT, "r1", story())
    assert (applied.applied, applied.last_seq) == (3, 7)


async def test_a_write_between_reading_and_restoring_is_seen(
    runs: Runs, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    restorer = RunRestorer(redis_client)
    lay_out = restorer._lay_out
    writes = [story()[:5], story()[:6]]

    async def meanwhile(*given: Any) -> None:
        if writes:
            await runs.apply_projections(TENANT, "r1", writes.pop(0))
        await lay_out(*given)

    monkeypatch.setattr(restorer, "_lay_out", meanwhile)
    await restorer.restore(restored(4))
    row = await runs.get_run(TENANT, "r1")
    assert row is not None
    assert row.seq == 6
    assert [key async for key in redis_client.scan_iter(f"{ROW_KEY}:records:*")] == []


async def test_an_end_that_no_record_tells_is_that_of_finish_run(runs: Runs, redis_client: Redis) -> None:
    failure = Failure(category=Category.CORRUPTION, message="no", at=LATER)
    await runs.apply_projections(TENANT, "r1", story()[:4])
    await runs.finish_run(TENANT, "r1", "FAILED", error=failure, at=LATER)
    before = await projections(redis_client, TENANT)
    ended = Ended("FAILED", LATER, failure)
    assert await RunRestorer(redis_client).restore(RestoredRun(ROW, tuple(story()[:4]), False, ended)) is False
    assert await projections(redis_client, TENANT) == before


async def test_an_executing_run_takes_its_slot_again_and_a_child_none(runs: Runs, redis_client: Redis) -> None:
    await redis_client.delete(f"wf:{{{TENANT}}}:workflow:follow-up:active")
    await RunRestorer(redis_client).restore(restored(4))
    assert await runs.active_count(TENANT, "follow-up") == 1
    child: RunRow = run_row("child", created_at=AT, parent_run_id="r1", root_run_id="r1")
    await RunRestorer(redis_client).restore(RestoredRun(child, (), executing=True))
    assert await runs.active_count(TENANT, "follow-up") == 1
    assert await runs.children(TENANT, "r1") == ("child",)


async def test_a_payload_that_is_not_known_stays(runs: Runs, redis_client: Redis) -> None:
    row = ROW.model_copy(update={"payload": None})
    await RunRestorer(redis_client).restore(RestoredRun(row, (), executing=True, with_payload=False))
    assert await runs.payload(TENANT, "r1") == {"n": 1}


async def test_a_task_is_put_back_with_all_its_places(redis_client: Redis) -> None:
    tasks = Tasks(redis_client, clock=HandClock())
    await tasks.open(task_row("t1", created_at=AT))
    await tasks.complete(TENANT, "t1", {"ok": True}, event_name="DONE", responded_by="ann", at=LATER)
    before = await projections(redis_client, TENANT)
    task = task_row("t1", created_at=AT, status="COMPLETED", response={"ok": True}, event_name="DONE", closed_at=AT)
    restorer = RunRestorer(redis_client)
    assert await restorer.restore_task(task) is False, "who responded and when is known to the row alone"
    assert await projections(redis_client, TENANT) == before

    await cast(Any, redis_client).hset(f"wf:{{{TENANT}}}:task:t1", "status", "OPEN")
    await redis_client.delete(f"wf:{{{TENANT}}}:tasks:status:COMPLETED")
    assert await restorer.restore_task(task.model_copy(update={"closed_at": LATER, "responded_by": "ann"})) is True
    assert await projections(redis_client, TENANT) == before
