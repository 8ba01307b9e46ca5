"""A run of ten thousand steps ends, its histories stay below what the server warns of, and it can be rebuilt."""

from temporalio.client import WorkflowHistory
from tests.fixtures.authored import TENANT, Authored, action, assign, run_id_of
from tests.fixtures.snapshots import projections

from workflow_worker.rebuild import Rebuilder
from workflow_worker.rebuild.histories import read_histories

WARNED_EVENTS = 10 * 1024
WARNED_BYTES = 10 * 1024 * 1024
WARNED_EVENT_BYTES = 512 * 1024
"""Temporal's defaults of ``limit.historyCount.warn``, ``limit.historySize.warn`` and ``limit.blobSize.warn``."""

ITERATIONS = 1000


async def test_a_run_of_ten_thousand_steps_ends_with_histories_the_server_does_not_warn_of(authored: Authored) -> None:
    pure = [assign(f"step-{number}", **{f"v{number}": "n"}) for number in range(9)]
    items = {"$expr": "payload.items"}
    loop = {"id": "loop", "type": "control.forEach", "items": items, "itemVar": "n"}
    workflow_id = await authored.publish({**loop, "body": [action("act", "echo", input={"n": {"$expr": "n"}}), *pure]})
    async with authored.serving():
        handle = await authored.start(workflow_id, {"items": list(range(ITERATIONS))})
        result = await handle.result()
    assert result["vars"]["v8"] == ITERATIONS - 1

    run = await read_histories(authored.client, run_id_of(handle))
    assert len(run.histories) > 1, "the run never went on in a new history"
    for history in run.histories:
        assert len(history.events) < WARNED_EVENTS
        assert sum(event.ByteSize() for event in history.events) < WARNED_BYTES
        assert _largest_event(history) < WARNED_EVENT_BYTES

    detail = await authored.detail(handle)
    assert detail.run.step_count == 10 * ITERATIONS + 1
    assert len(detail.actions) == ITERATIONS
    before = await projections(authored.redis, TENANT)
    for key in [key for key in before if run_id_of(handle) in key and key.startswith("run:")]:
        await authored.redis.delete(f"wf:{{{TENANT}}}:{key}")
    assert (await Rebuilder(authored.client, authored.redis).rebuild(run_id_of(handle))).changed
    assert await projections(authored.redis, TENANT) == before


def _largest_event(history: WorkflowHistory) -> int:
    return max(event.ByteSize() for event in history.events)
