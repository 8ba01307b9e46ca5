"""Brings the store in line with Temporal where neither tells the other. Process code only.

A run that is terminated in Temporal, or runs into one of its time limits, cannot write its end: its row would stay open
and hold a slot of its workflow's limit for ever. A store that was emptied, or restored from a backup, has forgotten
runs that go on. Temporal decides in both cases. Several replicas share the work by a lease; doing it twice is harmless.
"""

import asyncio
import contextlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from temporalio.client import Client
from temporalio.service import RPCError

from workflow_runtime.core.contract import RUN_WORKFLOW_TYPE
from workflow_runtime.service.clearing import Clearing
from workflow_runtime.service.drain import unless_stopped
from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.open_runs import OpenRuns
from workflow_runtime.store.runs import TERMINAL_STATUSES, Runs
from workflow_runtime.store.tasks import Tasks
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.rebuild.endings import ending
from workflow_worker.rebuild.errors import HistoryGoneError, RebuildError
from workflow_worker.rebuild.histories import listed_runs, read_closing
from workflow_worker.rebuild.rebuilder import Rebuilder

_EXECUTING: Final = f"WorkflowType = '{RUN_WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'"
_LEASE: Final = "wf:reconciling"
_AT_ONCE: Final = 200
"""Runs put right in one turn; the next turn goes on with the rest."""


@dataclass(slots=True)
class Reconciled:
    """What one turn put right, by run id. ``unknown`` runs are open in the store and not known to Temporal."""

    ended: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class Reconciler:
    """Compares and puts right, once a call of `turn`."""

    def __init__(self, client: Client, redis: Redis) -> None:
        self._client = client
        self._redis = redis
        self._runs = Runs(redis)
        self._open = OpenRuns(redis)
        self._rebuilder = Rebuilder(client, redis)
        self._clearing = Clearing(client=client, runs=self._runs, waits=WaitIndex(redis), tasks=Tasks(redis))
        self._missed: frozenset[str] = frozenset()
        self._told: set[str] = set()

    async def turn(self) -> Reconciled:
        """Put right what differs. Raises RPCError and RedisError; whatever is left is found again."""
        found = Reconciled()
        executing = {run_id async for run_id in listed_runs(self._client, _EXECUTING)}
        known: set[str] = set()
        for tenant in await known_tenants(self._redis):
            open_ids = {run_id async for run_id in self._open.ids(tenant)}
            known |= open_ids
            found.slots += await self._open.hold(tenant, open_ids & executing)
            incomplete = await self._open.incomplete(tenant)
            for run_id in await self._restore(incomplete, found):
                await self._open.leave_incomplete(tenant, run_id)
            for run_id in sorted(open_ids - executing)[:_AT_ONCE]:
                await self._settle(tenant, run_id, found)
        # Temporal's list runs some seconds behind: a run that has just ended is missing here for one turn, not for two.
        missing = executing - known
        await self._restore(missing & self._missed, found)
        self._missed = frozenset(missing)
        self._tell(found)
        return found

    async def _settle(self, tenant: str, run_id: str, found: Reconciled) -> None:
        """A run is open in the store and not among those that execute."""
        row = await self._runs.get_run(tenant, run_id)
        if row is None or row.status in TERMINAL_STATUSES or row.queued_reason is not None:
            return
        try:
            closing = await read_closing(self._client, run_id)
        except HistoryGoneError:
            if not await self._open.awaits_launch(tenant, run_id):
                found.unknown.append(run_id)
            return
        if closing is None:
            return
        try:
            await self._rebuilder.rebuild(run_id)
        except RebuildError:
            # The timeline cannot be made again; that the run is over is certain all the same.
            ended = await ending(closing, self._client.data_converter)
            await self._runs.finish_run(tenant, run_id, ended.status, error=ended.error, at=ended.at)
        await self._clearing.clear_up(tenant, row.workflow_id, run_id, None)
        found.ended.append(run_id)

    async def _restore(self, run_ids: AbstractSet[str], found: Reconciled) -> list[str]:
        """Rebuild them; answers those that cannot be rebuilt."""
        left: list[str] = []
        for run_id in sorted(run_ids)[:_AT_ONCE]:
            try:
                rebuilt = await self._rebuilder.rebuild(run_id)
            except RebuildError as error:
                self._say_once(run_id, "run_not_restored", reason=error.reason)
                left.append(run_id)
                continue
            found.restored += [run_id] if rebuilt.changed else []
        return left

    def _tell(self, found: Reconciled) -> None:
        log = structlog.get_logger(__name__)
        for what, run_ids in (("ended", found.ended), ("restored", found.restored), ("slot taken", found.slots)):
            for run_id in run_ids:
                log.warning("run_reconciled", run_id=run_id, what=what)
        for run_id in found.unknown:
            self._say_once(run_id, "run_unknown_to_temporal")

    def _say_once(self, run_id: str, event: str, **details: str) -> None:
        if run_id not in self._told:
            self._told.add(run_id)
            structlog.get_logger(__name__).warning(event, run_id=run_id, **details)


async def keep_reconciled(reconciler: Reconciler, redis: Redis, stop: asyncio.Event, *, seconds: float) -> None:
    """A turn every ``seconds`` by one of all replicas, until ``stop``. What cannot be reached is tried again."""
    log = structlog.get_logger(__name__)
    while not stop.is_set():
        try:
            if await redis.set(_LEASE, "1", nx=True, px=round(seconds * 1000)):
                await unless_stopped(reconciler.turn(), stop)
        except (RedisError, RPCError, OSError) as error:
            log.warning("not_reconciled", reason=str(error) or type(error).__name__, retry_in_seconds=seconds)
        except Exception as error:
            # A defect here must not end the process that executes runs.
            log.exception("not_reconciled", reason=f"{type(error).__name__}: {error}", retry_in_seconds=seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
