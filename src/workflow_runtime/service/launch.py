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
from workflow_runtime.core.origin import RunOrigin, spare_payload
from workflow_runtime.store.connection import iso, utc_now
from workflow_runtime.store.errors import NotFoundError
from workflow_runtime.store.runs import Admission, RunRow, Runs


async def launch_run(client: Client, runs: Runs, row: RunRow, *, of_event: bool = False) -> Admission:
    """Admit ``row`` and start it, unless its workflow is paused or at its limit; then it starts by itself later.

    ``of_event``: an accepted event starts it. Then the tenant was remembered with the event, and that the run was
    launched is noted when the event is settled.

    Raises NotFoundError or ArchivedError for the workflow, and RPCError when Temporal does not take the start: the run
    is recorded then, so repeat the call or leave it to `recover_launches`.
    """
    admission = await runs.admit(row, tenant_is_known=of_event)
    if admission.state == "admitted" and not admission.created:
        # The first call decided, and this one may carry something else under the same id.
        await start_admitted(client, runs, [row])
    elif admission.state == "admitted":
        await _start(client, row.model_copy(update={"created_at": admission.created_at}))
        if not of_event:
            await runs.mark_launched(row.tenant_id, row.run_id)
    return admission


async def start_admitted(client: Client, runs: Runs, rows: Iterable[RunRow]) -> None:
    """Start runs that the store has admitted, in order; one that is there already counts as started."""
    for row in rows:
        await _start(client, await _as_recorded(runs, row))
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


def run_origin(row: RunRow) -> RunOrigin:
    """What the workflow of ``row`` is given besides, for a store that loses the row before it was read."""
    return RunOrigin(
        definition_hash=row.definition_hash,
        created_at=row.created_at or iso(utc_now()),
        trigger_event_id=row.trigger_event_id,
        parent_run_id=row.parent_run_id,
        root_run_id=row.root_run_id if row.parent_run_id else None,
        # A row that was read without its payload does not know it.
        payload=spare_payload(row.payload) if "payload" in row.model_fields_set else None,
    )


async def _as_recorded(runs: Runs, row: RunRow) -> RunRow:
    try:
        found = await runs.with_payload(row.tenant_id, row.run_id)
    except NotFoundError:
        # The run itself says what is missing when it begins.
        return row
    if found is None:
        return row
    recorded, payload = found
    return recorded.model_copy(update={"payload": payload})


async def _start(client: Client, row: RunRow) -> None:
    try:
        await client.start_workflow(
            RUN_WORKFLOW_TYPE,
            args=[run_input(row), run_origin(row)],
            id=run_workflow_id(row.run_id),
            task_queue=AUTHORED_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            static_summary=f"{row.workflow_id} version {row.workflow_version}",
        )
    except WorkflowAlreadyStartedError:
        return
