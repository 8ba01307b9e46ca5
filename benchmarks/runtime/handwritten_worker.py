"""The process that serves the handwritten workflows: ``python3 -m benchmarks.runtime.handwritten_worker``.

Client, data converter, sandbox and worker options are those of workflow-worker, from the same environment variables.
"""

import sys
from contextlib import aclosing
from typing import Any

from temporalio import activity

from benchmarks.runtime.handwritten import QUEUE, WORKFLOWS
from workflow_runtime.service import logging, process
from workflow_runtime.service.connect import connect_both, open_redis
from workflow_runtime.service.drain import stop_on_signals
from workflow_runtime.service.image import UNMANAGED, ImageManifest, worker_identity
from workflow_runtime.service.settings import ProcessSettings, read_settings
from workflow_runtime.service.workers import build_worker, run_workers
from workflow_runtime.store.key_values import KeyValues
from workflow_worker.action_calls import WORKFLOW_TASKS

_IMAGE = ImageManifest(name="handwritten", digest=UNMANAGED)


class Activities:
    """What the workflows call."""

    def __init__(self, values: KeyValues) -> None:
        self._values = values

    @activity.defn(name="trim_text")
    async def trim_text(self, request: dict[str, Any]) -> dict[str, Any]:
        """What transform.trim_text answers."""
        return {"text": request["text"].strip()}

    @activity.defn(name="set_value")
    async def set_value(self, request: dict[str, Any]) -> dict[str, Any]:
        """The write that store.set does, once per run and number."""
        operation = f"{request['key']}:{request['operation']}"
        written = await self._values.set(
            "bench", request["namespace"], request["key"], request["value"], operation=operation
        )
        return {"revision": written.revision, "created": written.created}


async def serve() -> None:
    """Serve until SIGTERM."""
    settings = read_settings(ProcessSettings)
    logging.configure(settings.log_level, _IMAGE)
    async with stop_on_signals() as stop, aclosing(open_redis(settings)) as redis:
        client = await connect_both(settings, redis, identity=worker_identity(_IMAGE))
        activities = Activities(KeyValues(redis))
        worker = build_worker(
            client,
            QUEUE,
            settings=settings,
            image=_IMAGE,
            workflows=WORKFLOWS,
            activities=[activities.trim_text, activities.set_value],
            workflow_tasks=WORKFLOW_TASKS,
        )
        await run_workers([worker], stop, grace_seconds=settings.shutdown_grace_seconds, on_drain=_nothing)


def _nothing() -> None:
    return


if __name__ == "__main__":
    sys.exit(process.run("handwritten", serve))
