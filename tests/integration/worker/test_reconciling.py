"""Runs that end behind the store's back, and stores that forgot runs: one comparison with Temporal puts both right."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from temporalio.client import Client, WorkflowFailureError
from tests.fixtures.authored import TENANT, Authored, Handle, action, eventually, run_id_of, send_event, wait
from tests.fixtures.ports import free_port
from tests.fixtures.processes import service_process
from tests.fixtures.quiet import QuietAuthored, be_alone
from tests.fixtures.rebuilding import destroy
from tests.fixtures.snapshots import projections

from workflow_runtime.core.contract import AUTHORED_QUEUE, RUN_WORKFLOW_TYPE, run_workflow_id
from workflow_runtime.core.errors import Failure
from workflow_runtime.service.launch import launch_run, run_input, start_admitted
from workflow_runtime.store.open_runs import OpenRuns
from workflow_runtime.store.restoring import RestoredRun, RunRestorer
from workflow_runtime.store.runs import RunRow
from workflow_worker.rebuild import Rebuilder
from workflow_worker.reconciling import Reconciled, Reconciler, keep_reconciled

TASK = {"id": "ask", "type": "human.task", "config": {"taskType": "t", "title": "T"}}


@pytest.fixture
async def authored(client: Client, redis_client: Redis) -> Authored:
    await be_alone(client)
    return QuietAuthored(client, redis_client)


async def listed_as_closed(authored: Authored, handle: Handle) -> None:
    """Return once Temporal's list, which may be behind, does not show the run as executing."""
    query = f"WorkflowId = '{handle.id}' AND ExecutionStatus = 'Running'"

    async def closed() -> bool | None:
        return True if (await authored.client.count_workflows(query)).count == 0 else None

    await eventually(closed)


async def shown_as_waiting(authored: Authored, handle: Handle) -> None:
    """Return once the store shows the wait, which the run itself answers for before."""

    async def shown() -> bool | None:
        return True if (await authored.detail(handle)).waits else None

    await eventually(shown)


async def listed_as_executing(authored: Authored, handle: Handle) -> None:
    async def open_() -> bool | None:
        query = f"WorkflowId = '{handle.id}' AND ExecutionStatus = 'Running'"
        return True if (await authored.client.count_workflows(query)).count == 1 else None

    await eventually(open_)


async def row_of(authored: Authored, run_id: str) -> RunRow:
    row = await authored.runs.get_run(TENANT, run_id)
    assert row is not None
    return row


async def new_row(authored: Authored, workflow_id: str, run_id: str) -> RunRow:
    version = await authored.catalog.get_version(TENANT, workflow_id, 1)
    return RunRow(
        run_id=run_id,
        tenant_id=TENANT,
        workflow_id=workflow_id,
        workflow_version=1,
        definition_hash=version.hash,
        root_run_id=run_id,
        payload={},
    )


async def test_a_terminated_run_ends_and_the_next_one_gets_its_slot(authored: Authored) -> None:
    workflow_id = await authored.publish(action("a", "echo"), TASK)
    await authored.catalog.set_concurrency_limit(TENANT, workflow_id, 1)
    async with authored.serving():
        handle = await authored.start(workflow_id)
        opened = await authored.waiting(handle, "waitForTask")
        await shown_as_waiting(authored, handle)
        queued = await new_row(authored, workflow_id, f"{workflow_id}-queued")
        assert (await launch_run(authored.client, authored.runs, queued)).state == "queued"
        await handle.terminate(reason="no longer needed")
        await listed_as_closed(authored, handle)
        found = await Reconciler(authored.client, authored.redis).turn()
        await authored.waiting(authored.handle(queued.run_id), "waitForTask")
    assert found.ended == [run_id_of(handle)]
    detail = await authored.detail(handle)
    assert detail.run.status == "CANCELED"
    assert isinstance(detail.run.error, Failure)
    assert (detail.run.error.category, detail.run.error.code) == ("Cancellation", "RUN_TERMINATED")
    assert "no longer needed" in detail.run.error.message
    assert [row.fields["status"] for row in detail.waits] == ["CANCELED"]
    assert [row.fields["status"] for row in detail.steps] == ["SUCCEEDED", "CANCELED"]
    task = await authored.tasks.get(TENANT, opened["taskId"])
    assert task is not None
    assert (task.status, task.closed_at) == ("CANCELED", detail.run.ended_at)
    assert await authored.runs.active_count(TENANT, workflow_id) == 1
    before = await projections(authored.redis, TENANT)
    assert not (await Rebuilder(authored.client, authored.redis).rebuild(run_id_of(handle))).changed
    assert await projections(authored.redis, TENANT) == before


