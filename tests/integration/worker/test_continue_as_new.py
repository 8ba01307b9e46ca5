"""A run whose history grows long goes on in a new one and has lost nothing."""

from typing import Any

from tests.fixtures.authored import Authored, Handle, action, assign, eventually, run_id_of, send_event, wait

from workflow_runtime.service.action_dispatch import ActionCall


def _loop(count: int, *body: dict[str, Any]) -> dict[str, Any]:
    items = {"$expr": str(list(range(count)))}
    return {"id": "loop", "type": "control.forEach", "items": items, "itemVar": "n", "body": list(body)}


async def _has_had_histories(authored: Authored, handle: Handle, more_than: int) -> None:
    """Return once Temporal lists more than so many histories of the run."""

    async def enough() -> bool | None:
        runs = [run async for run in authored.client.list_workflows(f"WorkflowId = '{handle.id}'")]
        return True if len(runs) > more_than else None

    await eventually(enough)


async def test_every_iteration_runs_once_over_several_histories(short_lived: Authored) -> None:
    keys: list[str] = []

    async def count(call: ActionCall) -> Any:
        keys.append(call.idempotency_key)
        return len(keys)

    collect = assign("add", seen="append(coalesce(vars.seen, []), vars.last)")
    steps = _loop(30, action("hit", "count", input={"n": {"$expr": "n"}}, saveAs="last"), collect)
    async with short_lived.serving(count=count):
        handle = await short_lived.start(await short_lived.publish(steps))
        result = await handle.result()
    assert result["vars"]["seen"] == list(range(1, 31))
    assert len(set(keys)) == len(keys) == 30
    await _has_had_histories(short_lived, handle, more_than=3)
    detail = await short_lived.detail(handle)
    assert (detail.run.status, detail.run.step_count) == ("SUCCEEDED", 61)
    assert [action.fields["status"] for action in detail.actions] == ["SUCCEEDED"] * 30


async def test_received_and_taken_events_survive(short_lived: Authored) -> None:
    workflow_id = await short_lived.publish(
        wait("first", "START"),
        _loop(30, action("hit", "echo")),
        wait("second", "START", timeoutMs=1500, assign={"vars.who": {"$expr": "event.who"}}),
        wait("third", "NEVER", timeoutMs=200),
    )
    async with short_lived.serving():
        handle = await short_lived.start(workflow_id)
        await short_lived.waiting(handle, "waitForEvent")
        await send_event(handle, "taken", "START", "7", {"who": "first"})
        await send_event(handle, "kept", "START", "7", {"who": "second"})
        await send_event(handle, "taken", "START", "7", {"who": "first"})
        error = await short_lived.failure(handle)
    assert (error.type, error.details[0]["nodePath"]) == ("WorkflowRuntimeV2.TimeoutError", "root.steps[3]")
    await _has_had_histories(short_lived, handle, more_than=3)
    waits = (await short_lived.detail(handle)).waits
    assert [row.fields.get("eventId") for row in waits] == ["taken", "kept", None]


async def test_a_wait_under_many_events_goes_on_in_a_new_history_and_keeps_its_timeout(short_lived: Authored) -> None:
    large = [{"path": "n", "op": ">", "value": 1000}]
    workflow_id = await short_lived.publish(wait("w", "TICK", filters=large, assign={"vars.n": {"$expr": "event.n"}}))
    async with short_lived.serving():
        handle = await short_lived.start(workflow_id)
        opened = await short_lived.waiting(handle, "waitForEvent")
        for number in range(60):
            await send_event(handle, f"e{number}", "TICK", "7", {"n": number})
            await handle.query("workflowRuntimeV2CurrentStep")
        assert (await short_lived.waiting(handle, "waitForEvent"))["waitId"] == opened["waitId"]
        await send_event(handle, "large", "TICK", "7", {"n": 2000})
        assert (await handle.result())["vars"]["n"] == 2000
    await _has_had_histories(short_lived, handle, more_than=1)


async def test_a_task_response_sent_while_the_history_changes_is_not_lost(short_lived: Authored) -> None:
    task = {"id": "ask", "type": "human.task", "config": {"taskType": "t", "title": "T"}}
    workflow_id = await short_lived.publish(task)
    async with short_lived.serving():
        handle = await short_lived.start(workflow_id)
        opened = await short_lived.waiting(handle, "waitForTask")
        for number in range(60):
            await send_event(handle, f"e{number}", "NOISE", None)
        await handle.signal("workflowRuntimeV2HumanTask", {"taskId": opened["taskId"], "payload": {"ok": 1}})
        assert (await handle.result())["vars"]["event"] == {"ok": 1}


async def test_a_retry_in_progress_keeps_its_count(short_lived: Authored) -> None:
    attempts: list[int] = []

    async def fail(call: ActionCall) -> Any:
        attempts.append(call.context.attempt)
        raise ValueError("never")

    retry = {"maxAttempts": 12, "backoffMs": 1, "backoffMultiplier": 1}
    async with short_lived.serving(fail=fail):
        handle = await short_lived.start(await short_lived.publish(action("f", "fail", retry=retry)))
        await short_lived.failure(handle)
    assert attempts == list(range(1, 13))
    await _has_had_histories(short_lived, handle, more_than=1)


async def test_cancelling_after_the_history_changed_ends_the_run(short_lived: Authored) -> None:
    workflow_id = await short_lived.publish(_loop(12, action("hit", "echo")), wait("w", "PAID"))
    async with short_lived.serving():
        handle = await short_lived.start(workflow_id)
        await short_lived.waiting(handle, "waitForEvent")
        await _has_had_histories(short_lived, handle, more_than=1)
        await handle.cancel()

        async def row() -> str | None:
            found = await short_lived.runs.get_run("acme", run_id_of(handle))
            return found.status if found and found.status == "CANCELED" else None

        assert await eventually(row) == "CANCELED"
