"""What the earlier runtime got wrong and no other test looks at from outside: see tests/DECISIONS.md."""

import json
from typing import Any

from temporalio.api.enums.v1 import EventType
from tests.fixtures.authored import Authored, Handle, action, assign

MARK = "only the scopes hold this text"


async def histories(authored: Authored, handle: Handle) -> list[Any]:
    """The events of every history of the run, in order."""
    found = [run async for run in authored.client.list_workflows(f"WorkflowId = '{handle.id}'")]
    handles = [authored.client.get_workflow_handle(handle.id, run_id=run.run_id) for run in found]
    return [event for one in handles async for event in one.fetch_history_events()]


async def test_a_new_history_begins_outside_every_handler(short_lived: Authored) -> None:
    handled = {"policy": "continue"}
    loop = {
        "id": "loop",
        "type": "control.forEach",
        "items": {"$expr": str(list(range(40)))},
        "itemVar": "n",
        "onItemError": "continue",
        "body": [action("hit", "echo", input={"n": {"$expr": "n"}}, saveAs="last", onError=handled)],
    }
    caught = [assign("caught", caught="true")]
    attempt = {"id": "try", "type": "control.tryCatch", "try": [loop], "catch": caught}
    async with short_lived.serving():
        handle = await short_lived.start(await short_lived.publish(attempt))
        result = await handle.result()
    events = await histories(short_lived, handle)
    continued = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
    assert sum(event.event_type == continued for event in events) >= 3
    assert result["vars"] == {"last": {"n": 39}}
    detail = await short_lived.detail(handle)
    assert (detail.logs, {step.fields["status"] for step in detail.steps}) == ((), {"SUCCEEDED"})


async def test_a_pure_step_costs_no_activity_an_action_one_and_scopes_do_not_travel(authored: Authored) -> None:
    pure = [assign(f"a{number}", **{f"v{number}": "payload.text"}) for number in range(20)]
    calls = [action(f"c{number}", "echo", input={"n": number}, saveAs="last") for number in range(3)]
    async with authored.serving():
        handle = await authored.start(await authored.publish(*pure, *calls), {"text": MARK})
        assert (await handle.result())["vars"]["v19"] == MARK
    events = await histories(authored, handle)
    scheduled = [event for event in events if event.HasField("activity_task_scheduled_event_attributes")]
    assert len(scheduled) == len(calls)
    inputs = [event.activity_task_scheduled_event_attributes.input.payloads[0].data for event in scheduled]
    assert [json.loads(data)["input"] for data in inputs] == [{"n": number} for number in range(3)]
    assert not any(MARK.encode() in data for data in inputs)
