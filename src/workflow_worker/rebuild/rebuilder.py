"""Rebuilds the projections of one run from Temporal. Process code only.

Repeating it changes nothing, and it may be done while the run executes: what the run writes meanwhile stays.
"""

from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.contract import ACTION_ACTIVITY, SIGNAL_EVENT, EventSignal, RunInput, run_workflow_id
from workflow_runtime.store.connection import iso
from workflow_runtime.store.ledger import ActionLedger
from workflow_runtime.store.restoring import Ended, RestoredRun, RunRestorer
from workflow_runtime.store.runs import TERMINAL_STATUSES, RunRow, Runs, TerminalStatus
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.rebuild.endings import ending
from workflow_worker.rebuild.histories import RunHistories, read_histories
from workflow_worker.rebuild.ledger import ledger_entries
from workflow_worker.rebuild.replaying import Told, replay
from workflow_worker.rebuild.rows import open_wait, restored_run, restored_tasks
from workflow_worker.run_rows import wait_row

_PASSES: Final = 5
_NOT_TAKEN: Final = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
_LOOK_THROUGH: Final = 10_000
"""Recorded events that are looked through for one that came while a wait stood nowhere."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A run that stands as Temporal tells it; ``changed`` is whether it did not before."""

    input: RunInput
    changed: bool


class Rebuilder:
    """Rebuilds runs of all tenants; whoever built ``client`` gave it the converter the workers use."""

    def __init__(self, client: Client, redis: Redis) -> None:
        self._client = client
        self._runs = Runs(redis)
        self._waits = WaitIndex(redis)
        self._restorer = RunRestorer(redis)
        self._ledger = ActionLedger(redis)

    async def rebuild(self, run_id: str) -> Rebuilt:
        """Put the run's row, records, tasks and open wait back as its histories tell them.

        Raises RebuildError when the run has to be left alone, RPCError and RedisError.
        """
        changed = False
        histories = await read_histories(self._client, run_id)
        for _ in range(_PASSES):
            changed |= await self._restore(histories)
            if histories.closing is not None:
                break
            # A task or a wait that ended while it was restored would stand open again.
            before, histories = histories, await read_histories(self._client, run_id)
            if histories.length == before.length:
                break
        return Rebuilt(histories.input, changed)

    async def _restore(self, histories: RunHistories) -> bool:
        told = await replay(histories, self._client.data_converter)
        standing = await self._standing(histories.input)
        run = restored_run(histories, told, await self._ended(histories, told, standing), standing)
        changed = await self._restorer.restore(run)
        for task in restored_tasks(told, run):
            changed |= await self._restorer.restore_task(task)
        changed |= await self._restore_ledger(told, run)
        if run.executing:
            return await self._restore_wait(told, run) or changed
        return await self._waits.forget_run(run.row.tenant_id, run.row.run_id) > 0 or changed

    async def _restore_ledger(self, told: Told, run: RestoredRun) -> bool:
        begun = await self._works_on_action(run.row.run_id) if run.executing and told.open_call else None
        entries = ledger_entries(told.called, run.records, begun=begun)
        return any([await self._ledger.restore(run.row.tenant_id, entry) for entry in entries])

    async def _works_on_action(self, run_id: str) -> bool:
        """Whether a worker has taken the action the run waits for. A run waits for one at a time."""
        about = await self._client.get_workflow_handle(run_workflow_id(run_id)).describe()
        return any(
            activity.activity_type.name == ACTION_ACTIVITY and activity.state != _NOT_TAKEN
            for activity in about.raw_description.pending_activities
        )

    async def _standing(self, run: RunInput) -> RunRow | None:
        try:
            return await self._runs.get_run(run.tenant_id, run.run_id)
        except ValueError:
            # A damaged row tells nothing; it is about to be replaced.
            return None

    async def _ended(self, histories: RunHistories, told: Told, standing: RunRow | None) -> Ended | None:
        if told.loaded is None and standing is not None and standing.status in TERMINAL_STATUSES:
            # It ended before it began, which is for its row to say: whoever cancelled it found no workflow to ask.
            return Ended(
                cast(TerminalStatus, standing.status), standing.ended_at or iso(histories.began_at), standing.error
            )
        if told.abandoned is not None:
            failure = told.abandoned.failure
            return Ended("FAILED", failure.at or "", failure)
        if histories.closing is None:
            return None
        return await ending(histories.closing, self._client.data_converter)

    async def _restore_wait(self, told: Told, run: RestoredRun) -> bool:
        """Enter the wait the run is in, and give the run what passed by while the wait was not there."""
        found = open_wait(told, run)
        if found is None:
            return False
        request, opening, opened_at = found
        wait, since = wait_row(request, opening), opening.wait.since
        known = await self._waits.get(wait.tenant_id, wait.run_id, wait.wait_id) is not None
        # To a wait that is entered again, "from now on" would leave out what came meanwhile; what came before it opened
        # is left out below.
        events = await self._waits.register(
            wait,
            since=since if known else "run",
            run_started_ms=opening.run_started_ms,
            consumed=frozenset(opening.consumed),
            limit=1 if since == "run" else _LOOK_THROUGH,
        )
        missed = [event for event in events if since == "run" or (event.received_at or "") >= opened_at]
        for event in () if known else missed[:1]:
            await self._send(wait.run_id, event)
        return not known

    async def _send(self, run_id: str, event: EventSignal) -> None:
        try:
            await self._client.get_workflow_handle(run_workflow_id(run_id)).signal(SIGNAL_EVENT, event)
        except RPCError as error:
            # A run that has ended meanwhile needs no event; the next look at its histories finds the end.
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