async def test_a_run_that_exceeds_a_limit_of_temporal_fails_with_its_name(authored: Authored) -> None:
    row = await new_row(authored, await authored.publish(wait("w", "NEVER")), "limited")
    await authored.runs.admit(row)
    async with authored.serving():
        handle = await authored.client.start_workflow(
            RUN_WORKFLOW_TYPE,
            run_input(row),
            id=run_workflow_id(row.run_id),
            task_queue=AUTHORED_QUEUE,
            execution_timeout=timedelta(seconds=1),
        )
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    await listed_as_closed(authored, handle)
    await Reconciler(authored.client, authored.redis).turn()
    row = await row_of(authored, "limited")
    assert row.status == "FAILED"
    assert row.error is not None
    assert (row.error.category, row.error.code) == ("TimeoutError", "RUN_TIMED_OUT")


async def test_a_run_that_cannot_be_replayed_is_ended_all_the_same(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(wait("w", "PAID")), {"text": "x" * 300_000})
        opened = await authored.waiting(handle, "waitForEvent")
    for key in await authored.redis.keys("wf:large-payload:*"):
        await authored.redis.delete(key)
    await handle.terminate()
    await listed_as_closed(authored, handle)
    assert (await Reconciler(authored.client, authored.redis).turn()).ended == [run_id_of(handle)]
    assert (await row_of(authored, run_id_of(handle))).status == "CANCELED"
    assert await authored.waits.get(TENANT, run_id_of(handle), opened["waitId"]) is None


async def test_runs_that_execute_or_wait_to_be_launched_are_let_be(authored: Authored) -> None:
    workflow_id = await authored.publish(wait("w", "PAID"))
    await authored.catalog.set_concurrency_limit(TENANT, workflow_id, 2)
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        await authored.runs.admit(await new_row(authored, workflow_id, "not launched"))
        assert (await authored.runs.admit(await new_row(authored, workflow_id, "queued"))).state == "queued"
        before = await projections(authored.redis, TENANT)
        reconciler = Reconciler(authored.client, authored.redis)
        found = [await reconciler.turn(), await reconciler.turn()]
    assert [turn.unknown + turn.ended + turn.slots for turn in found] == [[], []]
    after = await projections(authored.redis, TENANT)
    assert {name: after[name] for name in before if "runs" not in name} == {
        name: value for name, value in before.items() if "runs" not in name
    }


async def test_a_run_that_temporal_does_not_know_is_named_and_keeps_its_row(authored: Authored) -> None:
    row = await new_row(authored, await authored.publish(wait("w", "PAID")), "lost")
    await authored.runs.admit(row)
    await authored.runs.mark_launched(TENANT, "lost")
    found = await Reconciler(authored.client, authored.redis).turn()
    assert found.unknown == ["lost"]
    assert (await row_of(authored, "lost")).status == "RUNNING"


async def test_a_forgotten_slot_is_taken_again(authored: Authored) -> None:
    workflow_id = await authored.publish(wait("w", "PAID"))
    await authored.catalog.set_concurrency_limit(TENANT, workflow_id, 1)
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        await listed_as_executing(authored, handle)
        await authored.redis.delete(f"wf:{{{TENANT}}}:workflow:{workflow_id}:active")
        found = await Reconciler(authored.client, authored.redis).turn()
        assert found.slots == [run_id_of(handle)]
        assert (await authored.runs.admit(await new_row(authored, workflow_id, "next"))).state == "queued"
        await send_event(handle, "e", "PAID", "7")
        await handle.result()
    assert [row.run_id for row in await authored.runs.waiting_starts(TENANT, workflow_id)] == []


@pytest.mark.parametrize("told_since", [False, True], ids=["silent", "told since"])
async def test_a_run_that_an_emptied_store_forgot_stands_there_again(authored: Authored, told_since: bool) -> None:
    workflow_id = await authored.publish(action("a", "echo"), wait("w", "PAID"), TASK)
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        before = await _of_run(authored, handle)
        await authored.redis.flushall()
        if told_since:
            await send_event(handle, "e", "PAID", "7")
            await authored.waiting(handle, "waitForTask")
        await listed_as_executing(authored, handle)
        reconciler = Reconciler(authored.client, authored.redis)
        assert run_id_of(handle) not in (await reconciler.turn()).restored or told_since
        await reconciler.turn()
        if not told_since:
            assert await _of_run(authored, handle) == before
        detail = await authored.detail(handle)
        assert [row.key for row in detail.actions] == ["root.steps[0]#1"]
        assert await authored.runs.active_count(TENANT, workflow_id) == 1
        await handle.terminate()


