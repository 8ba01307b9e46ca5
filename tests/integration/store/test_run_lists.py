"""Lists of runs: every filter, pages without gaps, and retention that leaves nothing behind."""

from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT, action_request, published, record, run_row, task_row

from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.errors import NotFoundError
from workflow_runtime.store.ledger import ActionLedger
from workflow_runtime.store.runs import Runs, RunStatus
from workflow_runtime.store.tasks import Tasks
from workflow_runtime.store.waits import Wait, WaitIndex


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def runs(redis_client: Redis, clock: HandClock) -> Runs:
    return Runs(redis_client, clock=clock)


async def listed(runs: Runs, *, limit: int = 3, **filters: object) -> list[str]:
    """Ids from all pages of a list."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await runs.list_runs(TENANT, limit=limit, cursor=cursor, **filters)  # type: ignore[arg-type]
        assert len(page.runs) <= limit
        found += [row.run_id for row in page.runs]
        cursor = page.next_cursor
        if cursor is None:
            return found


async def some_runs(runs: Runs, clock: HandClock) -> None:
    """r0 … r9, a minute apart; even ones of follow-up, odd ones of reminder; every third one ended."""
    for number in range(10):
        workflow = ("follow-up", "reminder")[number % 2]
        await runs.create_run(run_row(f"r{number}", workflow_id=workflow))
        if number % 3 == 0:
            await runs.apply_projections(TENANT, f"r{number}", [record(1, "run", f"r{number}", status="SUCCEEDED")])
        clock.advance(minutes=1)


async def test_lists_are_newest_first_and_pages_have_no_gaps(runs: Runs, clock: HandClock) -> None:
    await some_runs(runs, clock)
    assert await listed(runs) == [f"r{number}" for number in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("workflow_id", "status", "expected"),
    [
        ("follow-up", None, ["r8", "r6", "r4", "r2", "r0"]),
        (None, "SUCCEEDED", ["r9", "r6", "r3", "r0"]),
        ("reminder", "SUCCEEDED", ["r9", "r3"]),
        ("reminder", "RUNNING", ["r7", "r5", "r1"]),
        ("reminder", "FAILED", []),
        ("unknown", None, []),
    ],
)
async def test_filters_select(
    runs: Runs, clock: HandClock, workflow_id: str | None, status: RunStatus | None, expected: list[str]
) -> None:
    await some_runs(runs, clock)
    assert await listed(runs, workflow_id=workflow_id, status=status) == expected


async def test_since_includes_its_own_moment(runs: Runs, clock: HandClock) -> None:
    since = clock.now + timedelta(minutes=7)
    await some_runs(runs, clock)
    assert await listed(runs, since=since, limit=2) == ["r9", "r8", "r7"]


async def test_a_page_goes_on_where_it_ended_though_runs_come_and_change(runs: Runs, clock: HandClock) -> None:
    await some_runs(runs, clock)
    first = await runs.list_runs(TENANT, status="RUNNING", limit=2)
    assert [row.run_id for row in first.runs] == ["r8", "r7"]
    await runs.finish_run(TENANT, "r8", "FAILED")
    await runs.create_run(run_row("new"))
    rest = await runs.list_runs(TENANT, status="RUNNING", limit=5, cursor=first.next_cursor)
    assert [row.run_id for row in rest.runs] == ["r5", "r4", "r2", "r1"]


async def test_runs_of_one_moment_are_all_listed(runs: Runs) -> None:
    for number in range(7):
        await runs.create_run(run_row(f"r{number}"))
    assert sorted(await listed(runs, limit=2)) == [f"r{number}" for number in range(7)]


async def test_lists_leave_payloads_where_they_are(runs: Runs) -> None:
    await runs.create_run(run_row("r1", payload={"large": "x" * 1000}))
    (row,) = (await runs.list_runs(TENANT)).runs
    assert row.payload is None


async def test_counts_follow_the_status(runs: Runs, clock: HandClock) -> None:
    await some_runs(runs, clock)
    assert await runs.count_by_status(TENANT) == {
        "RUNNING": 6,
        "WAITING": 0,
        "SUCCEEDED": 4,
        "FAILED": 0,
        "CANCELED": 0,
    }


async def test_retention_leaves_no_key_of_an_old_run(runs: Runs, clock: HandClock, redis_client: Redis) -> None:
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
    assert await runs.prune(TENANT, datetime(2026, 1, 2, tzinfo=UTC)) == 0
    assert await runs.prune(TENANT, datetime(2026, 1, 3, tzinfo=UTC)) == 2
    assert set(await redis_client.keys()) == before
    with pytest.raises(NotFoundError, match="removed by retention"):
        await runs.payload(TENANT, "old")


async def test_retention_spares_runs_that_have_not_ended_or_ended_later(runs: Runs, clock: HandClock) -> None:
    for run_id in ("running", "recent", "old"):
        await runs.create_run(run_row(run_id))
    await runs.finish_run(TENANT, "old", "FAILED")
    clock.advance(days=40)
    await runs.finish_run(TENANT, "recent", "FAILED")
    assert await runs.prune(TENANT, clock.now - timedelta(days=30)) == 1
    assert sorted(await listed(runs)) == ["recent", "running"]


async def test_retention_removes_a_bounded_number_at_a_time(runs: Runs, clock: HandClock) -> None:
    for number in range(5):
        await runs.create_run(run_row(f"r{number}"))
        await runs.finish_run(TENANT, f"r{number}", "CANCELED")
        clock.advance(minutes=1)
    assert [await runs.prune(TENANT, clock.now, limit=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_a_pruned_run_does_not_come_back_with_a_late_record(runs: Runs, clock: HandClock) -> None:
    await runs.create_run(run_row("r1"))
    await runs.finish_run(TENANT, "r1", "FAILED")
    await runs.prune(TENANT, clock.advance(days=1))
    await runs.apply_projections(TENANT, "r1", [record(1, "run", "r1", status="RUNNING")], workflow_id="follow-up")
    assert await runs.get_run(TENANT, "r1") is None
    assert await listed(runs) == []
