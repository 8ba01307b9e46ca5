"""What other people's workers and callers send, read or not: a step fails with a type, and no run hangs."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from tests.fixtures.authored import PATIENCE_SECONDS, Authored, Handle, action, assign

from workflow_runtime.core.contract import ACTION_ACTIVITY

FOREIGN = "somebody-elses"
type Answer = Callable[[], Any]


def raw(content: bytes, encoding: str = "json/plain") -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=content))


def nested(depth: int) -> RawValue:
    return raw(b"[" * depth + b"]" * depth)


UNREADABLE: dict[str, RawValue] = {
    "no JSON": raw(b"{"),
    "no text": raw(b"\xff\xfe"),
    "NaN": raw(b'{"a": NaN}'),
    "half a surrogate pair": raw(b'"\\ud800"'),
    "a number without end": raw(b"9" * 5_000),
    "nested deeper than values may be": nested(150),
    "nested deeper than is read": nested(5_000),
    "bytes": raw(b"\x00\x01", "binary/plain"),
    "encrypted": raw(b"x", "binary/encrypted"),
    "no encoding": RawValue(Payload(data=b"1")),
}


def serving(client: Client, answer: Answer) -> Worker:
    """A worker of somebody else, whose every action does this."""

    @activity.defn(name=ACTION_ACTIVITY)
    async def execute(request: Any) -> Any:
        return answer()

    return Worker(client, task_queue=FOREIGN, activities=[execute])


async def failure_of(authored: Authored, handle: Handle) -> ApplicationError:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await authored.failure(handle)


async def started(authored: Authored) -> Handle:
    return await authored.start(await authored.publish(action("a", "echo"), queues={"test.echo@1": FOREIGN}))


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_answer_that_cannot_be_read_fails_the_step(authored: Authored, value: RawValue) -> None:
    async with authored.serving(), serving(authored.client, lambda: value):
        failure = await failure_of(authored, await started(authored))
    assert failure.type == "WorkflowRuntimeV2.ValidationError"
    assert failure.details[0]["code"] in ("NOT_JSON", "UNREADABLE_ANSWER")


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_failure_with_details_that_cannot_be_read_keeps_category_and_message(
    authored: Authored, value: RawValue
) -> None:
    def refuse() -> None:
        raise ApplicationError("no such customer", value, type="WorkflowRuntimeV2.ValidationError", non_retryable=True)

    async with authored.serving(), serving(authored.client, refuse):
        failure = await failure_of(authored, await started(authored))
    assert (failure.type, failure.message) == ("WorkflowRuntimeV2.ValidationError", "no such customer")


async def test_signals_and_updates_that_cannot_be_read_leave_the_run_as_it_was(authored: Authored) -> None:
    wait = {"id": "w", "type": "event.wait", "config": {"eventName": "GO", "correlationKey": None}}
    async with authored.serving():
        handle = await authored.start(await authored.publish(wait))
        await authored.waiting(handle, "waitForEvent")
        for value in UNREADABLE.values():
            for name in (
                "workflowRuntimeV2Event",
                "workflowRuntimeV2HumanTask",
                "workflowRuntimeV2QuotaResume",
                "none",
            ):
                await handle.signal(name, value)
            with pytest.raises(Exception, match="update"):
                await handle.execute_update("workflowRuntimeV2CompleteTask", value)
        await handle.signal("workflowRuntimeV2Event", {"eventId": "e", "eventName": "GO", "payload": 1})
        await handle.result()


@pytest.mark.parametrize("value", UNREADABLE.values(), ids=UNREADABLE)
async def test_a_run_started_with_something_unreadable_fails_with_a_type(authored: Authored, value: RawValue) -> None:
    async with authored.serving():
        handle = await authored.client.start_workflow(
            "workflowRuntimeV2RunWorkflow",
            value,
            id=f"workflow-runtime-v2:run:{id(value)}",
            task_queue="workflow-runtime-v2",
        )
        failure = await failure_of(authored, handle)
    assert failure.type == "WorkflowRuntimeV2.ValidationError"


@pytest.mark.parametrize("depth", [100, 128, 129, 198, 300])
async def test_a_payload_is_carried_whole_or_refused_whatever_its_depth(authored: Authored, depth: int) -> None:
    steps = [assign("a", copy="payload")]
    value = json.loads("[" * depth + "]" * depth)
    async with authored.serving():
        handle = await authored.start(await authored.publish(*steps), value)
        if depth <= 128:
            assert (await handle.result())["payload"] == value
        else:
            assert (await failure_of(authored, handle)).details[0]["code"] == "NOT_JSON"


LARGE = "x" * 1_500_000


@pytest.mark.parametrize("caught", [False, True])
@pytest.mark.parametrize("where", ["message", "details", "type"])
async def test_a_failure_of_any_size_ends_the_step_and_the_run(authored: Authored, where: str, caught: bool) -> None:
    def refuse() -> None:
        told = {"message": "no", "details": {"message": "no", "details": {"d": LARGE}}}
        match where:
            case "message":
                raise ApplicationError(LARGE, type="WorkflowRuntimeV2.ActionError", non_retryable=True)
            case "details":
                raise ApplicationError("no", told["details"], type="WorkflowRuntimeV2.ActionError", non_retryable=True)
        raise ApplicationError("no", type=LARGE, non_retryable=True)

    call = action("a", "echo")
    steps = [{"id": "t", "type": "control.tryCatch", "try": [call], "catch": [assign("b", kind="error.category")]}]
    async with authored.serving(), serving(authored.client, refuse), asyncio.timeout(PATIENCE_SECONDS):
        published = await authored.publish(*(steps if caught else [call]), queues={"test.echo@1": FOREIGN})
        handle = await authored.start(published)
        if caught:
            assert (await handle.result())["vars"]["kind"] == "ActionError"
        else:
            failure = await authored.failure(handle)
            assert failure.type == "WorkflowRuntimeV2.ActionError"
        detail = await authored.detail(handle)
        assert detail.run.status == ("SUCCEEDED" if caught else "FAILED")
