"""The local activities of an authored run: what it reads from the store and writes to it. Activity code; built by main.

Each may be repeated at any time. What the store refuses comes back as a typed failure and is not retried; what cannot
be reached is retried by the workflow until it can.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import structlog
from temporalio import activity
from temporalio.client import Client

from workflow_runtime.core.actions import validate_json
from workflow_runtime.core.canonical import MAX_VALUE_DEPTH, is_deeper
from workflow_runtime.core.contract import RUNTIME_SEMANTICS_VERSION, EventSignal
from workflow_runtime.core.errors import (
    CancellationFailure,
    Category,
    ChildWorkflowFailure,
    CorruptionFailure,
    RuntimeFailureError,
    ValidationFailure,
)
from workflow_runtime.core.origin import RunOrigin
from workflow_runtime.service.clearing import Clearing
from workflow_runtime.service.failures import application_error
from workflow_runtime.service.launch import run_origin
from workflow_runtime.store.catalog import Catalog, PublishedVersion
from workflow_runtime.store.connection import iso, millis, utc_now
from workflow_runtime.store.errors import ConflictError, NotFoundError
from workflow_runtime.store.restoring import RestoredRun, RunRestorer
from workflow_runtime.store.runs import RunRow, Runs
from workflow_runtime.store.tasks import Tasks
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.pinned_versions import PinnedVersions
from workflow_worker.records import (
    ABANDON_RUN,
    CREATE_CHILD,
    LOAD_RUN,
    SYNC_RUN,
    AbandonRequest,
    ChildRequest,
    ClosedTask,
    LoadedRun,
    LoadRequest,
    OpenWait,
    SyncAnswer,
    SyncRequest,
)
from workflow_worker.run_rows import begun_anew, child_row, closed_wait_at, lost_row, task_row, wait_row


class RunActivities:
    """Reads and writes for runs. ``client`` starts the runs that waited for the slot of one that ended.

    ``local_actions`` are the keys of the actions that this worker serves within a workflow task.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        runs: Runs,
        restorer: RunRestorer,
        waits: WaitIndex,
        tasks: Tasks,
        client: Client,
        local_actions: Collection[str] = (),
    ) -> None:
        self._catalog = catalog
        self._versions = PinnedVersions(catalog)
        self._runs = runs
        self._restorer = restorer
        self._waits = waits
        self._tasks = tasks
        self._local_actions = frozenset(local_actions)
        self._clearing = Clearing(client=client, runs=runs, waits=waits, tasks=tasks)

    @property
    def activities(self) -> tuple[Callable[..., Any], ...]:
        """What a worker of the authored queue registers."""
        return self.load, self.sync, self.create_child, self.abandon

    @activity.defn(name=LOAD_RUN)
    async def load(self, request: LoadRequest) -> LoadedRun:
        """The pinned version and the payload of a run; a row that the store has lost is made again.

        Fails when either is not what the run was started with, and when the run was cancelled before it came here:
        whoever cancelled it found no workflow to ask.
        """
        async with _typed_failures():
            row, payload = await self._beginning(request)
            _require_wanted(row)
            version = await self._versions.get(
                request.tenant_id, request.workflow_id, request.workflow_version, row.definition_hash
            )
            _require_same(row, version)
            _require_shallow(payload)
        return LoadedRun(
            definition=version.definition,
            definition_hash=version.hash,
            action_queues=version.action_queues,
            pinned_actions=version.pinned_actions,
            local_actions=tuple(sorted(self._local_actions & version.action_queues.keys())),
            payload=payload,
            trigger_event_id=row.trigger_event_id,
            run_started_ms=millis(row.created_at) if row.created_at else 0,
            runtime_semantics_version=RUNTIME_SEMANTICS_VERSION,
        )

    @activity.defn(name=SYNC_RUN)
    async def sync(self, request: SyncRequest) -> SyncAnswer:
        """Write projections, close and open waits and tasks; answers events that satisfy the opened wait already."""
        async with _typed_failures():
            await self.write(request)
            if request.open_task is not None:
                await self._tasks.open(task_row(request, request.open_task))
            if request.ended:
                ended_at = request.records[-1].at if request.records else None
                await self._clearing.clear_up(request.tenant_id, request.workflow_id, request.run_id, ended_at)
            found = await self._open(request, request.open_wait) if request.open_wait else ()
            return SyncAnswer(events=found, first=bool(found))

    async def write(self, request: SyncRequest) -> None:
        """The part of `sync` that an action may carry along: projections, closed waits and closed tasks."""
        await self._project(request)
        for wait in request.closed_waits:
            await self._waits.resolve(request.tenant_id, request.run_id, wait.wait_id, event_id=wait.event_id)
        for task in request.closed_tasks:
            await self._close_task(request.tenant_id, task, closed_wait_at(request))

    @activity.defn(name=CREATE_CHILD)
    async def create_child(self, request: ChildRequest) -> RunOrigin:
        """Record a child run, and answer what it is to be given besides its input, but for the payload.

        Fails with a ChildWorkflowError when its version or its payload is not acceptable.
        """
        async with _typed_failures():
            try:
                version = await self._catalog.get_version(
                    request.tenant_id, request.workflow_id, request.workflow_version
                )
            except NotFoundError as error:
                raise ChildWorkflowFailure(error.message, code="CALL_WORKFLOW_UNKNOWN") from error
            _require_payload(request, version)
            parent = await self._row(request.tenant_id, request.parent_run_id)
            child = child_row(request, version, parent).model_copy(update={"created_at": iso(utc_now())})
            if not await self._runs.create_run(child):
                child = await self._row(request.tenant_id, request.run_id)
        return run_origin(child).model_copy(update={"payload": None})

    @activity.defn(name=ABANDON_RUN)
    async def abandon(self, request: AbandonRequest) -> None:
        """Note the end of a run whose machine never ran."""
        async with _typed_failures():
            try:
                await self._runs.finish_run(
                    request.tenant_id, request.run_id, "FAILED", error=request.failure, at=request.failure.at
                )
            except NotFoundError:
                # The row is what could not be loaded; Temporal keeps the failure.
                return
            await self._clearing.clear_up(request.tenant_id, request.workflow_id, request.run_id, request.failure.at)

    async def _beginning(self, request: LoadRequest) -> tuple[RunRow, Any]:
        if request.with_payload:
            found = await self._runs.with_payload(request.tenant_id, request.run_id)
        else:
            row = await self._runs.get_run(request.tenant_id, request.run_id)
            found = None if row is None else (row, None)
        return found or await self._begun_anew(request)

    async def _begun_anew(self, request: LoadRequest) -> tuple[RunRow, Any]:
        run = _known(begun_anew(request), request.tenant_id, request.run_id)
        await self._restorer.restore(run)
        structlog.get_logger(__name__).warning("run_row_made_again", run_id=request.run_id)
        return run.row, run.row.payload

    async def _row(self, tenant: str, run_id: str) -> RunRow:
        return _known(await self._runs.get_run(tenant, run_id), tenant, run_id)

    async def _project(self, request: SyncRequest) -> None:
        for _ in range(2):
            applied = await self._runs.apply_projections(
                request.tenant_id, request.run_id, request.records, workflow_id=request.workflow_id
            )
            if applied.known or not request.records:
                return
            await self._restorer.restore(
                RestoredRun(lost_row(request), (), executing=True, with_payload=False, whole=False)
            )

    async def _open(self, request: SyncRequest, opening: OpenWait) -> tuple[EventSignal, ...]:
        return await self._waits.register(
            wait_row(request, opening),
            since=opening.wait.since,
            run_started_ms=opening.run_started_ms,
            consumed=frozenset(opening.consumed),
        )

    async def _close_task(self, tenant: str, task: ClosedTask, at: str | None) -> None:
        try:
            if task.answered:
                await self._tasks.complete(
                    tenant,
                    task.task_id,
                    task.response,
                    event_name=task.event_name,
                    responded_by=task.responded_by,
                    at=at,
                )
            else:
                await self._tasks.time_out(tenant, task.task_id, at=at)
        except (ConflictError, NotFoundError) as error:
            # The run has gone on already, so its row must not hold it back.
            structlog.get_logger(__name__).warning("task_row_differs", task_id=task.task_id, reason=error.message)