async def test_a_run_that_lost_its_row_and_ended_soon_after_is_made_whole(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(action("a", "echo"), wait("w", "PAID")), {"n": 1})
        await authored.waiting(handle, "waitForEvent")
        await destroy(authored.redis)
        await send_event(handle, "e", "PAID", "7")
        await handle.result()
    before = await row_of(authored, run_id_of(handle))
    assert (before.status, before.root_run_id) == ("SUCCEEDED", None)
    reconciler = Reconciler(authored.client, authored.redis)
    assert (await reconciler.turn()).restored == [run_id_of(handle)]
    assert (await row_of(authored, run_id_of(handle))).root_run_id == run_id_of(handle)
    assert await authored.runs.payload(TENANT, run_id_of(handle)) == {"n": 1}
    assert (await reconciler.turn()).restored == []


async def test_a_row_that_cannot_be_made_whole_is_tried_once(authored: Authored) -> None:
    row = await new_row(authored, await authored.publish(action("a", "echo")), "of-no-history")
    row = row.model_copy(update={"created_at": "2026-01-01T00:00:00.000Z"})
    await RunRestorer(authored.redis).restore(RestoredRun(row, (), executing=False, whole=False))
    open_runs = OpenRuns(authored.redis)
    assert await open_runs.incomplete(TENANT) == {"of-no-history"}
    await Reconciler(authored.client, authored.redis).turn()
    assert await open_runs.incomplete(TENANT) == set()


async def _of_run(authored: Authored, handle: Handle) -> dict[str, Any]:
    found = await projections(authored.redis, TENANT)
    return {name: value for name, value in found.items() if run_id_of(handle) in name}


async def test_a_run_cancelled_between_admission_and_launch_never_runs(authored: Authored) -> None:
    calls: list[str] = []

    async def count(call: Any) -> Any:
        calls.append(call.idempotency_key)

    workflow_id = await authored.publish(action("a", "count"))
    await authored.catalog.set_concurrency_limit(TENANT, workflow_id, 1)
    row = await new_row(authored, workflow_id, f"{workflow_id}-cancelled")
    await authored.runs.admit(row)
    await authored.runs.finish_run(TENANT, row.run_id, "CANCELED")
    async with authored.serving(count=count):
        await start_admitted(authored.client, authored.runs, [row])
        error = await authored.failure(authored.handle(row.run_id))
        assert (error.type, error.details[0]["code"]) == ("WorkflowRuntimeV2.Cancellation", "CANCELED_BEFORE_START")
        await (await authored.start(workflow_id)).result()
    assert len(calls) == 1
    stands = await row_of(authored, row.run_id)
    assert (stands.status, stands.started_at, stands.error) == ("CANCELED", None, None)


async def test_one_of_all_replicas_reconciles_and_faults_do_not_end_it(client: Client, redis_client: Redis) -> None:
    turns: list[str] = []

    class Noted(Reconciler):
        def __init__(self, name: str) -> None:
            super().__init__(client, redis_client)
            self._name = name

        async def turn(self) -> Reconciled:
            turns.append(self._name)
            if len(turns) < 3:
                raise OSError("away")
            return Reconciled()

    stop = asyncio.Event()
    replicas = [asyncio.create_task(keep_reconciled(Noted(name), redis_client, stop, seconds=0.2)) for name in "ab"]

    async def enough() -> bool | None:
        return True if len(turns) >= 5 else None

    await eventually(enough)
    lease = await cast(Any, redis_client).pttl("wf:reconciling")
    stop.set()
    await asyncio.gather(*replicas)
    assert lease <= 200


async def test_the_process_reconciles_by_itself(
    authored: Authored, temporal_server: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {"TEMPORAL_ADDRESS": temporal_server, "REDIS_URL": redis_url, "RECONCILE_SECONDS": "0.5"}
    with service_process("workflow_worker", free_port(), tmp_path, **settings) as worker:
        worker.until_ready()
        handle = await authored.start(await authored.publish(wait("w", "PAID")))
        await authored.waiting(handle, "waitForEvent")
        await handle.terminate(reason="by hand")

        async def ended() -> bool | None:
            return True if (await row_of(authored, run_id_of(handle))).status == "CANCELED" else None

        await eventually(ended)
        worker.until(lambda: run_id_of(handle) in worker.log.read_text())
        # Its log is shared with Temporal's core, which complains of runs of other tests in its own words.
        lines = [line for line in worker.log.read_text().splitlines() if "run_reconciled" in line]
        assert any(run_id_of(handle) in line for line in lines)
