"""Routes of runs: list, detail, follow, cancel, re-run. Process code only."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from workflow_runtime.store.runs import RunStatus
from workflow_server import answering, starting
from workflow_server.problems import ProblemError, not_found
from workflow_server.requests import Cursor, Limit, Since, Tenant, Work
from workflow_server.run_views import action_views, run_detail, run_summary
from workflow_server.waiting import queued
from workflow_server.wire import StrictJsonRoute, json_answer

ROUTER = APIRouter(prefix="/api/runs", tags=["runs"], route_class=StrictJsonRoute)


@ROUTER.get("", summary="Runs, newest first")
async def list_runs(
    tenant: Tenant,
    work: Work,
    workflow_id: Annotated[str | None, Query(alias="workflowId")] = None,
    status: RunStatus | None = None,
    since: Since = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """A page; pass ``nextCursor`` as ``cursor`` for the next one."""
    page = await work.runs.list_runs(
        tenant, workflow_id=workflow_id, status=status, since=since, limit=limit, cursor=cursor
    )
    return json_answer({"runs": [run_summary(row) for row in page.runs], "nextCursor": page.next_cursor})


@ROUTER.get("/{run_id}", summary="A run, what happened in it and what it waits for")
async def get_run(run_id: str, tenant: Tenant, work: Work) -> Response:
    """Steps, waits, actions and logs in order of first appearance."""
    detail = await work.runs.run_detail(tenant, run_id)
    if detail is None:
        raise not_found("run", run_id, "it never existed or was removed by retention; GET /api/runs lists them")
    queue = await queued(work.runs, work.catalog, detail.run)
    return json_answer(run_detail(detail, await work.runs.payload_if_known(tenant, run_id), queue))


@ROUTER.get("/{run_id}/records", summary="What happened in a run after a sequence number, for following it")
async def follow_run(
    run_id: str, tenant: Tenant, work: Work, after: Annotated[int, Query(ge=0)] = 0, limit: Limit = 500
) -> Response:
    """Projection records in order, and the run itself; ask again with ``after`` = ``lastSeq``."""
    run = await starting.existing_run(work, tenant, run_id)
    page = await work.runs.records(tenant, run_id, after_seq=after, limit=limit)
    return json_answer({"run": run_summary(run), "records": page.records, "lastSeq": page.last_seq})


@ROUTER.get("/{run_id}/actions", summary="What the run's actions were given and answered")
async def run_actions(run_id: str, tenant: Tenant, work: Work) -> Response:
    """``{actions: [ledger entry]}`` in order of their start, redacted; entries of authored keys are not the run's."""
    await starting.existing_run(work, tenant, run_id)
    return json_answer({"actions": action_views(await work.ledger.of_run(tenant, run_id))})


@ROUTER.get("/{run_id}/summary", summary="Where the interpreter stands, asked of the run itself")
async def run_summary_live(run_id: str, tenant: Tenant, work: Work) -> Response:
    """``{runId, stepCount, currentStepPath, frameDepth}``; 409 RUN_QUEUED, 504 when no workflow-worker answers."""
    run = await starting.existing_run(work, tenant, run_id)
    if run.queued_reason is not None:
        raise ProblemError(
            409, "RUN_QUEUED", f"run {run_id!r} waits in the queue of workflow {run.workflow_id!r} and has not begun"
        )
    return json_answer(await answering.summary(work, run_id))


@ROUTER.post("/{run_id}/cancel", status_code=202, summary="Ask a run to end")
async def cancel_run(run_id: str, tenant: Tenant, work: Work) -> Response:
    """202: the run, its waits and its children are being cancelled; 409 RUN_ENDED when it is over."""
    await starting.cancel(work, tenant, run_id)
    return json_answer(run_summary(await starting.existing_run(work, tenant, run_id)), 202)


@ROUTER.post("/{run_id}/rerun", status_code=201, summary="Start the same version with the same payload again")
async def rerun(run_id: str, tenant: Tenant, work: Work) -> Response:
    """201 with the new run."""
    row, admission = await starting.rerun(work, tenant, run_id)
    answer = {"runId": row.run_id, "state": admission.state, "rerunOf": run_id}
    return json_answer(answer, 201, headers={"Location": f"/api/runs/{row.run_id}"})
