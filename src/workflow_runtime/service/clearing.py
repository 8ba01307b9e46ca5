"""What is left to do when a run is over: its waits and tasks close, its slot goes on. Activities and processes only.

Every call may be repeated.
"""

from temporalio.client import Client

from workflow_runtime.service.launch import release_run
from workflow_runtime.store.runs import Runs
from workflow_runtime.store.tasks import Tasks
from workflow_runtime.store.waits import WaitIndex


class Clearing:
    """Clears up after runs of all tenants."""

    def __init__(self, *, client: Client, runs: Runs, waits: WaitIndex, tasks: Tasks) -> None:
        self._client = client
        self._runs = runs
        self._waits = waits
        self._tasks = tasks

    async def clear_up(self, tenant: str, workflow_id: str, run_id: str, ended_at: str | None) -> None:
        """Close what the run left open, as of ``ended_at`` (ISO 8601 UTC, now when null), and start those that waited.

        Raises RedisError, and RPCError when Temporal does not take a start.
        """
        if await self._runs.leaves_nothing(tenant, workflow_id, run_id):
            return
        await self._waits.forget_run(tenant, run_id)
        for task in await self._tasks.of_run(tenant, run_id):
            if task.status == "OPEN":
                await self._tasks.cancel(tenant, task.task_id, at=ended_at)
        await release_run(self._client, self._runs, tenant, workflow_id, run_id)
