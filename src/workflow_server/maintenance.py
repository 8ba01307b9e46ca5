"""Removes what has reached its age, for all tenants, now and then. Process code only; every replica may do it."""

import asyncio
from typing import Final

import structlog
from redis.exceptions import RedisError

from workflow_runtime.service.drain import unless_stopped
from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.retention import Retention
from workflow_server.backend import Backend

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


async def keep_pruned(work: Backend, stop: asyncio.Event) -> None:
    """Prune at the start and every hour until ``stop`` is set."""
    while not stop.is_set():
        try:
            await unless_stopped(prune_tenants(work), stop)
        except RedisError as error:
            structlog.get_logger(__name__).warning("not_pruned", reason=str(error), retry_in_seconds=PAUSE_SECONDS)
        await unless_stopped(asyncio.sleep(PAUSE_SECONDS), stop)
