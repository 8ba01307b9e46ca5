"""Waits of authored runs: events once each, early ones too, timers, and tasks that refuse a bad answer."""

from typing import Any

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from tests.fixtures.authored import TENANT, Authored, Handle, action, eventually, run_id_of, send_event, wait

from workflow_runtime.core.contract import EventSignal
from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.store.events import EventIntake, EventLedger, EventSource, NewEvent
from workflow_runtime.store.tasks import TaskRow
from workflow_runtime.store.waits import event_signal
from workflow_worker.ingress.temporal_gateway import TemporalRunGateway

COMPLETE_TASK = "workflowRuntimeV2CompleteTask"


async def test_an_event_delivered_five_times_satisfies_one_wait(authored: Authored) -> None:
    workflow_id = await authored.publish(
        wait("one", "PAID", assign={"vars.first": {"$expr": "event.n"}}),
        wait("two", "PAID", assign={"vars.second": {"$expr": "event.n"}}),
    )
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        for _ in range(5):
            await send_event(handle, "e1", "PAID", "7", {"n": 1})
        await send_event(handle, "e2", "PAID", "7", {"n": 2})
        result = await handle.result()
    assert (result["vars"]["first"], result["vars"]["second"]) == (1, 2)


async def test_an_event_of_another_tenant_wakes_no_run_even_when_it_is_sent_to_it(authored: Authored) -> None:
    workflow_id = await authored.publish(wait("paid", "PAID", assign={"vars.n": {"$expr": "event.n"}}))
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        gateway = TemporalRunGateway(authored.client, authored.redis)
        for number, tenant in enumerate(("globex", TENANT)):
            signal = EventSignal(event_id=f"e{number}", event_name="PAID", correlation_key="7", payload={"n": number})
            assert await gateway.signal_run(tenant, run_id_of(handle), signal)
        assert (await handle.result())["vars"]["n"] == 1


async def test_an_event_recorded_before_the_wait_opened_resumes_the_run(authored: Authored) -> None:
    async def accept(call: Any) -> Any:
        await _accept(authored, {"n": 5})

    workflow_id = await authored.publish(
        action("before", "slow"), wait("paid", "PAID", assign={"vars.n": {"$expr": "event.n"}})
    )
    async with authored.serving(slow=accept):
        handle = await authored.start(workflow_id)
        assert (await handle.result())["vars"]["n"] == 5
    assert await _open_waits(authored, handle) == 0


async def test_waits_take_events_in_the_order_of_acceptance_whatever_was_sent_first(authored: Authored) -> None:
    async def accept_three(call: ActionCall) -> Any:
        accepted = [await _accept(authored, {"n": number}) for number in range(3)]
        # As when the first came while no wait was open, and the others while the wait before was.
        gateway = TemporalRunGateway(authored.client, authored.redis)
        for event in await EventLedger(authored.redis).read(TENANT, accepted[1:]):
            assert await gateway.signal_run(TENANT, call.context.run_id, event_signal(event, "7"))

    waits = [wait(f"w{n}", "PAID", assign={f"vars.n{n}": {"$expr": "event.n"}}) for n in range(3)]
    workflow_id = await authored.publish(action("before", "slow"), *waits)
    async with authored.serving(slow=accept_three):
        handle = await authored.start(workflow_id)
        variables = (await handle.result())["vars"]
    assert [variables[f"n{n}"] for n in range(3)] == [0, 1, 2]


async def test_an_event_that_came_before_a_wait_since_wait_does_not_count(authored: Authored) -> None:
    async def accept(call: Any) -> Any:
        await _accept(authored, {"n": 5})

    workflow_id = await authored.publish(
        action("before", "slow"), wait("paid", "PAID", since="wait", assign={"vars.n": {"$expr": "event.n"}})
    )
    async with authored.serving(slow=accept):
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        await send_event(handle, "later", "PAID", "7", {"n": 6})
        assert (await handle.result())["vars"]["n"] == 6


async def _accept(authored: Authored, payload: Any) -> str:
    event = NewEvent(tenant=TENANT, event_name="PAID", payload=payload, correlation_key="7")
    [accepted] = await EventIntake(authored.redis).accept([event.incoming()], EventSource.API)
    return accepted.event_id


async def test_filters_pass_over_events_and_a_later_wait_takes_what_was_passed_over(authored: Authored) -> None:
    over_100 = [{"path": "amount", "op": ">", "value": 100}]
    workflow_id = await authored.publish(
        wait("large", "PAID", filters=over_100, assign={"vars.large": {"$expr": "event.amount"}}),
        wait("any", "PAID", assign={"vars.small": {"$expr": "event.amount"}}),
    )
    async with authored.serving():
        handle = await authored.start(workflow_id)
        await authored.waiting(handle, "waitForEvent")
        await send_event(handle, "e1", "PAID", "7", {"amount": 50})
        await send_event(handle, "e2", "PAID", "7", {"amount": 150})
        result = await handle.result()
    assert (result["vars"]["large"], result["vars"]["small"]) == (150, 50)


