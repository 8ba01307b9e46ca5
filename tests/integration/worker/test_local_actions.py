"""Local actions: done within the workflow task of the run, with the guarantees of any other action."""

import asyncio
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError
from tests.fixtures.authored import TENANT, Authored, Handle, action, run_id_of, send_event, wait
from tests.fixtures.snapshots import projections

from workflow_runtime.core.errors import ActionFailure
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_worker.action_calls import LOCAL_BYTES, LOCAL_CALLS
from workflow_worker.rebuild import Rebuilder

OVER_THE_QUEUE = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED


async def over_the_queue(handle: Handle) -> int:
    """How many actions of the run took their turn on the queue."""
    return sum(event.event_type == OVER_THE_QUEUE for event in (await handle.fetch_history()).events)


def echoes(count: int, **config: Any) -> list[dict[str, Any]]:
    return [action(f"echo-{number}", "echo", **config) for number in range(count)]


@pytest.mark.parametrize(("local", "expected"), [(["echo"], 2), ([], 2 * LOCAL_CALLS + 3)])
async def test_after_so_many_local_actions_one_goes_over_the_queue_and_ends_the_task(
    authored: Authored, local: list[str], expected: int
) -> None:
    async with authored.serving(local=local):
        handle = await authored.start(await authored.publish(*echoes(2 * LOCAL_CALLS + 3)))
        await handle.result()
    assert await over_the_queue(handle) == expected
    detail = await authored.detail(handle)
    assert [row.fields["status"] for row in detail.actions] == ["SUCCEEDED"] * (2 * LOCAL_CALLS + 3)


async def test_what_local_actions_of_one_task_answer_is_bounded(authored: Authored) -> None:
    async def count(call: ActionCall) -> Any:
        return "x" * (LOCAL_BYTES // 2)

    async with authored.serving(local=["count"], count=count):
        steps = [action(f"count-{number}", "count") for number in range(4)]
        handle = await authored.start(await authored.publish(*steps))
        await handle.result()
    # Two answers and their quotation marks reach the bound; the third goes over the queue, the fourth is local again.
    assert await over_the_queue(handle) == 1


async def test_a_run_keeps_to_what_was_local_when_it_began(authored: Authored) -> None:
    workflow_id = await authored.publish(*echoes(2), wait("w", "PAID"), *[action("last", "echo")])
    async with authored.serving(local=["echo"]):
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
    async with authored.serving(local=[]):
        await send_event(handle, "e", "PAID", "7")
        await handle.result()
    assert await over_the_queue(handle) == 0


async def test_the_failure_of_a_local_action_arrives_unchanged(authored: Authored) -> None:
    async def fail(call: ActionCall) -> Any:
        raise ActionFailure("no paper", code="OUT_OF_PAPER", details={"tray": 2})

    caught = {"id": "try", "type": "control.tryCatch", "try": [action("print", "fail")], "captureErrorAs": "failed"}
    async with authored.serving(local=["fail"], fail=fail):
        handle = await authored.start(await authored.publish({**caught, "catch": [wait("w", "PAID")]}))
        await authored.waiting(handle, "waitForEvent")
        await send_event(handle, "e", "PAID", "7")
        failed = (await handle.result())["vars"]["failed"]
    expected = {"category": "ActionError", "code": "OUT_OF_PAPER", "message": "no paper", "details": {"tray": 2}}
    assert {name: failed[name] for name in expected} == expected
    (step,) = [row.fields for row in (await authored.detail(handle)).steps if row.fields.get("stepId") == "print"]
    assert (step["status"], step["error"]["code"]) == ("FAILED", "OUT_OF_PAPER")


async def test_an_authored_retry_runs_a_local_action_again(authored: Authored) -> None:
    attempts: list[int] = []

    async def shaky(call: ActionCall) -> Any:
        attempts.append(call.context.attempt)
        if len(attempts) < 3:
            raise ActionFailure("not yet")
        return "done"

    retry = {"maxAttempts": 3, "backoffMs": 1, "jitter": False}
    async with authored.serving(local=["shaky"], shaky=shaky):
        result = await authored.result(action("s", "shaky", retry=retry, saveAs="s"))
    assert (result["vars"]["s"], attempts) == ("done", [1, 2, 3])


async def test_a_cancellation_during_the_last_local_action_ends_the_run_and_its_row_as_cancelled(
    authored: Authored,
) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(call: ActionCall) -> Any:
        started.set()
        await release.wait()
        return "done"

    async with authored.serving(local=["slow"], slow=slow):
        handle = await authored.start(await authored.publish(action("one", "slow"), action("two", "slow")))
        await started.wait()
        await handle.cancel()
        release.set()
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()
        assert isinstance(ended.value.cause, CancelledError)
    # Temporal refused the task that said SUCCEEDED, and so is what that task told.
    detail = await authored.detail(handle)
    assert detail.run.error is not None
    assert (detail.run.status, detail.run.error.code, detail.actions) == ("CANCELED", "RUN_CANCELLED", ())
    before = await projections(authored.redis, TENANT)
    assert not (await Rebuilder(authored.client, authored.redis).rebuild(run_id_of(handle))).changed
    assert await projections(authored.redis, TENANT) == before


async def test_a_cancellation_between_local_actions_and_the_queue_stops_the_run(authored: Authored) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(call: ActionCall) -> Any:
        started.set()
        await release.wait()
        return "done"

    steps = [action(f"slow-{number}", "slow") for number in range(LOCAL_CALLS + 5)]
    async with authored.serving(local=["slow"], slow=slow):
        handle = await authored.start(await authored.publish(*steps))
        await started.wait()
        await handle.cancel()
        release.set()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    detail = await authored.detail(handle)
    assert detail.run.status == "CANCELED"
    assert [row.fields["status"] for row in detail.actions][:LOCAL_CALLS] == ["SUCCEEDED"] * LOCAL_CALLS
    assert len(detail.actions) < len(steps)


async def test_a_local_action_of_a_lost_worker_is_done_once_under_its_key(authored: Authored) -> None:
    started = asyncio.Event()
    calls: list[tuple[str, bool]] = []

    async def charge(call: ActionCall) -> Any:
        calls.append((call.idempotency_key, call.recovered))
        if len(calls) == 1:
            started.set()
            await asyncio.Event().wait()
        return {"recovered": call.recovered}

    async with authored.serving(local=["charge"], charge=charge):
        handle = await authored.start(await authored.publish(action("pay", "charge", saveAs="paid")))
        await started.wait()
    async with authored.serving(local=["charge"], charge=charge):
        result = await handle.result()
    assert result["vars"]["paid"] == {"recovered": True}
    assert [recovered for _, recovered in calls] == [False, True]
    assert len({key for key, _ in calls}) == 1
    assert [row.key for row in (await authored.detail(handle)).actions] == ["root.steps[0]#1"]
    assert run_id_of(handle) in calls[0][0]
