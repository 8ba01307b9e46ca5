"""What the server does now and then: removes what has reached its age, puts schedules right. Process code only.

Every replica may do it at any time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from redis.exceptions import RedisError
from temporalio.service import RPCError

from workflow_runtime.service.drain import unless_stopped
from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.retention import Retention
from workflow_server.backend import Backend
from workflow_server.schedules import reconcile

PAUSE_SECONDS: Final = 3600.0


async def prune_tenants(work: Backend) -> None:
    """One round over all tenants, by the ages in the settings. Raises RedisError."""
    settings, retention = work.settings, Retention(work.redis)
    for tenant in await known_tenants(work.redis):
        removed = await retention.prune(
            tenant, run_days=settings.run_retention_days, notification_days=settings.notification_retention_days
        )
        if removed.runs or removed.notifications:
            structlog.get_logger(__name__).info("pruned", tenant=tenant, **removed.model_dump())


async def keep_house(work: Backend, stop: asyncio.Event, *, pause_seconds: float = PAUSE_SECONDS) -> None:
    """Prune and reconcile every hour until ``stop`` is set, beginning with pruning: start-up has reconciled."""
    await _attempt(prune_tenants, work, stop)
    while not stop.is_set():
        await unless_stopped(asyncio.sleep(pause_seconds), stop)
        for duty in (reconcile, prune_tenants):
            if not stop.is_set():
                await _attempt(duty, work, stop)


async def _attempt(duty: Callable[[Backend], Awaitable[None]], work: Backend, stop: asyncio.Event) -> None:
    async def done() -> None:
        await duty(work)

    try:
        await unless_stopped(done(), stop)
    except (RedisError, RPCError) as error:
        structlog.get_logger(__name__).warning("upkeep_failed", duty=duty.__name__, reason=str(error))
