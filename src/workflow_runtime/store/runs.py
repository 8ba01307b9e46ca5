"""Runs: admission, rows, projections, lists and retention. Processes and activities only, never workflow code.

Temporal is the authority for execution; what stands here follows it (RUNTIME.md section 8). Only the starts that wait
for a paused workflow or a concurrency limit exist nowhere else. A run that was admitted counts against its workflow's
limit until a terminal status is recorded, whoever records it; the process that sees a run end then asks `release` for
the starts that may go on, and `recover_starts` finds those that a dying process left behind.
"""

import json
from collections.abc import Awaitable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.core.errors import Failure
from workflow_runtime.core.projection import ProjectionRecord
from workflow_runtime.store import _run_keys as keys
from workflow_runtime.store._indexes import above, below, id_of, members, newest, time_member
from workflow_runtime.store._projections import batch_json, fold, parse_records
from workflow_runtime.store._rows import dump, flat
from workflow_runtime.store._run_keys import STATUSES, RunKeys
from workflow_runtime.store._run_rows import (
    TERMINAL_STATUSES,
    Admission,
    Applied,
    RecordPage,
    RunDetail,
    RunPage,
    RunRow,
    RunStatus,
    TerminalStatus,
    TimelineRow,
)
from workflow_runtime.store._task_keys import of_run_key
from workflow_runtime.store.connection import Clock, command, iso, millis, register_script, remember_tenant, utc_now
from workflow_runtime.store.errors import ArchivedError, NotFoundError
from workflow_runtime.store.events._keys import run_waits_key, sequence_key

__all__ = [
    "TERMINAL_STATUSES",
    "Admission",
    "Applied",
    "RecordPage",
    "RunDetail",
    "RunPage",
    "RunRow",
    "RunStatus",
    "Runs",
    "TerminalStatus",
    "TimelineRow",
]

_BATCH: Final = 500
"""Projection records per script call: a few milliseconds in which Redis serves nobody else."""


