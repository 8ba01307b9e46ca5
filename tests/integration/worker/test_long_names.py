"""Names and paths as long as definitions allow: Temporal bounds what it shows of them, and no run hangs on it."""

import asyncio
from typing import Any

from tests.fixtures.authored import PATIENCE_SECONDS, Authored, action

LONG = "x" * 5_000


def nested(depth: int, *steps: dict[str, Any]) -> dict[str, Any]:
    inner = list(steps)
    for level in range(depth):
        inner = [{"id": f"if{level}", "type": "control.if", "condition": {"$expr": "true"}, "then": inner}]
    return inner[0]


async def test_a_step_below_many_blocks_calls_waits_and_retries(authored: Authored) -> None:
    moment = {"id": "t", "type": "time.wait", "config": {"mode": "duration", "durationMs": 1}}
    fails: dict[str, Any] = {"retry": {"maxAttempts": 2, "backoffMs": 1}, "onError": {"policy": "continue"}}
    async with authored.serving(), asyncio.timeout(PATIENCE_SECONDS):
        workflow_id = await authored.publish(nested(60, action("a", "echo"), moment, action("b", "none", **fails)))
        await (await authored.start(workflow_id)).result()


async def test_names_of_any_length_are_no_obstacle(authored: Authored) -> None:
    steps = [
        {"id": LONG, "name": LONG, "type": "state.set", "config": {"state": LONG}},
        {"id": "w", "type": "event.wait", "config": {"eventName": LONG, "correlationKey": LONG[:500], "timeoutMs": 1}},
    ]
    caught = {"id": "try", "type": "control.tryCatch", "try": steps, "catch": []}
    task = {"id": LONG[1:], "type": "human.task", "config": {"taskType": LONG, "title": LONG, "timeoutMs": 1}}
    async with authored.serving(), asyncio.timeout(PATIENCE_SECONDS):
        handle = await authored.start(await authored.publish(caught, {**task, "onError": {"policy": "continue"}}))
        assert (await handle.result())["meta"]["state"] == LONG
