"""What is recorded: together these runs go through every step type and every way of the shell. Tests only."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from tests.fixtures.authored import (
    IMAGE,
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

from workflow_runtime.core.actions import BUILTIN_SPECS, ActionPin
from workflow_runtime.core.contract import (
    ACTION_ACTIVITY,
    AUTHORED_QUEUE,
    SCHEDULED_START_WORKFLOW_TYPE,
    ActionRequest,
    ScheduledStart,
)
from workflow_runtime.core.errors import Failure, TransientFailure, failure_error
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.service.action_metrics import ActionMetrics
from workflow_runtime.store.events import EventIntake, EventLedger, EventSource, NewEvent
from workflow_runtime.store.waits import event_signal
from workflow_worker.__main__ import _worker as workflow_worker
from workflow_worker.action_calls import LOCAL_CALLS
from workflow_worker.ingress.temporal_gateway import TemporalRunGateway
from workflow_worker.settings import WorkflowWorkerSettings

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
PLAYED: Final = [path for path in sorted(EXAMPLES.glob("*.json")) if not path.stem.endswith(".run")]

type Scenario = Callable[[Authored], Awaitable[Handle]]
"""Runs to an end on a real server, with workers of its own; the history of the handle is what is kept."""


async def _ended(handle: Handle) -> Handle:
    """Wait for the end, whatever it is."""

    async def closed() -> bool | None:
        return True if (await handle.describe()).close_time else None

    await eventually(closed)
    return handle


async def pure_steps(authored: Authored) -> Handle:
    """Control flow and pure steps; ends by a return from inside blocks."""
    workflow_id = await authored.publish(
        {"id": "state", "type": "state.set", "config": {"state": "TRIAGE"}},
        assign("sum", total="payload.a + payload.b"),
        {
            "id": "parse",
            "type": "email.parseBody",
            "config": {"text": {"$expr": "'Hello'"}, "saveAs": "vars.parsed"},
        },
        {
            "id": "render",
            "type": "email.renderCommentBlocks",
            "config": {"text": {"$expr": "'x'"}, "saveAs": "vars.blocks"},
        },
        {
            "id": "loop",
            "type": "control.forEach",
            "items": {"$expr": "[1, 2, 3]"},
            "itemVar": "n",
            "body": [
                {
                    "id": "if",
                    "type": "control.if",
                    "condition": {"$expr": "n = 3"},
                    "then": [{"id": "return", "type": "control.return"}],
                    "else": [assign("seen", last="n")],
                }
            ],
        },
    )
    async with authored.serving():
        return await _ended(await authored.start(workflow_id, {"a": 1, "b": 2}))


async def many_pure_steps(authored: Authored) -> Handle:
    """More pure steps than one slice holds."""
    items = {"$expr": str(list(range(150)))}
    body = [assign("a", x="n"), assign("b", y="x + 1")]
    workflow_id = await authored.publish(
        {"id": "loop", "type": "control.forEach", "items": items, "itemVar": "n", "body": body}
    )
    async with authored.serving():
        return await _ended(await authored.start(workflow_id))


async def actions_and_waits(authored: Authored) -> Handle:
    """Actions, an event wait, a duplicate event, and a timer."""
    workflow_id = await authored.publish(
        action("first", "echo", input={"n": 1}, saveAs="first"),
        wait("paid", "PAID", {"$expr": "payload.ticket"}, assign={"vars.by": {"$expr": "event.by"}}),
        {"id": "pause", "type": "time.wait", "config": {"mode": "duration", "durationMs": 50}},
        action("second", "echo", input={"by": {"$expr": "vars.by"}}),
    )
    async with authored.serving():
        handle = await authored.start(workflow_id, {"ticket": "T1"})
        await authored.waiting(handle, "waitForEvent")
        for event_id in ("other", "e1", "e1"):
            await send_event(handle, event_id, "PAID" if event_id == "e1" else "OTHER", "T1", {"by": "ann"})
        return await _ended(handle)


async def retries_and_handlers(authored: Authored) -> Handle:
    """A retry with jitter, onError continue, and a caught failure."""

    async def fail(call: ActionCall) -> Any:
        raise failure_error(Failure.model_validate(call.input, strict=False))

    failing = {"category": "TransientError", "message": "busy"}
    workflow_id = await authored.publish(
        action(
            "skip", "fail", input=failing, retry={"maxAttempts": 3, "backoffMs": 20}, onError={"policy": "continue"}
        ),
        {
            "id": "try",
            "type": "control.tryCatch",
            "try": [action("caught", "fail", input=failing)],
            "catch": [assign("note", message="error.message")],
        },
        action("last", "fail", input=failing),
    )
    async with authored.serving(fail=fail):
        return await _ended(await authored.start(workflow_id))


async def timeouts(authored: Authored) -> Handle:
    """An event wait that times out and ends the run."""
    async with authored.serving():
        return await _ended(await authored.start(await authored.publish(wait("w", "NEVER", timeoutMs=50))))


async def human_task(authored: Authored) -> Handle:
    """A task answered by an update after a refused signal."""
    config = {"taskType": "approval", "title": "Approve?", "assign": {"vars.ok": {"$expr": "event.approved"}}}
    workflow_id = await authored.publish({"id": "ask", "type": "human.task", "config": config})
    async with authored.serving():
        handle = await authored.start(workflow_id)
        opened = await authored.waiting(handle, "waitForTask")
        await handle.signal("workflowRuntimeV2HumanTask", {"taskId": opened["taskId"], "payload": {}})
        answer = {"taskId": opened["taskId"], "payload": {"approved": True}}
        await handle.execute_update("workflowRuntimeV2CompleteTask", answer)
        return await _ended(handle)


async def second_arguments(authored: Authored) -> Handle:
    """A child that is given its origin, and a task whose response says who gave it."""
    child = await authored.publish(assign("twice", answer="payload.n * 2"))
    call = {"type": "control.callWorkflow", "workflowId": child, "workflowVersion": 1, "inputMapping": {"n": 21}}
    ask = {"id": "ask", "type": "human.task", "config": {"taskType": "approval", "title": "Approve?"}}
    async with authored.serving():
        handle = await authored.start(await authored.publish({**call, "id": "call"}, ask), {"n": 1})
        opened = await authored.waiting(handle, "waitForTask")
        response = {"taskId": opened["taskId"], "payload": {"approved": True}}
        await handle.execute_update("workflowRuntimeV2CompleteTask", args=[response, "ann"])
        return await _ended(handle)


async def quota(authored: Authored) -> Handle:
    """An action out of quota, resumed by signal."""
    calls: list[str] = []

    async def second_time(call: ActionCall) -> Any:
        calls.append(call.idempotency_key)
        if len(calls) == 1:
            raise failure_error(Failure.model_validate({"category": "QuotaExceeded", "message": "none"}, strict=False))
        return len(calls)

    async with authored.serving(count=second_time):
        handle = await authored.start(await authored.publish(action("spend", "count")))
        await authored.waiting(handle, "waitForQuota")
        await handle.signal("workflowRuntimeV2QuotaResume", {})
        return await _ended(handle)


async def child_run(authored: Authored) -> Handle:
    """A child that succeeds and one that fails."""
    good = await authored.publish(assign("twice", answer="payload.n * 2"))
    bad = await authored.publish(assign("broken", answer="payload.missing"))
    call = {"type": "control.callWorkflow", "workflowVersion": 1, "inputMapping": {"n": 21}}
    output = {"vars.answer": {"$expr": "childRun.vars.answer"}}
    workflow_id = await authored.publish(
        {**call, "id": "good", "workflowId": good, "outputMapping": output},
        {**call, "id": "bad", "workflowId": bad, "onError": {"policy": "continue"}},
    )
    async with authored.serving():
        return await _ended(await authored.start(workflow_id))


async def cancelled(authored: Authored) -> Handle:
    """A run cancelled while it waits, in a block whose catch must not run."""
    body = {"id": "try", "type": "control.tryCatch", "try": [wait("w", "PAID")], "catch": [assign("no", x="1")]}
    async with authored.serving():
        handle = await authored.start(await authored.publish(body))
        await authored.waiting(handle, "waitForEvent")
        await handle.cancel()
        return await _ended(handle)


async def lost_worker(authored: Authored) -> Handle:
    """An action given up by one worker and finished by the next."""

    async def hangs(call: ActionCall) -> Any:
        await authored.redis.set("test:started", "1")
        await eventually(_never)

    async def started() -> bool | None:
        return True if await authored.redis.get("test:started") else None

    async with authored.serving(slow=hangs):
        handle = await authored.start(await authored.publish(action("slow", "slow")))
        await eventually(started)
    async with authored.serving(slow=_answers):
        return await _ended(handle)


async def _never() -> None:
    return None


async def _answers(call: ActionCall) -> Any:
    return {"recovered": call.recovered}


async def abandoned(authored: Authored) -> Handle:
    """A run whose definition does not have the hash it was started with."""
    workflow_id = await authored.publish(assign("a", x="1"))
    handle = await authored.start(workflow_id)
    key = f"wf:{{{TENANT}}}:run:{run_id_of(handle)}"
    await authored.redis.hset(key, "definitionHash", "0" * 64)
    async with authored.serving():
        return await _ended(handle)


async def continued(authored: Authored) -> Handle:
    """A loop of actions over several histories."""
    items = {"$expr": str(list(range(12)))}
    body = [action("hit", "echo", input={"n": {"$expr": "n"}})]
    workflow_id = await authored.publish(
        {"id": "loop", "type": "control.forEach", "items": items, "itemVar": "n", "body": body}
    )
    async with authored.serving():
        return await _ended(await authored.start(workflow_id))


async def local_actions(authored: Authored) -> Handle:
    """Actions done within the workflow task: more than one task holds, a failure, one that is retried, and a wait."""
    items = {"$expr": str(list(range(LOCAL_CALLS + 2)))}
    body = [action("each", "echo", input={"n": {"$expr": "n"}}, saveAs="vars.last")]
    loop = {"id": "loop", "type": "control.forEach", "items": items, "itemVar": "n", "body": body}
    retried = action("retried", "fail", retry={"maxAttempts": 2, "backoffMs": 20}, onError={"policy": "continue"})
    caught = {"id": "try", "type": "control.tryCatch", "try": [action("caught", "fail")], "captureErrorAs": "failed"}
    steps = (loop, retried, {**caught, "catch": [wait("paid", "PAID")]}, action("after", "echo", input={"n": 1}))
    workflow_id = await authored.publish(*steps)
    async with authored.serving(local=["echo", "fail"], fail=_failing):
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        await send_event(handle, "e", "PAID", "7")
        return await _ended(handle)


async def _failing(call: ActionCall) -> Any:
    raise TransientFailure("not now", code="NOT_NOW")


async def order_of_acceptance(authored: Authored) -> Handle:
    """A wait that takes the event it looks up before one that was sent to the run earlier; what it took decides."""

    async def accept_two(call: ActionCall) -> Any:
        paid = [NewEvent(tenant=TENANT, event_name="PAID", payload={"n": n}, correlation_key="7") for n in range(2)]
        recorded = await EventIntake(authored.redis).accept([event.incoming() for event in paid], EventSource.API)
        (later,) = await EventLedger(authored.redis).read(TENANT, [recorded[1].event_id])
        gateway = TemporalRunGateway(authored.client, authored.redis)
        assert await gateway.signal_run(TENANT, call.context.run_id, event_signal(later, "7"))

    first = wait("first", "PAID", assign={"vars.n": {"$expr": "event.n"}})
    then = [action("acted", "echo", input={"n": {"$expr": "n"}})]
    branch = {"id": "branch", "type": "control.if", "condition": {"$expr": "n = 0"}, "then": then}
    workflow_id = await authored.publish(action("before", "slow"), first, branch, wait("second", "PAID"))
    async with authored.serving(slow=accept_two):
        return await _ended(await authored.start(workflow_id))


PRINTERS = "printers"


@activity.defn(name=ACTION_ACTIVITY)
async def _print(request: ActionRequest) -> Any:
    if request.input == {"pages": 0}:
        raise ApplicationError("out of paper", {"message": "out of paper"}, type="WorkflowRuntimeV2.TransientError")
    return request.input


async def foreign_actions(authored: Authored) -> Handle:
    """Actions of somebody else: one that fits, misfits both ways, a failure, and a queue that nobody polls."""
    pages = {"type": "object", "properties": {"pages": {"type": "integer"}}}
    few = {"properties": {"pages": {"maximum": 9}}}
    limits: dict[str, Any] = {"timeout_ms": 60_000, "heartbeat_timeout_ms": 30_000}
    skip = {"policy": "continue"}
    workflow_id = await authored.publish(
        action("fits", "echo", input={"pages": 1}, saveAs="vars.out"),
        action("input", "echo", input={"pages": "all"}, onError=skip),
        action("output", "echo", input={"pages": 10}, onError=skip),
        action("fails", "echo", input={"pages": 0}, retry={"maxAttempts": 2, "backoffMs": 20}, onError=skip),
        action("nobody", "fail", onError=skip),
        queues={"test.echo@1": PRINTERS, "test.fail@1": "nobody"},
        pins={
            "test.echo@1": ActionPin(input_schema=pages, output_schema=few, **limits),
            "test.fail@1": ActionPin(input_schema=True, output_schema=True, schedule_timeout_ms=50),
        },
    )
    async with authored.serving(), Worker(authored.client, task_queue=PRINTERS, activities=[_print]):
        return await _ended(await authored.start(workflow_id))


async def scheduled_start(authored: Authored) -> Handle:
    """A firing of a schedule, up to the start of its run."""
    workflow_id = await authored.publish(assign("a", x="1"))
    firing = ScheduledStart(
        tenant_id=TENANT,
        workflow_id=workflow_id,
        workflow_version=1,
        schedule_id="schedule-1",
        trigger_type="recurring",
        timezone="UTC",
        cron="0 3 * * *",
    )
    async with authored.serving():
        return await _ended(
            await authored.client.start_workflow(
                SCHEDULED_START_WORKFLOW_TYPE, firing, id="firing-1", task_queue=AUTHORED_QUEUE
            )
        )


def _example(name: str) -> Scenario:
    """The example of that name, played by the worker as its main wires it."""

    async def play(authored: Authored) -> Handle:
        definition = json.loads((EXAMPLES / f"{name}.json").read_text())
        script = json.loads((EXAMPLES / f"{name}.run.json").read_text())
        queues = {spec.key: spec.task_queue for spec in BUILTIN_SPECS}
        await authored.catalog.publish(TENANT, name, definition["version"], definition, action_queues=queues)
        first, *later = script["events"] if "events" in script else [{"payload": script["start"]}]
        settings, metrics = WorkflowWorkerSettings(), ActionMetrics(CollectorRegistry())
        async with workflow_worker(authored.client, authored.redis, settings, IMAGE, metrics) as worker, worker:
            handle = await authored.start(name, first["payload"])
            for event in later:
                opened = await authored.waiting(handle, "waitForEvent")
                assert opened["eventName"] == event["eventName"]
                await send_event(handle, "later", opened["eventName"], opened["correlationKey"], event["payload"])
            return await _ended(handle)

    return play


SCENARIOS: dict[str, Scenario] = {f"example-{path.stem}": _example(path.stem) for path in PLAYED} | {
    scenario.__name__: scenario
    for scenario in (
        pure_steps,
        many_pure_steps,
        actions_and_waits,
        retries_and_handlers,
        timeouts,
        human_task,
        second_arguments,
        quota,
        child_run,
        local_actions,
        order_of_acceptance,
        cancelled,
        lost_worker,
        abandoned,
        continued,
        foreign_actions,
        scheduled_start,
    )
}
