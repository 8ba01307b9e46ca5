"""Projections: each sequence number once, an end for good, and timelines that say what the records say."""

import random
from itertools import pairwise

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError
from tests.integration.store.builders import TENANT, record, run_row

from workflow_runtime.core.errors import Category
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store.runs import RunDetail, Runs

pytestmark = pytest.mark.also_on_valkey

ERROR = {"category": "ActionError", "code": "E42", "message": "no", "details": {"empty": [], "big": 2**60}}


@pytest.fixture
async def runs(redis_client: Redis) -> Runs:
    runs = Runs(redis_client)
    await runs.create_run(run_row("r1"))
    return runs


async def detail(runs: Runs, run_id: str = "r1") -> RunDetail:
    found = await runs.run_detail(TENANT, run_id)
    assert found is not None
    return found


def story() -> list[ProjectionRecord]:
    return [
        record(1, "run", "r1", status="RUNNING", startedAt="2026-01-01T00:00:01Z", currentStepPath="root.steps[0]"),
        record(2, "step", "root.steps[0]#1", status="STARTED", stepId="a", itemIndexes=[]),
        record(3, "action", "root.steps[0]#1", status="STARTED", actionId="mail.send"),
        record(4, "action", "root.steps[0]#1", status="FAILED", error=ERROR),
        record(5, "step", "root.steps[0]#1", status="RETRY_SCHEDULED", nextAttemptAt="2026-01-01T00:00:09Z"),
        record(6, "step", "root.steps[0]#1", nextAttemptAt=None, durationMs=12.5),
        record(7, "wait", "w1", type="event", status="WAITING", filters=[{"path": "a", "op": "=", "value": 1}]),
        record(8, "run", "r1", status="WAITING", currentWait="w1"),
        record(9, "log", "9", level="info", message="hello"),
        record(10, "wait", "w1", status="RESOLVED", eventId="e1"),
        record(11, "run", "r1", status="FAILED", error=ERROR, stepCount=3, endedAt="2026-01-01T00:01:00Z"),
    ]


async def test_records_build_the_run_and_its_timeline(runs: Runs) -> None:
    applied = await runs.apply_projections(TENANT, "r1", story())
    assert (applied.known, applied.applied, applied.last_seq) == (True, 11, 11)
    found = await detail(runs)
    assert (found.run.status, found.run.started_at, found.run.ended_at, found.run.step_count) == (
        "FAILED",
        "2026-01-01T00:00:01Z",
        "2026-01-01T00:01:00Z",
        3,
    )
    assert (found.run.current_wait, found.run.current_step_path) == (None, None)
    assert found.run.error is not None
    assert (found.run.error.category, found.run.error.details) == (Category.ACTION, {"empty": [], "big": 2**60})
    (step,) = found.steps
    assert step.fields == {"status": "RETRY_SCHEDULED", "stepId": "a", "itemIndexes": [], "durationMs": 12.5}
    assert (step.first_seq, step.last_seq) == (2, 6)
    assert found.waits[0].fields["filters"] == [{"path": "a", "op": "=", "value": 1}]
    assert found.waits[0].fields["status"] == "RESOLVED"
    assert found.actions[0].fields["error"] == ERROR
    assert found.logs[0].fields["message"] == "hello"


async def test_a_waiting_run_names_its_wait(runs: Runs) -> None:
    await runs.apply_projections(TENANT, "r1", story()[:8])
    row = (await detail(runs)).run
    assert (row.status, row.current_wait, row.current_step_path) == ("WAITING", "w1", "root.steps[0]")
    await runs.apply_projections(TENANT, "r1", [record(9, "run", "r1", status="RUNNING", currentWait=None)])
    row = (await detail(runs)).run
    assert (row.status, row.current_wait) == ("RUNNING", None)


@pytest.mark.parametrize("seed", range(8))
async def test_repeated_and_late_batches_change_nothing(runs: Runs, seed: int) -> None:
    dice = random.Random(seed)
    cuts = [0, *sorted(dice.sample(range(1, 11), 3)), 11]
    batches = [story()[start:end] for start, end in pairwise(cuts)]
    for position in range(len(batches)):
        repeated = dice.choices(batches[: position + 1], k=3)
        for batch in [batches[position], *repeated]:
            await runs.apply_projections(TENANT, "r1", dice.sample(batch, len(batch)))
    await runs.create_run(run_row("r2"))
    await runs.apply_projections(TENANT, "r2", story())
    left, right = await detail(runs), await detail(runs, "r2")
    assert left.model_dump(exclude={"run"}) == right.model_dump(exclude={"run"})
    same = {"status", "seq", "error", "ended_at", "started_at", "updated_at", "step_count"}
    assert left.run.model_dump(include=same) == right.run.model_dump(include=same)


