"""Starting runs: once per id, in order of arrival, within the limit, whoever dies."""

import asyncio

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT, published, record, run_row

from workflow_runtime.core.errors import ActionFailure, Category
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.errors import ArchivedError, NotFoundError
from workflow_runtime.store.runs import RunRow, Runs
from workflow_runtime.store.tasks import TaskRow, Tasks
from workflow_runtime.store.waits import Wait, WaitIndex

pytestmark = pytest.mark.also_on_valkey


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def runs(redis_client: Redis, clock: HandClock) -> Runs:
    return Runs(redis_client, clock=clock)


@pytest.fixture
async def catalog(redis_client: Redis) -> Catalog:
    catalog = Catalog(redis_client)
    await published(catalog)
    return catalog


def ids(rows: tuple[RunRow, ...]) -> list[str]:
    return [row.run_id for row in rows]


async def ended(runs: Runs, run_id: str) -> None:
    await runs.apply_projections(TENANT, run_id, [record(1, "run", run_id, status="SUCCEEDED")])


async def test_a_created_run_is_read_back_as_it_was(runs: Runs, redis_client: Redis) -> None:
    payload: dict[str, object] = {
        "empty": [],
        "nothing": None,
        "number": 1.5,
        "text": "žlutý \ud800",
        "deep": {"a": {}},
    }
    row = run_row("r1", payload=payload, trigger_type="event", trigger_event_id="e1", root_run_id="r0")
    assert await runs.create_run(row)
    stored = await runs.get_run(TENANT, "r1")
    assert stored is not None
    now = "2026-01-01T00:00:00.000Z"
    assert stored == row.model_copy(update={"payload": None, "created_at": now, "updated_at": now})
    assert await runs.payload(TENANT, "r1") == payload
    assert await known_tenants(redis_client) == (TENANT,)


async def test_creating_a_run_again_changes_nothing(runs: Runs) -> None:
    await runs.create_run(run_row("r1", payload="first"))
    assert not await runs.create_run(run_row("r1", payload="second", workflow_version=9))
    stored = await runs.get_run(TENANT, "r1")
    assert stored is not None
    assert (stored.workflow_version, await runs.payload(TENANT, "r1")) == (1, "first")


async def test_a_start_without_limit_goes_on_at_once(runs: Runs, catalog: Catalog) -> None:
    admission = await runs.admit(run_row("r1"))
    assert (admission.state, admission.created) == ("admitted", True)
    assert await runs.active_count(TENANT, "follow-up") == 1


