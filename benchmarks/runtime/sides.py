"""The two sides of a measurement: how a run of each is prepared, started and signalled. Host process only."""

import itertools
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from temporalio.client import Client, WorkflowHandle

from benchmarks.runtime import handwritten
from benchmarks.runtime.definitions import ACTION_QUEUES, DEFINITIONS, PAYLOAD, TENANT
from workflow_runtime.core.contract import (
    AUTHORED_QUEUE,
    RUN_WORKFLOW_TYPE,
    SIGNAL_EVENT,
    EventSignal,
    RunInput,
    run_workflow_id,
)
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.runs import RunRow, Runs

type Handle = WorkflowHandle[Any, Any]

_numbers = itertools.count(1)


class Side(ABC):
    """Runs of one kind of workflow. ``module`` is the program that serves them, on ``queue``."""

    name: str
    module: str
    queue: str

    def __init__(self, client: Client) -> None:
        self.client = client

    @abstractmethod
    async def prepare(self, kind: str, count: int) -> Sequence[str]:
        """Ids of runs that can be started; what the caller of a run has to do first is done here, off the clock."""

    @abstractmethod
    async def start(self, kind: str, run_id: str) -> Handle:
        """Start one run."""

    async def signal(self, handle: Handle) -> None:
        """The event that a run of ``waits`` waits for."""
        run_id = handle.id.rpartition(":")[2]
        event = EventSignal(
            event_id=str(uuid.uuid4()), event_name="PAID", correlation_key=run_id, payload={"by": "ann"}
        )
        await handle.signal(SIGNAL_EVENT, event)


class Authored(Side):
    """The authored workflows, served by workflow-worker."""

    name = "authored"
    module = "workflow_worker"
    queue = AUTHORED_QUEUE

    def __init__(self, client: Client, redis: Redis) -> None:
        super().__init__(client)
        self._catalog = Catalog(redis)
        self._runs = Runs(redis)
        self._hashes: dict[str, str] = {}

    async def publish(self) -> None:
        """Publish every measured workflow."""
        for kind, definition in DEFINITIONS.items():
            version = await self._catalog.publish(TENANT, kind, 1, definition, action_queues=ACTION_QUEUES)
            self._hashes[kind] = version.hash

    async def prepare(self, kind: str, count: int) -> Sequence[str]:
        run_ids = [f"{kind}-{next(_numbers)}" for _ in range(count)]
        for run_id in run_ids:
            row = RunRow(
                run_id=run_id,
                tenant_id=TENANT,
                workflow_id=kind,
                workflow_version=1,
                definition_hash=self._hashes[kind],
                payload=PAYLOAD,
            )
            await self._runs.create_run(row)
        return run_ids

    async def start(self, kind: str, run_id: str) -> Handle:
        given = RunInput(run_id=run_id, tenant_id=TENANT, workflow_id=kind, workflow_version=1)
        return await self.client.start_workflow(
            RUN_WORKFLOW_TYPE, given, id=run_workflow_id(run_id), task_queue=self.queue
        )


class Handwritten(Side):
    """The same in Python, served by a worker with the same options."""

    name = "handwritten"
    module = "benchmarks.runtime.handwritten_worker"
    queue = handwritten.QUEUE

    async def prepare(self, kind: str, count: int) -> Sequence[str]:
        return [f"{kind}-{next(_numbers)}" for _ in range(count)]

    async def start(self, kind: str, run_id: str) -> Handle:
        return await self.client.start_workflow(kind, PAYLOAD, id=f"handwritten:{run_id}", task_queue=self.queue)


class HandwrittenLocal(Handwritten):
    """The same with local activities, by the same worker."""

    async def start(self, kind: str, run_id: str) -> Handle:
        return await super().start(f"{kind}-local", run_id)
