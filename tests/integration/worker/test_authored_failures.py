"""Failures of authored runs: category, code and message stay as they were raised, wherever they go."""

from typing import Any

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.worker import Worker
from tests.fixtures.authored import Authored, action, assign, eventually, wait

from workflow_runtime.core.contract import ACTION_ACTIVITY, ActionRequest
from workflow_runtime.core.errors import Category, Failure, failure_error
from workflow_runtime.service.action_dispatch import ActionCall

HANDLEABLE = [category for category in Category if category not in (Category.CANCELLATION, Category.CORRUPTION)]


async def _fail(call: ActionCall) -> Any:
    raise failure_error(Failure.model_validate(call.input, strict=False))


def _failing(category: str, **more: Any) -> dict[str, Any]:
    given = {"category": category, "code": "SOME_CODE", "message": "What happened.", "details": {"n": 1}}
    return action("fail", "fail", input=given, **more)


def _catching(step: dict[str, Any]) -> dict[str, Any]:
    note = assign("note", seen="error")
    return {"id": "try", "type": "control.tryCatch", "try": [step], "catch": [note], "captureErrorAs": "caught"}


@pytest.mark.parametrize("category", [item for item in HANDLEABLE if item is not Category.QUOTA])
async def test_an_actions_failure_is_the_runs_failure_with_place_and_time(
    authored: Authored, category: Category
) -> None:
    async with authored.serving(fail=_fail):
        handle = await authored.start(await authored.publish(_failing(category)))
        error = await authored.failure(handle)
    assert (error.type, error.message) == (f"WorkflowRuntimeV2.{category}", "What happened.")
    record = error.details[0]
    assert (record["category"], record["code"], record["message"], record["details"], record["nodePath"]) == (
        category,
        "SOME_CODE",
        "What happened.",
        {"n": 1},
        "root.steps[0]",
    )
    assert record["at"].endswith("Z")
    row = (await authored.detail(handle)).run
    assert row.error is not None
    assert (row.status, row.error.category, row.error.code) == ("FAILED", category, "SOME_CODE")


async def test_a_caught_failure_shows_its_record_and_the_run_goes_on(authored: Authored) -> None:
    async with authored.serving(fail=_fail):
        result = await authored.result(_catching(_failing("TransientError")))
    seen = result["vars"]["seen"]
    assert (seen["category"], seen["code"], seen["message"]) == ("TransientError", "SOME_CODE", "What happened.")
    assert result["vars"]["caught"] == seen


async def test_a_retry_runs_the_action_again_and_shows_every_attempt(authored: Authored) -> None:
    attempts: list[int] = []

    async def third_time(call: ActionCall) -> Any:
        attempts.append(call.context.attempt)
        if len(attempts) < 3:
            raise failure_error(Failure(category=Category.TRANSIENT, message="not yet"))
        return "done"

    retry = {"maxAttempts": 3, "backoffMs": 10}
    async with authored.serving(count=third_time):
        handle = await authored.start(await authored.publish(action("try", "count", saveAs="out", retry=retry)))
        assert (await handle.result())["vars"]["out"] == "done"
    assert attempts == [1, 2, 3]
    statuses = [step.fields["status"] for step in (await authored.detail(handle)).steps]
    assert statuses == ["RETRY_SCHEDULED", "RETRY_SCHEDULED", "SUCCEEDED"]


async def test_a_used_up_quota_waits_for_the_resume_signal(authored: Authored) -> None:
    calls: list[str] = []

    async def second_time(call: ActionCall) -> Any:
        calls.append(call.idempotency_key)
        if len(calls) == 1:
            raise failure_error(Failure(category=Category.QUOTA, message="no credits"))
        return "done"

    async with authored.serving(count=second_time):
        handle = await authored.start(await authored.publish(action("spend", "count", saveAs="out")))
        opened = await authored.waiting(handle, "waitForQuota")
        await handle.signal("workflowRuntimeV2QuotaResume", {"waitId": opened["waitId"], "resumedBy": "ann"})
        assert (await handle.result())["vars"]["out"] == "done"


async def _foreign_plain(request: ActionRequest) -> Any:
    raise ValueError("out of paper")


async def _foreign_typed(request: ActionRequest) -> Any:
    record = {"category": "TransientError", "code": "BUSY", "message": "busy", "details": {"line": 2}}
    raise ApplicationError("busy", record, type="WorkflowRuntimeV2.TransientError", non_retryable=True)


