"""Values too large for a history: they stand in Redis, and a run with them neither hangs nor bloats its history."""

from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from tests.fixtures.authored import Authored, Handle, action, assign, eventually, send_event, wait

from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.service.large_payloads import INLINE_BYTES

MIB = 1024 * 1024


async def _largest_event(handle: Handle) -> int:
    history: WorkflowHistory = await handle.fetch_history()
    return max(event.ByteSize() for event in history.events)


async def test_a_run_with_a_payload_of_five_mebibytes_finishes_with_a_small_history(authored: Authored) -> None:
    workflow_id = await authored.publish(
        action("size", "echo", input={"n": {"$expr": "len(payload.text)"}}, saveAs="size"),
        wait("w", "PAID"),
    )
    payload = {"text": "x" * (5 * MIB)}
    async with authored.serving():
        handle = await authored.start(workflow_id, payload)
        await authored.waiting(handle, "waitForEvent")
        await send_event(handle, "e", "PAID", "7", {"text": "y" * MIB})
        result = await handle.result()
    assert result["vars"]["size"] == {"n": 5 * MIB}
    assert result["payload"] == payload
    assert len(result["vars"]["event"]["text"]) == MIB
    assert await _largest_event(handle) < 2 * INLINE_BYTES


async def test_a_child_takes_and_gives_large_values(authored: Authored) -> None:
    child = await authored.publish(assign("keep", kept="payload"))
    call = {"id": "call", "type": "control.callWorkflow", "workflowId": child, "workflowVersion": 1}
    given = {"inputMapping": {"text": {"$expr": "payload.part"}}}
    output = {"outputMapping": {"vars.back": {"$expr": "len(childRun.vars.kept.text)"}}}
    parent = await authored.publish({**call, **given, **output})
    async with authored.serving():
        handle = await authored.start(parent, {"part": "x" * 200_000, "rest": "y" * 3 * MIB})
        assert (await handle.result())["vars"]["back"] == 200_000


async def test_a_large_checkpoint_goes_on_in_the_next_history(short_lived: Authored) -> None:
    loop = {"id": "loop", "type": "control.forEach", "items": {"$expr": str(list(range(20)))}, "itemVar": "n"}
    workflow_id = await short_lived.publish({**loop, "body": [action("hit", "echo", saveAs="last")]})
    async with short_lived.serving():
        handle = await short_lived.start(workflow_id, {"text": "x" * 3 * MIB})
        assert len((await handle.result())["payload"]["text"]) == 3 * MIB


async def test_an_input_that_no_worker_could_be_sent_fails_typed(authored: Authored) -> None:
    workflow_id = await authored.publish(
        action("send", "echo", input={"a": {"$expr": "payload.a"}, "b": {"$expr": "payload.b"}})
    )
    parts = dict.fromkeys("abcdefgh", "x" * 200000)
    many = {name: {"$expr": f"payload.{name}"} for name in parts}
    too_large = await authored.publish(action("send", "echo", input=many))
    async with authored.serving():
        assert (await (await authored.start(workflow_id, parts)).result())["payload"] == parts
        error = await authored.failure(await authored.start(too_large, parts))
    assert error.details[0]["code"] == "INPUT_TOO_LARGE"


async def test_an_output_that_could_not_be_answered_fails_typed(authored: Authored) -> None:
    async def talks(call: ActionCall) -> Any:
        return "x" * (2 * MIB)

    async with authored.serving(slow=talks):
        error = await authored.failure(await authored.start(await authored.publish(action("talk", "slow"))))
    assert error.details[0]["code"] == "ACTION_OUTPUT_TOO_LARGE"


@pytest.mark.parametrize("damage", [None, "x"])
async def test_a_value_that_is_gone_or_damaged_is_named_and_the_run_goes_on_once_it_is_back(
    authored: Authored, damage: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(wait("w", "PAID")), {"text": "x" * MIB})
        await authored.waiting(handle, "waitForEvent")
    (key,) = await authored.redis.keys("wf:large-payload:*")
    kept = await authored.redis.get(key)
    assert isinstance(kept, str)
    await (authored.redis.delete(key) if damage is None else authored.redis.set(key, damage))
    await send_event(handle, "e", "PAID", "7")

    async def named() -> bool | None:
        return True if str(key) in caplog.text else None

    async with authored.serving():
        await eventually(named)
        await authored.redis.set(key, kept)
        assert (await handle.result())["vars"]["eventName"] == "PAID"
