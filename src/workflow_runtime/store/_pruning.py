"""Removes ended runs with all their keys. Private to the stores (used by store.retention)."""

from collections.abc import AsyncIterator, Awaitable, Collection
from datetime import datetime
from typing import Final, cast

from redis.asyncio import Redis

from workflow_runtime.store import _run_keys as keys
from workflow_runtime.store._indexes import id_of
from workflow_runtime.store._run_keys import RunKeys
from workflow_runtime.store._run_rows import TERMINAL_STATUSES
from workflow_runtime.store._task_keys import remove_tasks_of_run
from workflow_runtime.store.connection import millis, register_script
from workflow_runtime.store.waits import WaitIndex

_PAGE: Final = 500


class RunPruner:
    """Tasks and waits of a run go first, the row last: what dies midway is finished by the next one."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._prune = register_script(redis, "_runs", "run_prune")
        self._waits = WaitIndex(redis)

    async def prune(self, tenant: str, before: datetime, *, spared: Collection[str] = ()) -> int:
        """Remove the runs that ended before ``before``, but those of the ``spared`` workflows; answers how many."""
        removed, kept = 0, 0
        while page := await self._ended(tenant, before, kept):
            for run_id in page:
                workflow_id = await self._field(tenant, run_id, "workflowId")
                if workflow_id in spared:
                    kept += 1
                else:
                    removed += await self._remove(tenant, run_id, workflow_id or "", before)
        return removed

    async def prune_workflow(self, tenant: str, workflow_id: str, before: datetime) -> int:
        """Remove the runs of one workflow that ended before ``before``; answers how many."""
        removed = 0
        for status in sorted(TERMINAL_STATUSES):
            index = keys.index_key(tenant, status=status, workflow_id=workflow_id)
            async for run_id in self._created(index, before):
                ended = await self._redis.zscore(keys.ended_key(tenant), run_id)
                if ended is not None and ended < millis(before):
                    removed += await self._remove(tenant, run_id, workflow_id, before)
        return removed

    async def _ended(self, tenant: str, before: datetime, offset: int) -> list[str]:
        found = self._redis.zrange(
            keys.ended_key(tenant), "-inf", f"({millis(before)}", byscore=True, offset=offset, num=_PAGE
        )
        return cast(list[str], await found)

    async def _created(self, index: str, before: datetime) -> AsyncIterator[str]:
        """The runs of an index that were created before; they may have ended later."""
        low = "-"
        while True:
            high = f"({millis(before):015d}"
            page = cast(list[str], await self._redis.zrange(index, low, high, bylex=True, offset=0, num=_PAGE))
            for member in page:
                yield id_of(member)
            if len(page) < _PAGE:
                return
            low = f"({page[-1]}"

    async def _remove(self, tenant: str, run_id: str, workflow_id: str, before: datetime) -> int:
        parent = await self._field(tenant, run_id, "parentRunId")
        await remove_tasks_of_run(self._redis, tenant, run_id)
        await self._waits.forget_run(tenant, run_id)
        names = RunKeys(tenant, run_id, workflow_id, parent)
        return cast(int, await self._prune(names.declared(), [run_id, millis(before)]))

    async def _field(self, tenant: str, run_id: str, name: str) -> str | None:
        return await cast(Awaitable[str | None], self._redis.hget(keys.row_key(tenant, run_id), name))
