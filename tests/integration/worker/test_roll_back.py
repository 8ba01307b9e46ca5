"""A worker older than a run leaves it to a newer one, and a run that nobody can read ends and says so."""

from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus
from tests.fixtures.authored import TENANT, Authored, Handle, action, eventually, run_id_of, send_event, wait

from workflow_runtime.core import contract
from workflow_runtime.core.machine import machine, state
from workflow_runtime.store.runs import RunRow
from workflow_worker import run_activities, starting

_FAILED = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED


class Newer:
    """Makes the workers that start from now on those of the next version of one number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: str, *modules: Any) -> None:
        self._monkeypatch = monkeypatch
        self._number = number
        self._modules = modules

    def roll_forward(self) -> None:
        for module in self._modules:
            self._monkeypatch.setattr(module, self._number, 2)

    def roll_back(self) -> None:
        for module in self._modules:
            self._monkeypatch.setattr(module, self._number, 1)


@pytest.fixture(params=["CHECKPOINT_VERSION", "RUNTIME_SEMANTICS_VERSION"])
def newer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Newer:
    modules: dict[str, tuple[Any, ...]] = {
        "CHECKPOINT_VERSION": (state,),
        "RUNTIME_SEMANTICS_VERSION": (contract, machine, run_activities, starting),
    }
    return Newer(monkeypatch, request.param, *modules[request.param])


async def _task_failure(handle: Handle) -> str:
    """What the first failed workflow task of the run's present history says, once there is one."""

    async def found() -> str | None:
        events = (await handle.fetch_history()).events
        failed = [event.workflow_task_failed_event_attributes for event in events if event.event_type == _FAILED]
        return failed[0].failure.message if failed else None

    return await eventually(found)


async def test_a_run_of_a_newer_worker_survives_a_roll_back(short_lived: Authored, newer: Newer) -> None:
    items = {"$expr": str(list(range(12)))}
    loop = {"type": "control.forEach", "items": items, "itemVar": "n", "body": [action("hit", "echo")]}
    newer.roll_forward()
    workflow_id = await short_lived.publish({"id": "loop", **loop}, wait("w", "GO", assign={"vars.done": True}))
    async with short_lived.serving():
        handle = await short_lived.start(workflow_id)
        await short_lived.waiting(handle, "waitForEvent")
    newer.roll_back()
    async with short_lived.serving():
        await send_event(handle, "e1", "GO", "7")
        assert "at least as new" in await _task_failure(handle)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert (await short_lived.detail(handle)).run.status == "WAITING"
    newer.roll_forward()
    async with short_lived.serving():
        assert (await handle.result())["vars"]["done"] is True


async def test_a_checkpoint_that_nobody_can_have_written_ends_its_run_and_its_row(authored: Authored) -> None:
    workflow_id = await authored.publish(wait("w", "NEVER"))
    row = RunRow(
        run_id=f"{workflow_id}-damaged",
        tenant_id=TENANT,
        workflow_id=workflow_id,
        workflow_version=1,
        definition_hash=(await authored.catalog.get_version(TENANT, workflow_id, 1)).hash,
        payload={},
    )
    await authored.runs.admit(row)
    argument = {"runId": row.run_id, "tenantId": TENANT, "workflowId": workflow_id, "workflowVersion": 1}
    async with authored.serving():
        handle: Handle = await authored.client.start_workflow(
            contract.RUN_WORKFLOW_TYPE,
            {**argument, "checkpoint": {"machine": {"version": state.CHECKPOINT_VERSION}, "mailbox": {"events": 7}}},
            id=contract.run_workflow_id(row.run_id),
            task_queue=contract.AUTHORED_QUEUE,
        )
        error = await authored.failure(handle)
    assert (error.type, error.details[0]["code"]) == ("WorkflowRuntimeV2.InterpreterCorruption", "CHECKPOINT_DAMAGED")
    kept = await authored.runs.get_run(TENANT, run_id_of(handle))
    assert kept is not None
    assert kept.error is not None
    assert (kept.status, kept.error.code) == ("FAILED", "CHECKPOINT_DAMAGED")