@pytest.mark.parametrize(
    ("foreign", "expected"),
    [
        (_foreign_plain, ("ActionError", "ValueError", "out of paper")),
        (_foreign_typed, ("TransientError", "BUSY", "busy")),
    ],
)
async def test_a_worker_of_somebody_else_serves_actions_on_its_own_queue(
    authored: Authored, foreign: Any, expected: tuple[str, str, str]
) -> None:
    queue = f"printers-{foreign.__name__}"
    workflow_id = await authored.publish(_catching(action("print", "echo")), queues={"test.echo@1": queue})
    execute = activity.defn(name=ACTION_ACTIVITY)(foreign)
    async with authored.serving(), Worker(authored.client, task_queue=queue, activities=[execute]):
        handle = await authored.start(workflow_id)
        caught = (await handle.result())["vars"]["caught"]
    assert (caught["category"], caught["code"], caught["message"]) == expected


async def test_a_child_gives_its_result_to_its_parent_and_is_a_run_of_its_own(authored: Authored) -> None:
    child = await authored.publish(assign("double", twice="payload.n * 2"))
    parent = await authored.publish(_call(child, {"n": 21}, {"vars.answer": {"$expr": "childRun.vars.twice"}}))
    async with authored.serving():
        handle = await authored.start(parent)
        assert (await handle.result())["vars"]["answer"] == 42
    detail = await authored.detail(handle)
    (child_id,) = detail.child_run_ids
    row = await authored.runs.get_run("acme", child_id)
    assert row is not None
    assert (row.status, row.parent_run_id, row.root_run_id, row.trigger_type) == (
        "SUCCEEDED",
        detail.run.run_id,
        detail.run.run_id,
        "child",
    )


async def test_a_childs_failure_keeps_code_and_message_and_shows_its_record(authored: Authored) -> None:
    child = await authored.publish(_failing("TransientError"))
    parent = await authored.publish(_catching(_call(child, {})))
    async with authored.serving(fail=_fail):
        handle = await authored.start(parent)
        caught = (await handle.result())["vars"]["caught"]
    assert (caught["category"], caught["code"], caught["message"]) == (
        "ChildWorkflowError",
        "SOME_CODE",
        "What happened.",
    )
    assert caught["details"]["cause"]["category"] == "TransientError"


async def test_a_child_that_does_not_exist_is_a_child_workflow_error(authored: Authored) -> None:
    parent = await authored.publish(_catching(_call("no-such-workflow", {})))
    async with authored.serving():
        handle = await authored.start(parent)
        caught = (await handle.result())["vars"]["caught"]
    assert (caught["category"], caught["code"]) == ("ChildWorkflowError", "CALL_WORKFLOW_UNKNOWN")


async def test_cancelling_a_parent_cancels_its_child(authored: Authored) -> None:
    child = await authored.publish(wait("w", "PAID"))
    parent = await authored.publish(_call(child, {}))
    async with authored.serving():
        handle = await authored.start(parent)
        child_id = await _only_child(authored, handle)
        await authored.waiting(authored.handle(child_id), "waitForEvent")
        await handle.cancel()
        for each in (handle, authored.handle(child_id)):
            with pytest.raises(WorkflowFailureError) as ended:
                await each.result()
            assert isinstance(ended.value.cause, CancelledError)
    for run_id in (child_id, (await authored.detail(handle)).run.run_id):
        row = await authored.runs.get_run("acme", run_id)
        assert row is not None
        assert row.status == "CANCELED"


async def test_a_child_that_is_cancelled_alone_fails_its_parent_and_does_not_cancel_it(authored: Authored) -> None:
    child = await authored.publish(wait("w", "PAID"))
    parent = await authored.publish(_catching(_call(child, {})))
    async with authored.serving():
        handle = await authored.start(parent)
        child_id = await _only_child(authored, handle)
        await authored.waiting(authored.handle(child_id), "waitForEvent")
        await authored.handle(child_id).cancel()
        caught = (await handle.result())["vars"]["caught"]
    assert (caught["category"], caught["code"]) == ("ChildWorkflowError", "CHILD_CANCELED")


async def _only_child(authored: Authored, handle: Any) -> str:
    async def found() -> str | None:
        children = (await authored.detail(handle)).child_run_ids
        return children[0] if children else None

    return await eventually(found)


def _call(workflow_id: str, given: Any, output: dict[str, Any] | None = None) -> dict[str, Any]:
    step = {"id": "call", "type": "control.callWorkflow", "workflowId": workflow_id, "workflowVersion": 1}
    return {**step, "inputMapping": given, **({"outputMapping": output} if output else {})}
