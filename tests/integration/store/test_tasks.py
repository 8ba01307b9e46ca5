"""Human tasks: opened once, closed once, listed while they wait."""

import asyncio

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT, task_row

from workflow_runtime.store.errors import ConflictError, NotFoundError
from workflow_runtime.store.tasks import Tasks, TaskStatus

pytestmark = pytest.mark.also_on_valkey


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def tasks(redis_client: Redis, clock: HandClock) -> Tasks:
    return Tasks(redis_client, clock=clock)


async def listed(tasks: Tasks, status: TaskStatus | None = "OPEN") -> list[str]:
    return [row.task_id for row in (await tasks.list_tasks(TENANT, status=status)).tasks]


async def test_an_open_task_shows_everything(tasks: Tasks) -> None:
    row = task_row("t1", description="Please", context_data={"lines": [], "n": 1.5}, timeout_at="2026-02-01T00:00:00Z")
    assert await tasks.open(row)
    stored = await tasks.get(TENANT, "t1")
    assert stored == row.model_copy(update={"created_at": "2026-01-01T00:00:00.000Z"})
    assert await tasks.get(TENANT, "none") is None


async def test_opening_again_does_not_reopen(tasks: Tasks) -> None:
    await tasks.open(task_row("t1"))
    await tasks.complete(TENANT, "t1", {"ok": True})
    assert not await tasks.open(task_row("t1"))
    assert await listed(tasks) == []


async def test_a_completed_task_keeps_the_response(tasks: Tasks, clock: HandClock) -> None:
    await tasks.open(task_row("t1"))
    clock.advance(hours=1)
    row = await tasks.complete(TENANT, "t1", {"approved": True, "notes": []}, event_name="Approved", responded_by="ann")
    assert (row.status, row.response, row.event_name, row.responded_by, row.closed_at) == (
        "COMPLETED",
        {"approved": True, "notes": []},
        "Approved",
        "ann",
        "2026-01-01T01:00:00.000Z",
    )
    assert (await listed(tasks), await listed(tasks, "COMPLETED")) == ([], ["t1"])


@pytest.mark.parametrize("response", [None, {"ok": True}])
async def test_repeating_a_response_is_harmless_and_another_one_is_refused(tasks: Tasks, response: object) -> None:
    await tasks.open(task_row("t1"))
    first = await tasks.complete(TENANT, "t1", response)
    assert await tasks.complete(TENANT, "t1", response) == first
    with pytest.raises(ConflictError, match="completed with another response") as refused:
        await tasks.complete(TENANT, "t1", "other")
    assert refused.value.code == "TASK_CLOSED"
    assert not await tasks.time_out(TENANT, "t1")
    assert not await tasks.cancel(TENANT, "t1")
    assert (await tasks.get(TENANT, "t1")) == first


async def test_a_task_nobody_answered_in_time_takes_no_response(tasks: Tasks) -> None:
    await tasks.open(task_row("t1"))
    await tasks.open(task_row("t2"))
    assert await tasks.time_out(TENANT, "t1")
    assert await tasks.cancel(TENANT, "t2")
    with pytest.raises(ConflictError, match="task 't1' is timed out"):
        await tasks.complete(TENANT, "t1", {})
    with pytest.raises(ConflictError, match="task 't2' is canceled"):
        await tasks.complete(TENANT, "t2", {})
    assert (await listed(tasks, "TIMED_OUT"), await listed(tasks, "CANCELED")) == (["t1"], ["t2"])


async def test_of_answer_and_timeout_one_wins(tasks: Tasks) -> None:
    for number in range(20):
        await tasks.open(task_row(f"t{number}"))
        outcomes = await asyncio.gather(
            tasks.complete(TENANT, f"t{number}", {}), tasks.time_out(TENANT, f"t{number}"), return_exceptions=True
        )
        completed, timed_out = not isinstance(outcomes[0], ConflictError), outcomes[1] is True
        assert completed != timed_out


async def test_unknown_tasks_are_named(tasks: Tasks) -> None:
    for change in (tasks.complete(TENANT, "no", {}), tasks.time_out(TENANT, "no"), tasks.cancel(TENANT, "no")):
        with pytest.raises(NotFoundError, match="task 'no' of tenant 'acme'"):
            await change


async def test_lists_are_newest_first_and_come_in_pages(tasks: Tasks, clock: HandClock) -> None:
    for number in range(5):
        await tasks.open(task_row(f"t{number}", run_id=f"r{number % 2}"))
        clock.advance(minutes=1)
    first = await tasks.list_tasks(TENANT, limit=3)
    rest = await tasks.list_tasks(TENANT, limit=3, cursor=first.next_cursor)
    assert [row.task_id for row in (*first.tasks, *rest.tasks)] == ["t4", "t3", "t2", "t1", "t0"]
    assert rest.next_cursor is None
    assert [row.task_id for row in await tasks.of_run(TENANT, "r1")] == ["t3", "t1"]
    assert len(await listed(tasks, None)) == 5