@pytest.mark.parametrize("status", ["RUNNING", "WAITING", "SUCCEEDED", "CANCELED"])
async def test_an_ended_run_stays_as_it_ended(runs: Runs, status: str) -> None:
    await runs.apply_projections(TENANT, "r1", story())
    before = (await detail(runs)).run
    late = record(12, "run", "r1", status=status, error=None, endedAt="2027-01-01T00:00:00Z", currentWait="w2")
    await runs.apply_projections(TENANT, "r1", [late])
    after = (await detail(runs)).run
    assert after.model_dump(exclude={"seq", "updated_at"}) == before.model_dump(exclude={"seq", "updated_at"})
    assert not await runs.finish_run(TENANT, "r1", "CANCELED")
    assert await runs.count_by_status(TENANT) == {
        "RUNNING": 0,
        "WAITING": 0,
        "SUCCEEDED": 0,
        "FAILED": 1,
        "CANCELED": 0,
    }


async def test_what_a_task_told_that_was_given_up_goes_when_it_is_told_otherwise_later(runs: Runs) -> None:
    await runs.apply_projections(TENANT, "r1", story())
    later = "2027-01-01T00:00:00.000Z"
    told = [
        record(5, "step", "root.steps[0]#1", status="CANCELED", at=later),
        record(6, "run", "r1", status="CANCELED", error=None, endedAt=later, at=later),
    ]
    await runs.apply_projections(TENANT, "r1", [*story()[:4], *told])
    after = await detail(runs)
    assert (after.run.status, after.run.error, after.run.ended_at, after.run.seq) == ("CANCELED", None, later, 6)
    assert [row.fields["status"] for row in after.steps] == ["CANCELED"]
    assert (after.waits, after.logs) == ((), ())
    assert await runs.count_by_status(TENANT) == dict.fromkeys(("RUNNING", "WAITING", "SUCCEEDED", "FAILED"), 0) | {
        "CANCELED": 1
    }


async def test_what_a_worker_tells_that_lost_its_task_changes_nothing(runs: Runs) -> None:
    await runs.apply_projections(TENANT, "r1", story())
    before = await detail(runs)
    earlier = "2020-01-01T00:00:00.000Z"
    told = [record(6, "run", "r1", status="CANCELED", error=None, endedAt=earlier, at=earlier)]
    await runs.apply_projections(TENANT, "r1", told)
    assert await detail(runs) == before


async def test_an_end_without_a_time_of_its_own_took_place_when_it_was_recorded(runs: Runs) -> None:
    await runs.apply_projections(TENANT, "r1", [record(1, "run", "r1", status="CANCELED", at="2026-02-03T04:05:06Z")])
    assert (await detail(runs)).run.ended_at == "2026-02-03T04:05:06Z"


async def test_records_of_an_unknown_run_write_nothing(runs: Runs, redis_client: Redis) -> None:
    before = await redis_client.dbsize()
    applied = await runs.apply_projections(TENANT, "gone", story())
    assert (applied.known, applied.applied) == (False, 0)
    with_workflow = await runs.apply_projections(TENANT, "gone", story(), workflow_id="follow-up")
    assert not with_workflow.known
    assert await redis_client.dbsize() == before


async def test_the_wrong_workflow_is_refused_before_anything_is_written(runs: Runs) -> None:
    with pytest.raises(ResponseError, match="run r1 is of workflow follow-up, not other"):
        await runs.apply_projections(TENANT, "r1", story(), workflow_id="other")
    assert (await detail(runs)).run.seq == 0


async def test_more_records_than_one_call_takes_are_all_applied(runs: Runs) -> None:
    many = [record(seq, "step", f"root.steps[{seq}]#1", status="SUCCEEDED") for seq in range(1, 1203)]
    applied = await runs.apply_projections(TENANT, "r1", many)
    assert (applied.applied, applied.last_seq) == (1202, 1202)
    found = (await detail(runs)).steps
    assert [step.first_seq for step in found] == list(range(1, 1203))


async def test_records_can_be_followed_in_portions(runs: Runs) -> None:
    await runs.apply_projections(TENANT, "r1", story())
    seen: list[int] = []
    while (page := await runs.records(TENANT, "r1", after_seq=seen[-1] if seen else 0, limit=4)).records:
        seen += [found.seq for found in page.records]
    assert seen == list(range(1, 12))
    assert page.last_seq == 11