@asynccontextmanager
async def _typed_failures() -> AsyncIterator[None]:
    try:
        yield
    except RuntimeFailureError as error:
        if error.category is Category.TRANSIENT:
            raise
        raise application_error(error.to_failure()) from error


def _known[T](found: T | None, tenant: str, run_id: str) -> T:
    if found is None:
        raise NotFoundError("run", run_id, tenant, "start runs through the API or an event, not in Temporal itself")
    return found


def _require_wanted(row: RunRow) -> None:
    if row.status == "CANCELED" and row.started_at is None:
        raise CancellationFailure(
            f"run {row.run_id!r} was cancelled before it began; start a new run", code="CANCELED_BEFORE_START"
        )


def _require_same(row: RunRow, version: PublishedVersion) -> None:
    if row.definition_hash != version.hash:
        raise CorruptionFailure(
            f"run {row.run_id!r} was started with the definition {row.definition_hash}, and workflow "
            f"{version.workflow_id!r} version {version.version} now has {version.hash}; published versions never "
            f"change, so restore the catalog from a backup or a bundle",
            code="DEFINITION_HASH_MISMATCH",
        )


def _require_shallow(payload: Any) -> None:
    """Temporal's converter can write no deeper value, and a load that cannot be answered would be repeated for ever."""
    if is_deeper(payload, MAX_VALUE_DEPTH):
        raise ValidationFailure(f"the payload is nested more than {MAX_VALUE_DEPTH} levels deep", code="NOT_JSON")


def _require_payload(request: ChildRequest, version: PublishedVersion) -> None:
    if version.payload_schema_json is None:
        return
    problems = validate_json(version.payload_schema_json, request.payload)
    if problems:
        raise ChildWorkflowFailure(
            f"the payload does not fit workflow {request.workflow_id!r} version {request.workflow_version}: "
            f"{'; '.join(problems)}",
            code="PAYLOAD_INVALID",
            details={"problems": problems},
        )
