"""Draining a worker: what is under way is finished, nothing new is taken."""

import asyncio
from typing import Any

from tests.fixtures.authored import Authored, action, eventually

from workflow_runtime.service.action_dispatch import ActionCall
from workflow_runtime.service.workers import run_workers


async def test_an_action_under_way_finishes_within_the_grace_and_the_next_step_is_left_to_others(
    authored: Authored,
) -> None:
    stop, started, release = asyncio.Event(), asyncio.Event(), asyncio.Event()
    calls: list[str] = []

    async def slow(call: ActionCall) -> Any:
        calls.append(call.context.step_path)
        started.set()
        await release.wait()
        return {"recovered": call.recovered}

    phases: list[str] = []

    async def drains() -> bool | None:
        return True if phases else None

    workflow_id = await authored.publish(action("one", "slow", saveAs="one"), action("two", "slow", saveAs="two"))
    worker = authored.built(grace_seconds=30, slow=slow)
    running = asyncio.ensure_future(
        run_workers([worker], stop, grace_seconds=30, on_drain=lambda: phases.append("draining"))
    )
    handle = await authored.start(workflow_id)
    await started.wait()
    stop.set()
    await eventually(drains)
    # The polls under way end a moment later, and it has to be seen that draining waits.
    await asyncio.sleep(0.2)
    assert (phases, running.done()) == (["draining"], False)
    release.set()
    await running
    assert calls == ["root.steps[0]"]
    async with authored.serving(slow=slow):
        result = await handle.result()
    assert calls == ["root.steps[0]", "root.steps[1]"]
    assert (result["vars"]["one"], result["vars"]["two"]) == ({"recovered": False}, {"recovered": False})
