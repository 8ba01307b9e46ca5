"""Runs that have not ended as far as the store knows, and the slots they hold. Processes only.

`workflow_worker.reconciling` compares these with what Temporal executes.
"""

from collections.abc import AsyncIterator, Awaitable, Collection
from itertools import batched
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.store import _run_keys as keys
from workflow_runtime.store._indexes import id_of, newest
from workflow_runtime.store.connection import command, register_script

_PAGE: Final = 500
_OPEN_STATUSES: Final = ("RUNNING", "WAITING")


class OpenRuns:
    """The open runs of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._hold = register_script(redis, "_runs", "run_hold")

    async def ids(self, tenant: str) -> AsyncIterator[str]:
        """Ids of the runs with status RUNNING or WAITING; among them starts that wait in a queue."""
        for status in _OPEN_STATUSES:
            async for run_id in _listed(self._redis, keys.index_key(tenant, status=status)):
                yield run_id

    async def awaits_launch(self, tenant: str, run_id: str) -> bool:
        """Whether the run has been recorded and nobody has seen it executing."""
        return await self._redis.zscore(keys.unlaunched_key(tenant), run_id) is not None

    async def incomplete(self, tenant: str) -> set[str]:
        """Ids of runs, open or over, whose row was made from what they told after their own had been lost."""
        return await cast(Awaitable[set[str]], self._redis.smembers(keys.incomplete_key(tenant)))

    async def leave_incomplete(self, tenant: str, run_id: str) -> None:
        """Leave the row of a run as it is, because it cannot be made whole."""
        await command(self._redis, "SREM", keys.incomplete_key(tenant), run_id)

    async def hold(self, tenant: str, run_ids: Collection[str]) -> tuple[str, ...]:
        """Give executing runs back the slots of their workflows' limits; answers those that had been forgotten.

        A child has no slot, and whether a run is one is not known of an incomplete row.
        """
        taken: list[str] = []
        for page in batched(run_ids, _PAGE, strict=False):
            for run_id, (workflow_id, parent, root) in zip(page, await self._origins(tenant, page), strict=True):
                if workflow_id is not None and parent is None and root is not None:
                    names = keys.RunKeys(tenant, run_id, workflow_id).declared()
                    taken += [run_id] if await self._hold(names, [run_id]) else []
        return tuple(taken)

    async def _origins(self, tenant: str, run_ids: Collection[str]) -> list[list[str | None]]:
        pipe = self._redis.pipeline(transaction=False)
        for run_id in run_ids:
            cast(Any, pipe).hmget(keys.row_key(tenant, run_id), ["workflowId", "parentRunId", "rootRunId"])
        return cast(list[list[str | None]], await pipe.execute())


async def started_run_ids(redis: Redis, tenant: str) -> AsyncIterator[str]:
    """Ids of all runs that have a row, newest first, but for starts that wait in a queue."""
    async for run_id in _listed(redis, keys.index_key(tenant)):
        if not await cast(Any, redis).hexists(keys.row_key(tenant, run_id), "queuedReason"):
            yield run_id


async def _listed(redis: Redis, index: str) -> AsyncIterator[str]:
    cursor: str | None = None
    while found := await newest(redis, index, limit=_PAGE, cursor=cursor):
        for member in found:
            yield id_of(member)
        cursor = found[-1]
