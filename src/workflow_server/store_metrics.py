"""What the store holds, over all tenants, as metrics: runs of each status, dead letters. Process code only."""

import asyncio
from collections import Counter
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from redis.exceptions import RedisError

from workflow_runtime.service.drain import unless_stopped
from workflow_runtime.store.connection import known_tenants
from workflow_runtime.store.events import DeadLetters
from workflow_server.backend import Backend

REFRESH_SECONDS: Final = 15.0


class StoreMetrics:
    """``workflow_runs{status}`` and ``workflow_dead_letters``.

    They are as old as the last refresh: a scrape does not ask Redis.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._runs = Gauge("workflow_runs", "Runs kept, by status.", ["status"], registry=registry)
        self._letters = Gauge("workflow_dead_letters", "Dead letters nobody has taken out.", registry=registry)

    async def refresh(self, work: Backend) -> None:
        """Count anew."""
        totals: Counter[str] = Counter()
        for tenant in await known_tenants(work.redis):
            totals.update(await work.runs.count_by_status(tenant))
        for status, total in totals.items():
            self._runs.labels(status).set(total)
        self._letters.set(await DeadLetters(work.redis).count())

    async def keep_fresh(self, work: Backend, stop: asyncio.Event) -> None:
        """Refresh now and then until ``stop`` is set."""
        while not stop.is_set():
            try:
                await self.refresh(work)
            except RedisError as error:
                structlog.get_logger(__name__).warning("store_metrics_stale", reason=str(error))
            await unless_stopped(asyncio.sleep(REFRESH_SECONDS), stop)