async def test_a_wait_that_times_out_fails_typed_and_leaves_the_index(authored: Authored) -> None:
    step = {"id": "try", "type": "control.tryCatch", "captureErrorAs": "caught"}
    workflow_id = await authored.publish({**step, "try": [wait("w", "PAID", timeoutMs=200)], "catch": []})
    async with authored.serving():
        handle = await authored.start(workflow_id)
        caught = (await handle.result())["vars"]["caught"]
    assert caught["category"] == "TimeoutError"
    assert [row.fields["status"] for row in (await authored.detail(handle)).waits] == ["TIMED_OUT"]
    assert await _open_waits(authored, handle) == 0


async def _open_waits(authored: Authored, handle: Handle) -> int:
    return await authored.waits.forget_run(TENANT, run_id_of(handle))


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "duration", "durationMs": 50},
        {"mode": "duration", "durationMs": 0},
        {"mode": "until", "until": "2020-01-01T00:00:00Z"},
    ],
)
async def test_a_timer_resumes_the_run_and_one_already_due_does_not_wait(
    authored: Authored, config: dict[str, Any]
) -> None:
    async with authored.serving():
        result = await authored.result({"id": "t", "type": "time.wait", "config": config})
    assert result["vars"]["timeWait"]["mode"] == config["mode"]


def _task(**config: Any) -> dict[str, Any]:
    outer = {"taskType": "approval", "title": "Approve?", "assign": {"vars.ok": {"$expr": "event.approved"}}}
    return {"id": "ask", "type": "human.task", "config": {**outer, **config}}


async def _open_task(authored: Authored, handle: Handle) -> TaskRow:
    async def found() -> TaskRow | None:
        tasks = await authored.tasks.of_run(TENANT, run_id_of(handle))
        return tasks[0] if tasks else None

    return await eventually(found)


async def test_a_task_is_shown_answered_and_closed(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(_task()))
        task = await _open_task(authored, handle)
        assert (task.status, task.task_type, task.title) == ("OPEN", "approval", "Approve?")
        answer = {"taskId": task.task_id, "payload": {"approved": True}}
        accepted = await handle.execute_update(COMPLETE_TASK, answer)
        result = await handle.result()
    assert result["vars"]["ok"] is True
    closed = await _open_task(authored, handle)
    assert (closed.status, closed.responded_by) == ("COMPLETED", None)
    assert accepted == {
        "taskId": task.task_id,
        "accepted": True,
        "acceptedAt": closed.closed_at,
        "respondedBy": None,
    }


@pytest.mark.parametrize("by", ["update", "signal"])
@pytest.mark.parametrize(("responder", "kept"), [("ann", "ann"), ({"name": "ann"}, None)])
async def test_the_run_keeps_who_responded_when_the_sender_says_so(
    authored: Authored, by: str, responder: Any, kept: str | None
) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(_task()))
        task = await _open_task(authored, handle)
        answer = {"taskId": task.task_id, "payload": {"approved": True}}
        if by == "update":
            await handle.execute_update(COMPLETE_TASK, args=[answer, responder, "from the future"])
        else:
            await handle.signal("workflowRuntimeV2HumanTask", args=[answer, responder, "from the future"])
        await handle.result()
    assert (await _open_task(authored, handle)).responded_by == kept


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"payload": {}}, "RESPONSE_REFUSED"),
        ({"payload": None}, "RESPONSE_REFUSED"),
        ({"taskId": "other"}, "TASK_NOT_OPEN"),
        ({"taskId": 7}, "INVALID_RESPONSE"),
        ({"surprise": 1}, "INVALID_RESPONSE"),
    ],
)
async def test_a_bad_response_is_refused_to_its_sender_and_the_task_stays_open(
    authored: Authored, change: dict[str, Any], code: str
) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(_task()))
        task = await _open_task(authored, handle)
        good = {"taskId": task.task_id, "payload": {"approved": False}}
        with pytest.raises(WorkflowUpdateFailedError) as refusal:
            await handle.execute_update(COMPLETE_TASK, {**good, **change})
        assert isinstance(refusal.value.cause, ApplicationError)
        assert refusal.value.cause.details[0]["code"] == code
        await handle.signal("workflowRuntimeV2HumanTask", {**good, **change})
        assert (await _open_task(authored, handle)).status == "OPEN"
        await handle.signal("workflowRuntimeV2HumanTask", good)
        assert (await handle.result())["vars"]["ok"] is False


async def test_the_second_response_to_a_task_is_refused(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(_task(), wait("w", "PAID")))
        task = await _open_task(authored, handle)
        answer = {"taskId": task.task_id, "payload": {"approved": True}}
        await handle.execute_update(COMPLETE_TASK, answer)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(COMPLETE_TASK, answer)
        await handle.cancel()


async def test_a_task_nobody_answers_times_out(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(_task(timeoutMs=200)))
        error = await authored.failure(handle)
    assert error.type == "WorkflowRuntimeV2.TimeoutError"
    assert (await _open_task(authored, handle)).status == "TIMED_OUT"


async def test_a_cancelled_run_takes_its_task_off_the_list(authored: Authored) -> None:
    async with authored.serving():
        handle = await authored.start(await authored.publish(_task()))
        await _open_task(authored, handle)
        await handle.cancel()

        async def cancelled() -> TaskRow | None:
            task = await _open_task(authored, handle)
            return task if task.status == "CANCELED" else None

        await eventually(cancelled)
