"""A workflow whose runs fail too often pauses itself, says why, and loses no start."""

from typing import Any

import pytest
from redis.asyncio import Redis
from tests.integration.store.builders import TENANT, published, record, run_row

from workflow_runtime.store.catalog import Catalog, WorkflowRow
from workflow_runtime.store.runs import Runs

pytestmark = pytest.mark.also_on_valkey


@pytest.fixture
def runs(redis_client: Redis) -> Runs:
    return Runs(redis_client)


@pytest.fixture
async def catalog(redis_client: Redis) -> Catalog:
    catalog = Catalog(redis_client)
    await published(catalog)
    return catalog


class Course:
    """Lets runs of the workflow end one after another."""

    def __init__(self, runs: Runs, catalog: Catalog) -> None:
        self._runs = runs
        self._catalog = catalog
        self._number = 0

    async def ends(self, *statuses: str) -> WorkflowRow:
        """The workflow after these ends."""
        for status in statuses:
            self._number += 1
            run_id = f"r{self._number}"
            await self._runs.create_run(run_row(run_id))
            for _ in range(2):
                await self._runs.apply_projections(TENANT, run_id, [record(1, "run", run_id, status=status)])
        return await self._catalog.get_workflow(TENANT, "follow-up")


@pytest.fixture
def course(runs: Runs, catalog: Catalog) -> Course:
    return Course(runs, catalog)


async def watched(catalog: Catalog, **settings: Any) -> None:
    await catalog.change_settings(TENANT, "follow-up", {"auto_pause_on_failure": True, **settings})


async def test_it_pauses_when_the_share_of_failures_is_reached_and_says_so(catalog: Catalog, course: Course) -> None:
    await watched(catalog, failure_rate_threshold=0.5, failure_rate_min_runs=4)
    row = await course.ends("SUCCEEDED", "FAILED", "FAILED")
    assert (row.is_paused, row.paused_reason) == (False, None)
    row = await course.ends("FAILED")
    assert (row.is_paused, row.paused_reason) == (True, "3 of the last 4 runs failed")


async def test_a_success_never_pauses_and_cancelled_runs_do_not_count(catalog: Catalog, course: Course) -> None:
    await watched(catalog, failure_rate_threshold=0.5, failure_rate_min_runs=2)
    row = await course.ends("FAILED", "CANCELED", "CANCELED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "FAILED")
    assert not row.is_paused


async def test_nothing_is_counted_unless_it_is_asked_for(catalog: Catalog, course: Course) -> None:
    await course.ends(*["FAILED"] * 20)
    await watched(catalog, failure_rate_min_runs=2)
    assert not (await course.ends("FAILED")).is_paused
    assert (await course.ends("FAILED")).is_paused


async def test_without_numbers_half_of_ten_runs_is_the_bound(catalog: Catalog, course: Course) -> None:
    await watched(catalog)
    assert not (await course.ends(*["SUCCEEDED"] * 5, *["FAILED"] * 4)).is_paused
    assert (await course.ends("FAILED")).paused_reason == "5 of the last 10 runs failed"


async def test_only_the_latest_hundred_runs_count(catalog: Catalog, course: Course) -> None:
    await watched(catalog, failure_rate_threshold=0.1)
    assert not (await course.ends(*["SUCCEEDED"] * 150, *["FAILED"] * 9)).is_paused
    assert (await course.ends("FAILED")).paused_reason == "10 of the last 100 runs failed"


async def test_starts_wait_until_a_person_resumes_it_and_failures_are_counted_anew(
    catalog: Catalog, course: Course, runs: Runs
) -> None:
    await watched(catalog, failure_rate_min_runs=2)
    await course.ends("FAILED", "FAILED")
    assert (await runs.admit(run_row("late"))).state == "queued"
    row = await runs.get_run(TENANT, "late")
    assert row is not None
    assert row.queued_reason == "paused"
    await catalog.set_paused(TENANT, "follow-up", False)
    assert [admitted.run_id for admitted in await runs.admit_waiting(TENANT, "follow-up")] == ["late"]
    workflow = await course.ends("FAILED")
    assert (workflow.is_paused, workflow.paused_reason) == (False, None)


async def test_a_change_of_another_setting_leaves_the_pause_and_its_reason(catalog: Catalog, course: Course) -> None:
    await watched(catalog, failure_rate_min_runs=1)
    await course.ends("FAILED")
    await catalog.change_settings(TENANT, "follow-up", {"concurrency_limit": 3})
    row = await catalog.get_workflow(TENANT, "follow-up")
    assert (row.is_paused, row.paused_reason) == (True, "1 of the last 1 runs failed")