async def test_admitting_again_tells_what_became_of_the_start(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    for run_id in ("r1", "r2"):
        await runs.admit(run_row(run_id))
    again = [await runs.admit(run_row(run_id)) for run_id in ("r1", "r2")]
    assert [(found.state, found.created) for found in again] == [("admitted", False), ("queued", False)]
    await ended(runs, "r1")
    assert (await runs.admit(run_row("r1"))).state == "ended"


async def test_an_unknown_workflow_takes_no_start(runs: Runs) -> None:
    with pytest.raises(NotFoundError, match="'follow-up' of tenant 'acme'"):
        await runs.admit(run_row("r1"))
    assert await runs.get_run(TENANT, "r1") is None


async def test_an_archived_workflow_takes_no_start_but_finishes_its_queue(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    await runs.admit(run_row("r1"))
    await runs.admit(run_row("r2"))
    await catalog.archive(TENANT, "follow-up")
    with pytest.raises(ArchivedError):
        await runs.admit(run_row("r3"))
    await ended(runs, "r1")
    assert ids(await runs.release(TENANT, "follow-up", "r1")) == ["r2"]


async def test_starts_above_the_limit_wait_and_go_on_in_order(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 2)
    states = [(await runs.admit(run_row(f"r{number}"))).state for number in range(5)]
    assert states == ["admitted", "admitted", "queued", "queued", "queued"]
    waiting = await runs.get_run(TENANT, "r2")
    assert waiting is not None
    assert (waiting.status, waiting.queued_reason) == ("WAITING", "concurrency")
    await ended(runs, "r1")
    (released,) = await runs.release(TENANT, "follow-up", "r1")
    assert (released.run_id, released.status, released.queued_reason) == ("r2", "RUNNING", None)
    assert ids(await runs.waiting_starts(TENANT, "follow-up")) == ["r3", "r4"]


async def test_a_start_does_not_overtake_those_that_wait(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    for run_id in ("r1", "r2"):
        await runs.admit(run_row(run_id))
    await ended(runs, "r1")
    assert (await runs.admit(run_row("r3"))).state == "queued"
    assert ids(await runs.release(TENANT, "follow-up", "r1")) == ["r2"]


async def test_a_paused_workflow_queues_and_resumes_in_order(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_paused(TENANT, "follow-up", True)
    for run_id in ("r2", "r1", "r3"):
        assert (await runs.admit(run_row(run_id))).state == "queued"
    assert await runs.admit_waiting(TENANT, "follow-up") == ()
    queued = await runs.get_run(TENANT, "r2")
    assert queued is not None
    assert queued.queued_reason == "paused"
    await catalog.set_paused(TENANT, "follow-up", False)
    assert ids(await runs.admit_waiting(TENANT, "follow-up")) == ["r2", "r1", "r3"]


async def test_a_raised_limit_lets_several_go_on(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    for number in range(4):
        await runs.admit(run_row(f"r{number}"))
    await catalog.set_concurrency_limit(TENANT, "follow-up", 3)
    assert ids(await runs.admit_waiting(TENANT, "follow-up")) == ["r1", "r2"]


async def test_many_at_once_never_exceed_the_limit_and_none_is_lost(
    runs: Runs, catalog: Catalog, redis_client: Redis
) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 3)
    other = Runs(redis_client)
    admitted = await asyncio.gather(*((runs, other)[number % 2].admit(run_row(f"r{number}")) for number in range(40)))
    assert sum(found.state == "admitted" for found in admitted) == 3
    launched = {f"r{number}" for number, found in enumerate(admitted) if found.state == "admitted"}
    running = set(launched)
    while running:
        assert len(running) <= 3
        run_id = running.pop()
        await ended(runs, run_id)
        answers = await asyncio.gather(*(store.release(TENANT, "follow-up", run_id) for store in (runs, other)))
        freed = [row.run_id for answer in answers for row in answer]
        assert len(freed) == len(set(freed))
        running |= set(freed)
        launched |= set(freed)
    assert launched == {f"r{number}" for number in range(40)}


async def test_children_take_no_slot(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    await runs.admit(run_row("r1"))
    await runs.create_run(run_row("r2", parent_run_id="r1"))
    assert await runs.active_count(TENANT, "follow-up") == 1
    assert await runs.children(TENANT, "r1") == ("r2",)


async def test_cancelling_a_waiting_start_takes_it_out_of_the_queue(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_paused(TENANT, "follow-up", True)
    for run_id in ("r1", "r2"):
        await runs.admit(run_row(run_id))
    assert await runs.finish_run(TENANT, "r1", "CANCELED")
    assert not await runs.finish_run(TENANT, "r1", "FAILED")
    await catalog.set_paused(TENANT, "follow-up", False)
    assert ids(await runs.admit_waiting(TENANT, "follow-up")) == ["r2"]


async def test_a_launch_that_failed_for_good_frees_its_slot(runs: Runs, catalog: Catalog) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    for run_id in ("r1", "r2"):
        await runs.admit(run_row(run_id))
    failure = ActionFailure("no such namespace", code="LAUNCH").to_failure()
    await runs.finish_run(TENANT, "r1", "FAILED", error=failure)
    row = await runs.get_run(TENANT, "r1")
    assert row is not None
    assert row.error is not None
    assert (row.status, row.error.category, row.error.code) == ("FAILED", Category.ACTION, "LAUNCH")
    assert ids(await runs.release(TENANT, "follow-up", "r1")) == ["r2"]


async def test_finishing_an_unknown_run_is_refused(runs: Runs) -> None:
    with pytest.raises(NotFoundError, match="run 'nobody'"):
        await runs.finish_run(TENANT, "nobody", "FAILED")


async def test_starts_left_behind_by_a_dead_process_are_found(runs: Runs, catalog: Catalog, clock: HandClock) -> None:
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    for run_id in ("never-launched", "waiting"):
        await runs.admit(run_row(run_id))
    await runs.create_run(run_row("launched", parent_run_id="never-launched"))
    await runs.mark_launched(TENANT, "launched")
    await runs.create_run(run_row("projected", parent_run_id="never-launched"))
    await runs.apply_projections(TENANT, "projected", [record(1, "run", "projected", status="RUNNING")])
    assert await runs.recover_starts(TENANT, clock.now) == ()
    assert ids(await runs.recover_starts(TENANT, clock.advance(seconds=1))) == ["never-launched"]
    await ended(runs, "never-launched")
    assert ids(await runs.recover_starts(TENANT, clock.now)) == ["waiting"]


async def test_tenants_do_not_share_queues(runs: Runs, catalog: Catalog) -> None:
    await catalog.publish("other", "follow-up", 1, {"id": "follow-up"}, action_queues={})
    await catalog.set_concurrency_limit(TENANT, "follow-up", 1)
    await runs.admit(run_row("r1"))
    assert (await runs.admit(run_row("r1", tenant_id="other"))).state == "admitted"
    assert (await runs.list_runs("third")).runs == ()


async def test_a_run_that_left_nothing_frees_its_slot_in_one_call(runs: Runs, catalog: Catalog) -> None:
    await runs.admit(run_row("r1"))
    assert await runs.active_count(TENANT, run_row("r1").workflow_id) == 1
    assert await runs.leaves_nothing(TENANT, run_row("r1").workflow_id, "r1")
    assert await runs.active_count(TENANT, run_row("r1").workflow_id) == 0


async def test_a_waiting_start_a_wait_and_a_task_are_left_to_be_cleared(
    runs: Runs, catalog: Catalog, redis_client: Redis
) -> None:
    workflow_id = run_row("r1").workflow_id
    await WaitIndex(redis_client).register(Wait(TENANT, "r1", "w", "PAID", "7"))
    await Tasks(redis_client).open(
        TaskRow(task_id="t", tenant_id=TENANT, run_id="r2", wait_id="w", step_path="p", task_type="ask", title="Ask")
    )
    await catalog.set_paused(TENANT, workflow_id, True)
    assert [await runs.leaves_nothing(TENANT, workflow_id, run_id) for run_id in ("r1", "r2", "r3")] == [
        False,
        False,
        True,
    ]
    assert (await runs.admit(run_row("r4"))).state == "queued"
    assert not await runs.leaves_nothing(TENANT, workflow_id, "r3")


async def test_row_and_payload_are_read_together(runs: Runs, redis_client: Redis) -> None:
    await runs.create_run(run_row("r1", payload={"a": 1}))
    assert await runs.with_payload(TENANT, "r1") == (await runs.get_run(TENANT, "r1"), {"a": 1})
    assert await runs.with_payload(TENANT, "r2") is None
    await redis_client.delete(f"wf:{{{TENANT}}}:run:r1:payload")
    with pytest.raises(NotFoundError):
        await runs.with_payload(TENANT, "r1")
