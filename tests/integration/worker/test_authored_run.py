"""Authored runs through the Temporal shell: the whole way, queries, admission, cancellation, lost workers."""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import CancelledError
from tests.fixtures.authored import (
    TENANT,
    Authored,
    Handle,
    action,
    assign,
    eventually,
    run_id_of,
    send_event,
    wait,
)

from workflow_runtime.core.contract import AUTHORED_QUEUE, RUN_WORKFLOW_TYPE
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.service.launch import launch_run
from workflow_runtime.store.runs import RunRow


async def test_a_run_calls_an_action_waits_for_an_event_and_ends_with_its_scopes(authored: Authored) -> None:
    workflow_id = await authored.publish(
        assign("double", total="payload.amount * 2"),
        action("say", "echo", input={"total": {"$expr": "vars.total"}}, saveAs="said"),
        wait("paid", "PAID", {"$expr": "payload.ticket"}, assign={"vars.by": {"$expr": "event.by"}}),
    )
    async with authored.serving():
        handle = await authored.start(workflow_id, {"amount": 4, "ticket": "T1"})
        opened = await authored.waiting(handle, "waitForEvent")
        assert (opened["eventName"], opened["correlationKey"]) == ("PAID", "T1")
        await send_event(handle, "e1", "PAID", "T1", {"by": "ann"})
        result = await handle.result()
    assert result["vars"]["said"] == {"total": 8}
    assert result["vars"]["by"] == "ann"
    detail = await authored.detail(handle)
    assert detail.run.status == "SUCCEEDED"
    assert [(step.fields["stepId"], step.fields["status"]) for step in detail.steps] == [
        ("double", "SUCCEEDED"),
        ("say", "SUCCEEDED"),
        ("paid", "SUCCEEDED"),
    ]
    assert [(row.fields["status"], row.fields["eventId"]) for row in detail.waits] == [("RESOLVED", "e1")]


async def test_queries_tell_step_wait_and_depth(authored: Authored) -> None:
    workflow_id = await authored.publish(
        {"id": "if", "type": "control.if", "condition": {"$expr": "true"}, "then": [wait("w", "PAID")]}
    )
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        path = "root.steps[0].then.steps[0]"
        assert await handle.query("workflowRuntimeV2CurrentStep") == path
        summary = await handle.query("workflowRuntimeV2InterpreterSummary")
        assert (summary["runId"], summary["currentStepPath"]) == (run_id_of(handle), path)
        assert (summary["stepCount"], summary["frameDepth"]) == (2, 4)
        await send_event(handle, "e", "PAID", "7")
        await handle.result()
        assert await handle.query("workflowRuntimeV2CurrentWait") is None


async def test_a_cancelled_run_ends_cancelled_and_closes_what_it_waited_for(authored: Authored) -> None:
    workflow_id = await authored.publish(
        {"id": "try", "type": "control.tryCatch", "try": [wait("w", "PAID")], "catch": [assign("no", caught="1")]}
    )
    async with authored.serving():
        handle = await authored.start(workflow_id)
        opened = await authored.waiting(handle, "waitForEvent")
        await handle.cancel()
        await _ended_cancelled(handle)
    detail = await authored.detail(handle)
    assert detail.run.status == "CANCELED"
    assert [row.fields["status"] for row in detail.waits] == ["CANCELED"]
    assert await authored.waits.get(TENANT, run_id_of(handle), opened["waitId"]) is None


async def test_cancelling_reaches_the_action_under_way(authored: Authored) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(call: ActionCall) -> Any:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with authored.serving(slow=slow):
        handle = await authored.start(await authored.publish(action("slow", "slow")))
        await started.wait()
        await handle.cancel()
        await _ended_cancelled(handle)
        await asyncio.wait_for(cancelled.wait(), 60)
    assert [row.fields["status"] for row in (await authored.detail(handle)).actions] == ["CANCELED"]


async def test_a_run_cancelled_before_any_worker_saw_it_ends_cancelled(authored: Authored) -> None:
    handle = await authored.start(await authored.publish(action("never", "echo")))
    await handle.cancel()
    async with authored.serving():
        await _ended_cancelled(handle)
    detail = await authored.detail(handle)
    assert (detail.run.status, detail.actions) == ("CANCELED", ())


async def _ended_cancelled(handle: Handle) -> None:
    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED


