"""Rebuilds many runs: all that Temporal lists, then all that only the store knows. Process code only."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from redis.asyncio import Redis
from temporalio.client import Client

from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.open_runs import started_run_ids
from workflow_runtime.store.runs import TERMINAL_STATUSES, Runs
from workflow_worker.rebuild.errors import HistoryGoneError, NotOursError, RebuildError
from workflow_worker.rebuild.histories import listed_runs, read_input
from workflow_worker.rebuild.rebuilder import Rebuilder

_AT_ONCE: Final = 8
"""Runs under way: while one is fetched, another is replayed."""


@dataclass(slots=True)
class Report:
    """What became of the runs; ``left`` says why each of them was left alone.

    ``kept`` are runs that are over and of which Temporal keeps no history: what the store says of them is all there is.
    """

    restored: list[str] = field(default_factory=list)
    as_they_were: int = 0
    kept: int = 0
    left: list[RebuildError] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """One line."""
        total = len(self.restored) + self.as_they_were + self.kept + len(self.left)
        kept = f"{self.kept} over and without a history, " if self.kept else ""
        return (
            f"{total} runs: {len(self.restored)} restored, {self.as_they_were} as they were, "
            f"{kept}{len(self.left)} left alone"
        )


async def rebuild_one(client: Client, redis: Redis, run_id: str, tenant: str | None, report: Report) -> None:
    """Rebuild one run unless it is another tenant's."""
    try:
        if tenant is not None and not await _belongs_to(client, run_id, tenant):
            return
        rebuilt = await Rebuilder(client, redis).rebuild(run_id)
    except RebuildError as error:
        if isinstance(error, HistoryGoneError) and await _is_over(redis, run_id, tenant):
            report.kept += 1
        else:
            report.left.append(error)
        return
    if rebuilt.changed:
        report.restored.append(run_id)
    else:
        report.as_they_were += 1


async def rebuild_all(client: Client, redis: Redis, tenant: str | None, report: Report) -> None:
    """Rebuild every run, or every run of a tenant. Raises RPCError and RedisError; then repeat the call."""
    seen: set[str] = set()

    async def one(run_id: str, within: str | None = tenant) -> None:
        await rebuild_one(client, redis, run_id, within, report)

    await _each(_new(listed_runs(client), seen), one)
    for known in await known_tenants(redis) if tenant is None else (tenant,):
        await _each(_new(started_run_ids(redis, known), seen), functools.partial(one, within=known))


async def _is_over(redis: Redis, run_id: str, tenant: str | None) -> bool:
    """Whether the store knows how the run ended: long ago, or before it was ever given to Temporal."""
    for known in await known_tenants(redis) if tenant is None else (tenant,):
        row = await Runs(redis).get_run(known, run_id)
        if row is not None:
            return row.status in TERMINAL_STATUSES
    return False


async def _belongs_to(client: Client, run_id: str, tenant: str) -> bool:
    try:
        return (await read_input(client, run_id)).tenant_id == tenant
    except NotOursError:
        # What is no run is nobody's; only a rebuild of all tenants names it.
        return False


async def _new(run_ids: AsyncIterator[str], seen: set[str]) -> AsyncIterator[str]:
    async for run_id in run_ids:
        if run_id not in seen:
            seen.add(run_id)
            yield run_id


async def _each(run_ids: AsyncIterator[str], work: Callable[[str], Awaitable[None]]) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def bounded(run_id: str) -> None:
        try:
            await work(run_id)
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        async for run_id in run_ids:
            await room.acquire()
            group.create_task(bounded(run_id))
