"""Starting, cancelling and re-running authored runs on behalf of a caller. Process code only."""

import uuid
from typing import Any, Final

from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.canonical import MAX_PAYLOAD_DEPTH, is_deeper
from workflow_runtime.core.contract import run_workflow_id
from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.service.launch import launch_run, release_run
from workflow_runtime.store.catalog import PublishedVersion
from workflow_runtime.store.connection import iso, utc_now
from workflow_runtime.store.runs import TERMINAL_STATUSES, Admission, RunRow
from workflow_server.backend import Backend
from workflow_server.problems import ProblemError, invalid_value, not_found

MANUAL: Final = "manual"
RERUN: Final = "rerun"
_RUN_NAMESPACE: Final = uuid.UUID("6d1f3f0a-5b53-4f3c-9a3e-0d0c5f3b7d11")


def run_id_of(tenant: str, workflow_id: str, idempotency_key: str | None) -> str:
    """A random run id, or the one that this key always gives, so that a repeated call starts one run."""
    if idempotency_key is None:
        return str(uuid.uuid4())
    return str(uuid.uuid5(_RUN_NAMESPACE, "\0".join((tenant, workflow_id, idempotency_key))))


async def start_run(
    work: Backend, tenant: str, workflow_id: str, *, version: int | None, payload: Any, idempotency_key: str | None
) -> tuple[RunRow, Admission]:
    """Start a run of a published version, by default the latest.

    Raises `ProblemError` 422 PAYLOAD_INVALID, and what the stores and Temporal raise.
    """
    published = await work.catalog.get_version(tenant, workflow_id, version)
    require_payload(published, payload)
    run_id = run_id_of(tenant, workflow_id, idempotency_key)
    row = _row(tenant, published, run_id, payload, trigger_type=MANUAL, execution_key=idempotency_key)
    return row, await launch_run(work.client, work.runs, row)


async def rerun(work: Backend, tenant: str, run_id: str) -> tuple[RunRow, Admission]:
    """A new run of the same version with the same payload."""
    old = await existing_run(work, tenant, run_id)
    published = await work.catalog.get_version(tenant, old.workflow_id, old.workflow_version)
    payload = await work.runs.payload(tenant, run_id)
    row = _row(tenant, published, str(uuid.uuid4()), payload, trigger_type=RERUN, execution_key=f"rerun:{run_id}")
    return row, await launch_run(work.client, work.runs, row)


async def cancel(work: Backend, tenant: str, run_id: str) -> None:
    """Ask a run to end; one that was not started yet ends at once. Raises `ProblemError` 409 RUN_ENDED."""
    row = await existing_run(work, tenant, run_id)
    if row.status in TERMINAL_STATUSES:
        raise ProblemError(409, "RUN_ENDED", f"run {run_id!r} has ended {row.status}; there is nothing to cancel")
    if row.queued_reason is None and await _cancelled_in_temporal(work, run_id):
        return
    await work.runs.finish_run(tenant, run_id, "CANCELED", error=_cancelled_unbegun())
    await release_run(work.client, work.runs, tenant, row.workflow_id, run_id)


async def existing_run(work: Backend, tenant: str, run_id: str) -> RunRow:
    """The run's row. Raises `ProblemError` 404."""
    row = await work.runs.get_run(tenant, run_id)
    if row is None:
        raise not_found("run", run_id, "it never existed or was removed by retention; GET /api/runs lists them")
    return row


def _cancelled_unbegun() -> Failure:
    at = iso(utc_now())
    return Failure(
        category=Category.CANCELLATION, code="RUN_CANCELLED", message="the run was cancelled before it began", at=at
    )


def require_payload(published: PublishedVersion, payload: Any) -> None:
    """Raise `ProblemError` 422 PAYLOAD_INVALID when ``payload`` does not fit the version's schema."""
    schema = True if published.payload_schema_json is None else published.payload_schema_json
    problems = (
        [f"it is nested more than {MAX_PAYLOAD_DEPTH} levels deep"]
        if is_deeper(payload, MAX_PAYLOAD_DEPTH)
        else validate_json(schema, payload)
    )
    if problems:
        ref = published.definition.get("payloadSchemaRef")
        raise invalid_value(
            "PAYLOAD_INVALID",
            f"the payload does not fit {ref!r}, the payload schema of {published.workflow_id!r} version "
            f"{published.version}: {'; '.join(problems)}",
            problems,
        )


async def _cancelled_in_temporal(work: Backend, run_id: str) -> bool:
    try:
        await work.client.get_workflow_handle(run_workflow_id(run_id)).cancel()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


def _row(
    tenant: str,
    published: PublishedVersion,
    run_id: str,
    payload: Any,
    *,
    trigger_type: str,
    execution_key: str | None,
) -> RunRow:
    return RunRow(
        run_id=run_id,
        tenant_id=tenant,
        workflow_id=published.workflow_id,
        workflow_version=published.version,
        definition_hash=published.hash,
        trigger_type=trigger_type,
        execution_key=execution_key,
        root_run_id=run_id,
        payload=payload,
    )