async def test_an_action_that_a_draining_worker_gave_up_runs_again_as_recovered(authored: Authored) -> None:
    started = asyncio.Event()

    async def hangs(call: ActionCall) -> Any:
        started.set()
        await asyncio.Event().wait()

    async def recovers(call: ActionCall) -> Any:
        return {"recovered": call.recovered, "attempt": call.context.attempt}

    async with authored.serving(slow=hangs):
        handle = await authored.start(await authored.publish(action("slow", "slow", saveAs="out")))
        await started.wait()
    async with authored.serving(slow=recovers):
        result = await handle.result()
    assert result["vars"]["out"] == {"recovered": True, "attempt": 1}


async def test_a_start_at_the_concurrency_limit_begins_when_the_run_before_it_ends(authored: Authored) -> None:
    workflow_id = await authored.publish(wait("w", "PAID"))
    await authored.catalog.set_concurrency_limit(TENANT, workflow_id, 1)
    version = await authored.catalog.get_version(TENANT, workflow_id, 1)
    async with authored.serving():
        first = await authored.start(workflow_id)
        second = RunRow(
            run_id=f"{workflow_id}-second",
            tenant_id=TENANT,
            workflow_id=workflow_id,
            workflow_version=1,
            definition_hash=version.hash,
            payload={},
        )
        assert (await launch_run(authored.client, authored.runs, second)).state == "queued"
        await authored.waiting(first, "waitForEvent")
        await send_event(first, "e1", "PAID", "7")
        await first.result()
        handle = authored.handle(second.run_id)
        await send_event(handle, "e2", "PAID", "7")
        assert (await handle.result())["system"]["runId"] == second.run_id


@pytest.mark.parametrize("argument", [None, 7, {"runId": "r"}, {"runId": 1, "tenantId": [], "extra": {}}])
async def test_a_malformed_input_fails_the_run_instead_of_hanging_its_task(authored: Authored, argument: Any) -> None:
    async with authored.serving():
        handle = await authored.client.start_workflow(
            RUN_WORKFLOW_TYPE, argument, id=f"malformed-{argument!r}", task_queue=AUTHORED_QUEUE
        )
        error = await authored.failure(handle)
    assert (error.type, error.details[0]["code"]) == ("WorkflowRuntimeV2.ValidationError", "INVALID_INPUT")


async def test_malformed_signals_do_not_disturb_a_run(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(wait("w", "PAID")))
        await authored.waiting(handle, "waitForEvent")
        arguments: tuple[Any, ...] = (7, {"eventId": 7}, [], "x" * 1000)
        for signal in ("workflowRuntimeV2Event", "workflowRuntimeV2HumanTask", "workflowRuntimeV2QuotaResume"):
            for argument in arguments:
                await handle.signal(signal, argument)
        await send_event(handle, "e", "PAID", "7")
        assert (await handle.result())["vars"]["eventName"] == "PAID"


async def test_a_run_whose_row_is_unknown_fails_and_says_so(authored: Authored) -> None:
    workflow_id = await authored.publish(wait("w", "PAID"))
    argument: dict[str, Any] = {"runId": "stray", "tenantId": TENANT, "workflowId": workflow_id, "workflowVersion": 1}
    async with authored.serving():
        handle = await authored.client.start_workflow(
            RUN_WORKFLOW_TYPE, argument, id="workflow-runtime-v2:run:stray", task_queue=AUTHORED_QUEUE
        )
        error = await authored.failure(handle)
    assert error.details[0]["code"] == "NOT_FOUND"
    assert "stray" in error.message


async def test_a_definition_that_was_tampered_with_is_never_run(authored: Authored) -> None:
    workflow_id = await authored.publish(action("a", "echo"))
    handle = await authored.start(workflow_id)
    key = f"wf:{{{TENANT}}}:workflow:{workflow_id}:version:1"
    text = await cast(Awaitable[str], authored.redis.hget(key, "definition"))
    await authored.redis.hset(key, "definition", text.replace("test.echo", "test.evil"))
    async with authored.serving():
        error = await authored.failure(handle)
    assert error.type == "WorkflowRuntimeV2.InterpreterCorruption"
    row = await authored.runs.get_run(TENANT, run_id_of(handle))
    assert row is not None
    assert (row.status, row.error and row.error.code) == ("FAILED", "DEFINITION_HASH_MISMATCH")


async def test_projections_arrive_while_the_run_waits(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(assign("a", x="1"), wait("w", "PAID")))

        async def waiting() -> RunRow | None:
            row = await authored.runs.get_run(TENANT, run_id_of(handle))
            return row if row and row.status == "WAITING" else None

        row = await eventually(waiting)
        assert row.current_step_path == "root.steps[1]"
        await handle.cancel()