class Runs:
    """The runs of all tenants."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock
        self._create = register_script(redis, "_runs", "run_create")
        self._admit_next = register_script(redis, "_runs", "run_admit_next")
        self._apply = register_script(redis, "_runs", "run_apply")
        self._finish = register_script(redis, "_runs", "run_finish")
        self._leaves = register_script(redis, "run_leaves")

    # Starting

    async def create_run(self, row: RunRow) -> bool:
        """Record a run that is about to be launched; false when it is there already (then nothing changes).

        For child runs, which take no slot of a concurrency limit: a parent would wait for a child that waits for it.
        """
        return (await self._insert("create", row))[1]

    async def admit(self, row: RunRow, *, tenant_is_known: bool = False) -> Admission:
        """Record a start; let it go on at once, or behind those that wait when its workflow is paused or at its limit.

        ``tenant_is_known`` saves a call when the tenant was just remembered, as it is with each batch of events.
        Idempotent by run id: a second call tells what became of the first. Raises `NotFoundError` and `ArchivedError`.
        """
        state, created, created_at = await self._insert("admit", row, tenant_is_known=tenant_is_known)
        if state == "missing":
            raise NotFoundError("workflow", row.workflow_id, row.tenant_id, "publish it before starting it")
        if state == "archived":
            raise ArchivedError(row.workflow_id)
        return Admission(state=cast(Any, state), created=created, created_at=created_at)

    async def _insert(self, mode: str, row: RunRow, *, tenant_is_known: bool = False) -> tuple[str, bool, str]:
        now = iso(self._clock())
        created_at = row.created_at or now
        row = row.model_copy(update={"created_at": created_at, "updated_at": row.updated_at or now})
        if not tenant_is_known:
            await remember_tenant(self._redis, row.tenant_id)
        names = RunKeys(row.tenant_id, row.run_id, row.workflow_id, row.parent_run_id)
        head: list[str | int] = [mode, row.run_id, time_member(created_at, row.run_id), millis(created_at)]
        payload = dump(row.payload, f"payload of run {row.run_id!r}")
        fields = flat(row.to_hash(exclude=frozenset({"payload"})))
        state, created, *earlier = await self._create(
            [*names.declared(), sequence_key(row.tenant_id)], [*head, payload, json.dumps(fields)]
        )
        return state, created == 1, earlier[0] if earlier else created_at

    async def mark_launched(self, tenant: str, run_id: str) -> None:
        """Note that Temporal has the run; its first projection says so too."""
        await command(self._redis, "ZREM", keys.unlaunched_key(tenant), run_id)

    async def release(self, tenant: str, workflow_id: str, run_id: str) -> tuple[RunRow, ...]:
        """Free the slot of a run that ended, and admit the starts that may now go on, first come first served.

        Launch every row it answers. Idempotent.
        """
        await command(self._redis, "SREM", keys.active_key(tenant, workflow_id), run_id)
        return await self.admit_waiting(tenant, workflow_id)

    async def leaves_nothing(self, tenant: str, workflow_id: str, run_id: str) -> bool:
        """Free the slot of a run that ended; true when it has no open wait and no task, and no start waits for it.

        One call instead of many for what most runs are when they end. Idempotent.
        """
        left = [run_waits_key(tenant, run_id), of_run_key(tenant, run_id), keys.queue_key(tenant, workflow_id)]
        return bool(await self._leaves([keys.active_key(tenant, workflow_id), *left], [run_id]))

    async def admit_waiting(self, tenant: str, workflow_id: str) -> tuple[RunRow, ...]:
        """Admit the waiting starts that may go on: call it after resuming a workflow or raising its limit."""
        admitted: list[RunRow] = []
        while (run_id := await self._first_waiting(tenant, workflow_id)) is not None:
            now = self._clock()
            names = RunKeys(tenant, run_id, workflow_id)
            outcome = await self._admit_next(names.declared(), [run_id, millis(now), iso(now)])
            if outcome == "held":
                break
            if outcome == "admitted":
                admitted += await self._rows(tenant, [run_id])
        return tuple(admitted)

    async def _first_waiting(self, tenant: str, workflow_id: str) -> str | None:
        first = await members(self._redis, keys.queue_key(tenant, workflow_id), limit=1)
        return first[0] if first else None

    async def recover_starts(self, tenant: str, before: datetime) -> tuple[RunRow, ...]:
        """Starts somebody has to launch because the process that should have is gone; call it now and then.

        These are the waiting starts that may go on, and the runs admitted before ``before`` that were never seen
        executing.
        """
        late = await below(self._redis, keys.unlaunched_key(tenant), millis(before), limit=1000)
        rows = list(await self._rows(tenant, late))
        for workflow_id in sorted(await cast(Awaitable[set[str]], self._redis.smembers(keys.queues_key(tenant)))):
            rows += await self.admit_waiting(tenant, workflow_id)
        return tuple(rows)

    async def waiting_starts(self, tenant: str, workflow_id: str, *, limit: int = 100) -> tuple[RunRow, ...]:
        """The first starts in the queue of a workflow, in order."""
        return await self._rows(tenant, await members(self._redis, keys.queue_key(tenant, workflow_id), limit=limit))

    async def queue_place(self, tenant: str, workflow_id: str, run_id: str) -> int | None:
        """The place of a waiting start in the queue of its workflow, from 1; null when it does not wait (any more)."""
        rank = cast(int | None, await self._redis.zrank(keys.queue_key(tenant, workflow_id), run_id))
        return None if rank is None else rank + 1

    async def active_count(self, tenant: str, workflow_id: str) -> int:
        """How many runs of a workflow count against its limit."""
        return await self._redis.scard(keys.active_key(tenant, workflow_id))

    # Following

    async def apply_projections(
        self, tenant: str, run_id: str, records: Sequence[ProjectionRecord], *, workflow_id: str | None = None
    ) -> Applied:
        """Apply records in order of ``seq``; those that stand already are ignored, so repeating is harmless.

        A record that stands otherwise was told by a workflow task which Temporal gave up: it goes, and all after it.
        ``workflow_id`` saves reading it. A run with a terminal status keeps it, and its error and times with it, unless
        the task that told it was given up. When the run is not known (``Applied.known`` is false), create its row from
        the run's input and call again.
        """
        result = Applied(known=True, applied=0, last_seq=0)
        for start in range(0, len(records), _BATCH):
            batch = await self._apply_batch(tenant, run_id, records[start : start + _BATCH], workflow_id)
            result = batch.model_copy(update={"applied": result.applied + batch.applied})
        return result

    async def _apply_batch(
        self, tenant: str, run_id: str, records: Sequence[ProjectionRecord], workflow_id: str | None
    ) -> Applied:
        workflow_id = workflow_id or await self._workflow_of(tenant, run_id)
        if workflow_id is None:
            return Applied(known=False, applied=0, last_seq=0)
        arguments: list[str | int] = [run_id, workflow_id, batch_json(records)]
        known, applied, last = await self._apply(RunKeys(tenant, run_id, workflow_id).declared(), arguments)
        return Applied(known=known == 1, applied=applied, last_seq=last)

    async def _workflow_of(self, tenant: str, run_id: str) -> str | None:
        return await cast(Awaitable[str | None], self._redis.hget(keys.row_key(tenant, run_id), "workflowId"))

    async def finish_run(
        self,
        tenant: str,
        run_id: str,
        status: TerminalStatus,
        *,
        error: Failure | None = None,
        at: str | None = None,
    ) -> bool:
        """Record an end that no projection tells: a cancelled start that waited, a launch that failed for good, a run
        whose machine could not be built. ``at`` is ISO 8601 UTC, now when left out. True when this ended the run.
        Raises `NotFoundError`.
        """
        workflow_id = await self._workflow_of(tenant, run_id)
        text = error.model_dump_json(by_alias=True) if error else ""
        at = at or iso(self._clock())
        arguments: list[str | int] = [run_id, status, at, millis(at), text]
        done = workflow_id and await self._finish(RunKeys(tenant, run_id, workflow_id).declared(), arguments)
        if done is None or done == -1:
            raise _no_run(tenant, run_id)
        return bool(done)

    # Reading

    async def get_run(self, tenant: str, run_id: str) -> RunRow | None:
        """The row without its payload; null when there is none."""
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(keys.row_key(tenant, run_id)))
        return RunRow.from_hash(raw) if raw else None

    async def payload(self, tenant: str, run_id: str) -> Any:
        """The payload a run began with. Raises `NotFoundError`."""
        text = cast(str | None, await self._redis.get(keys.payload_key(tenant, run_id)))
        return _payload(text, tenant, run_id)

    async def payload_if_known(self, tenant: str, run_id: str) -> Any:
        """The payload a run began with; null, too, when the store lost it and the run has not been rebuilt yet."""
        text = cast(str | None, await self._redis.get(keys.payload_key(tenant, run_id)))
        return None if text is None else json.loads(text)

    async def with_payload(self, tenant: str, run_id: str) -> tuple[RunRow, Any] | None:
        """The row and the payload in one call; null when there is no row. Raises `NotFoundError` for the payload."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(keys.row_key(tenant, run_id))
        pipe.get(keys.payload_key(tenant, run_id))
        raw, text = await pipe.execute()
        return (RunRow.from_hash(raw), _payload(text, tenant, run_id)) if raw else None

    async def list_runs(
        self,
        tenant: str,
        *,
        workflow_id: str | None = None,
        status: RunStatus | None = None,
        since: datetime | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> RunPage:
        """Runs created at or after ``since``, newest first; every filter has its own index."""
        index = keys.index_key(tenant, status=status, workflow_id=workflow_id)
        found = await newest(self._redis, index, limit=limit, cursor=cursor, since=since)
        rows = await self._rows(tenant, [id_of(member) for member in found])
        return RunPage(runs=rows, next_cursor=found[-1] if len(found) == limit else None)

    async def count_by_status(self, tenant: str) -> dict[RunStatus, int]:
        """How many runs there are of each status."""
        pipe = self._redis.pipeline(transaction=False)
        for status in STATUSES:
            pipe.zcard(keys.index_key(tenant, status=status))
        return dict(zip(cast(Iterable[RunStatus], STATUSES), await pipe.execute(), strict=True))

    async def run_detail(self, tenant: str, run_id: str) -> RunDetail | None:
        """A run with its steps, waits, actions, logs and children; null when there is none."""
        run = await self.get_run(tenant, run_id)
        if run is None:
            return None
        rows = fold(parse_records(await members(self._redis, keys.records_key(tenant, run_id))))
        by_kind = {kind: tuple(row for row in rows if row.kind == kind) for kind in ("step", "wait", "action", "log")}
        return RunDetail(
            run=run,
            steps=by_kind["step"],
            waits=by_kind["wait"],
            actions=by_kind["action"],
            logs=by_kind["log"],
            child_run_ids=await self.children(tenant, run_id),
        )

    async def records(self, tenant: str, run_id: str, *, after_seq: int = 0, limit: int = 500) -> RecordPage:
        """The next records after ``after_seq``, for following a run and for paging through a very long one."""
        texts = await above(self._redis, keys.records_key(tenant, run_id), after_seq, limit=limit)
        records = tuple(parse_records(texts))
        return RecordPage(records=records, last_seq=records[-1].seq if records else after_seq)

    async def children(self, tenant: str, run_id: str) -> tuple[str, ...]:
        """Ids of the run's child runs in order of creation."""
        return tuple(await members(self._redis, keys.children_key(tenant, run_id)))

    async def _rows(self, tenant: str, run_ids: Sequence[str]) -> tuple[RunRow, ...]:
        pipe = self._redis.pipeline(transaction=False)
        for run_id in run_ids:
            pipe.hgetall(keys.row_key(tenant, run_id))
        return tuple(RunRow.from_hash(raw) for raw in await pipe.execute() if raw)


def _payload(text: str | None, tenant: str, run_id: str) -> Any:
    if text is None:
        raise NotFoundError(
            "payload of run", run_id, tenant, "it was lost, or never was; rebuild the run from Temporal"
        )
    return json.loads(text)


def _no_run(tenant: str, run_id: str) -> NotFoundError:
    return NotFoundError("run", run_id, tenant, "it never existed or was removed by retention; list runs to find it")
