"""Lists of runs: every filter, pages without gaps, and retention that leaves nothing behind."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT, record, run_row

from workflow_runtime.store.runs import Runs, RunStatus

pytestmark = pytest.mark.also_on_valkey


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
