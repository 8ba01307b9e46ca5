"""Actions on somebody else's queue keep what they were published with: schemas both ways, and time limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio import activity
from temporalio.worker import Worker
from tests.fixtures.authored import Authored, Handle, action, assign

from workflow_runtime.core.actions import ActionPin
from workflow_runtime.core.contract import ACTION_ACTIVITY, AUTHORED_QUEUE, ActionRequest
from workflow_runtime.service.action_dispatch import ActionCall

QUEUE = "printers"
PAGES = {"type": "object", "properties": {"pages": {"type": "integer"}}, "required": ["pages"]}
PIN = ActionPin(input_schema=PAGES, output_schema={"type": "object", "required": ["job"]})

type Printer = Callable[[ActionRequest], Any]


class Printers:
    """A worker of somebody else; ``requests`` are those that reached it."""

    def __init__(self, authored: Authored) -> None:
        self.authored = authored
        self.requests: list[ActionRequest] = []

    async def publish(self, step: dict[str, Any], pin: ActionPin | None = PIN) -> str:
        """One call, caught and kept as ``vars.caught``."""
        note = assign("note", seen="error.code")
        caught = {"id": "try", "type": "control.tryCatch", "try": [step], "catch": [note], "captureErrorAs": "caught"}
        pins = {"test.echo@1": pin} if pin is not None else None
        return await self.authored.publish(caught, queues={"test.echo@1": QUEUE}, pins=pins)

    @asynccontextmanager
    async def serving(self, answer: Printer) -> AsyncIterator[None]:
        @activity.defn(name=ACTION_ACTIVITY)
        async def execute(request: ActionRequest) -> Any:
            self.requests.append(request)
            found = answer(request)
            return await found if asyncio.iscoroutine(found) else found

        async with self.authored.serving(), Worker(self.authored.client, task_queue=QUEUE, activities=[execute]):
            yield

    async def variables(self, workflow_id: str) -> tuple[Handle, dict[str, Any]]:
        handle = await self.authored.start(workflow_id)
        variables: dict[str, Any] = (await handle.result())["vars"]
        return handle, variables


@pytest.fixture
def printers(authored: Authored) -> Printers:
    return Printers(authored)


async def test_an_input_that_does_not_fit_never_leaves_and_fails_as_on_our_own_queues(printers: Printers) -> None:
    workflow_id = await printers.publish(action("print", "echo", input={"pages": "all"}))
    async with printers.serving(lambda request: {"job": 1}):
        handle, variables = await printers.variables(workflow_id)
    caught = variables["caught"]
    assert (caught["category"], caught["code"]) == ("ValidationError", "ACTION_INPUT_INVALID")
    assert caught["message"].startswith("input of action 'test.echo' version 1 does not fit its schema: /pages: ")
    assert caught["details"] == {"problems": [caught["message"].partition("schema: ")[2]]}
    assert printers.requests == []
    [row] = (await printers.authored.detail(handle)).actions
    assert (row.fields["status"], row.fields["error"]["code"]) == ("FAILED", "ACTION_INPUT_INVALID")


async def test_an_output_that_does_not_fit_fails_the_step(printers: Printers) -> None:
    workflow_id = await printers.publish(action("print", "echo", input={"pages": 1}, saveAs="vars.out"))
    async with printers.serving(lambda request: {"jobs": 1}):
        handle, variables = await printers.variables(workflow_id)
    assert "out" not in variables
    caught = variables["caught"]
    assert (caught["category"], caught["code"]) == ("ValidationError", "ACTION_OUTPUT_INVALID")
    assert caught["message"].startswith("output of action 'test.echo' version 1 does not fit its schema: ")
    [row] = (await printers.authored.detail(handle)).actions
    assert (row.fields["status"], row.fields["error"]["code"]) == ("FAILED", "ACTION_OUTPUT_INVALID")


async def test_what_fits_goes_through(printers: Printers) -> None:
    workflow_id = await printers.publish(action("print", "echo", input={"pages": 1}, saveAs="vars.out"))
    async with printers.serving(lambda request: {"job": request.input["pages"]}):
        _, variables = await printers.variables(workflow_id)
    assert variables == {"out": {"job": 1}}


async def test_a_version_published_before_schemas_were_pinned_goes_on_unchecked(printers: Printers) -> None:
    workflow_id = await printers.publish(action("print", "echo", input={"pages": "all"}, saveAs="vars.out"), pin=None)
    async with printers.serving(lambda request: [request.input]):
        _, variables = await printers.variables(workflow_id)
    assert variables == {"out": [{"pages": "all"}]}


async def test_a_retry_calls_again_after_an_output_that_did_not_fit(printers: Printers) -> None:
    retry = {"maxAttempts": 2, "backoffMs": 1}
    workflow_id = await printers.publish(action("print", "echo", input={"pages": 1}, saveAs="vars.out", retry=retry))
    async with printers.serving(lambda request: {"job" if request.context.attempt == 2 else "jam": 1}):
        _, variables = await printers.variables(workflow_id)
    assert variables == {"out": {"job": 1}}


async def test_a_secret_arrives_by_name_and_is_no_misfit(printers: Printers) -> None:
    keyed = {"type": "object", "properties": {"key": {"type": "string", "minLength": 40}, "n": {"type": "integer"}}}
    pin = ActionPin(input_schema=keyed, output_schema=True)
    for_all: dict[str, Any] = {"key": {"$secret": "PRINTER"}, "n": 1}
    workflow_id = await printers.publish(action("print", "echo", input=for_all), pin)
    async with printers.serving(lambda request: None):
        _, variables = await printers.variables(workflow_id)
    assert variables == {}
    assert [request.input for request in printers.requests] == [for_all]


async def _never(request: ActionRequest) -> None:
    await asyncio.sleep(600)


async def test_an_attempt_that_takes_longer_than_its_spec_says_times_out(printers: Printers) -> None:
    pin = ActionPin(timeout_ms=300)
    workflow_id = await printers.publish(action("print", "echo"), pin)
    async with printers.serving(_never):
        handle, variables = await printers.variables(workflow_id)
    assert (variables["caught"]["category"], variables["caught"]["code"]) == ("TimeoutError", "START_TO_CLOSE")
    message = "action 'test.echo' version 1 did not answer within 0.3 s on the queue 'printers'"
    assert variables["caught"]["message"] == message
    [row] = (await printers.authored.detail(handle)).actions
    assert (row.fields["status"], row.fields["error"]["category"]) == ("FAILED", "TimeoutError")
    assert row.fields["error"]["message"] == message


async def test_a_queue_that_nobody_polls_times_out_when_the_spec_says_how_long_to_wait(authored: Authored) -> None:
    printers = Printers(authored)
    workflow_id = await printers.publish(action("print", "echo"), ActionPin(schedule_timeout_ms=300))
    async with authored.serving():
        _, variables = await printers.variables(workflow_id)
    caught = variables["caught"]
    assert (caught["category"], caught["code"]) == ("TimeoutError", "SCHEDULE_TO_START")
    assert caught["message"] == (
        "no worker took action 'test.echo' version 1 within 0.3 s; start the worker that polls the queue 'printers'"
    )


async def test_a_silent_worker_of_somebody_else_times_out_and_is_not_called_again(printers: Printers) -> None:
    workflow_id = await printers.publish(action("print", "echo"), ActionPin(heartbeat_timeout_ms=500))
    async with printers.serving(_never):
        _, variables = await printers.variables(workflow_id)
    caught = variables["caught"]
    assert (caught["category"], caught["code"]) == ("TimeoutError", "HEARTBEAT")
    assert caught["message"].endswith("on the queue 'printers' was silent for more than 0.5 s")
    assert len(printers.requests) == 1


async def test_a_worker_that_heartbeats_may_take_longer_than_its_heartbeat_timeout(printers: Printers) -> None:
    async def slowly(request: ActionRequest) -> dict[str, int]:
        for page in range(4):
            await asyncio.sleep(2.5)
            activity.heartbeat(page)
        return {"job": 1}

    pin = ActionPin(heartbeat_timeout_ms=8000)
    workflow_id = await printers.publish(action("print", "echo", saveAs="vars.out"), pin)
    async with printers.serving(slowly):
        _, variables = await printers.variables(workflow_id)
    assert variables == {"out": {"job": 1}}


async def test_our_own_queues_keep_their_heartbeats_beside_a_time_limit(authored: Authored) -> None:
    async def hangs(call: ActionCall) -> None:
        await asyncio.sleep(600)

    step = action("slow", "slow", onError={"policy": "continue"})
    workflow_id = await authored.publish(step, pins={"test.slow@1": ActionPin(timeout_ms=3000)})
    async with authored.serving(slow=hangs):
        handle = await authored.start(workflow_id)
        await handle.result()
    [row] = (await authored.detail(handle)).actions
    assert (row.fields["taskQueue"], row.fields["error"]["code"]) == (AUTHORED_QUEUE, "START_TO_CLOSE")
    scheduled = [
        event.activity_task_scheduled_event_attributes
        for event in (await handle.fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    [limits] = [(item.start_to_close_timeout, item.heartbeat_timeout) for item in scheduled]
    assert [limit.ToMilliseconds() for limit in limits] == [3000, 1500]


async def test_our_own_long_actions_heartbeat_by_themselves(authored: Authored) -> None:
    keys: list[str] = []

    async def long(call: ActionCall) -> str:
        keys.append(call.idempotency_key)
        await asyncio.sleep(9)
        return "done"

    pins = {"test.slow@1": ActionPin(heartbeat_timeout_ms=6000)}
    workflow_id = await authored.publish(action("slow", "slow", saveAs="vars.out"), pins=pins)
    async with authored.serving(slow=long):
        handle = await authored.start(workflow_id)
        assert (await handle.result())["vars"]["out"] == "done"
    assert len(keys) == 1
