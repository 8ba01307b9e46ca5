"""The one way of starting an authored run: record it, then start its Temporal workflow. Processes and activities only.

Every call may be repeated: the run id decides the workflow id, and Temporal refuses a second workflow with that id even
after the first has ended. A process that dies between the two steps leaves a row that `recover_launches` finds.
"""

from collections.abc import Iterable
from datetime import datetime

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from workflow_runtime.core.contract import AUTHORED_QUEUE, RUN_WORKFLOW_TYPE, RunInput, run_workflow_id
from workflow_runtime.store.runs import Admission, RunRow, Runs


async def launch_run(client: Client, runs: Runs, row: RunRow, *, of_event: bool = False) -> Admission:
    """Admit ``row`` and start it, unless its workflow is paused or at its limit; then it starts by itself later.

    ``of_event``: an accepted event starts it. Then the tenant was remembered with the event, and that the run was
    launched is noted when the event is settled.

    Raises NotFoundError or ArchivedError for the workflow, and RPCError when Temporal does not take the start: the run
    is recorded then, so repeat the call or leave it to `recover_launches`.
    """
    admission = await runs.admit(row, tenant_is_known=of_event)
    if admission.state == "admitted" and of_event:
        await _start(client, row)
    elif admission.state == "admitted":
        await start_admitted(client, runs, [row])
    return admission


async def start_admitted(client: Client, runs: Runs, rows: Iterable[RunRow]) -> None:
    """Start runs that the store has admitted, in order; one that is there already counts as started."""
    for row in rows:
        await _start(client, row)
        await runs.mark_launched(row.tenant_id, row.run_id)


async def release_run(client: Client, runs: Runs, tenant: str, workflow_id: str, run_id: str) -> None:
    """Free the concurrency slot of a run that ended and start those that waited for it."""
    await start_admitted(client, runs, await runs.release(tenant, workflow_id, run_id))


async def recover_launches(client: Client, runs: Runs, tenant: str, before: datetime) -> int:
    """Start what a process that died should have started before ``before``; answers how many there were."""
    rows = await runs.recover_starts(tenant, before)
    await start_admitted(client, runs, rows)
    return len(rows)


def run_input(row: RunRow) -> RunInput:
    """What the workflow of ``row`` is started with; everything else it reads from the store."""
    return RunInput(
        run_id=row.run_id,
        tenant_id=row.tenant_id,
        workflow_id=row.workflow_id,
        workflow_version=row.workflow_version,
        trigger_type=row.trigger_type,
        execution_key=row.execution_key,
    )


async def _start(client: Client, row: RunRow) -> None:
    try:
        await client.start_workflow(
            RUN_WORKFLOW_TYPE,
            run_input(row),
            id=run_workflow_id(row.run_id),
            task_queue=AUTHORED_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"{row.workflow_id} version {row.workflow_version}",
        )
    except WorkflowAlreadyStartedError:
        return
