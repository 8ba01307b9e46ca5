"""How many runs there are of each status, over all tenants, as a metric. Process code only."""

import asyncio
from collections import Counter
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge
from redis.exceptions import RedisError

from workflow_runtime.service.drain import unless_stopped
from workflow_runtime.store.connection import known_tenants
from workflow_server.backend import Backend

REFRESH_SECONDS: Final = 15.0


class RunMetrics:
    """``workflow_runs{status}``, as old as the last refresh: a scrape does not ask Redis."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge("workflow_runs", "Runs kept, by status.", ["status"], registry=registry)

    async def refresh(self, work: Backend) -> None:
        """Count anew."""
        totals: Counter[str] = Counter()
        for tenant in await known_tenants(work.redis):
            totals.update(await work.runs.count_by_status(tenant))
        for status, total in totals.items():
            self._gauge.labels(status).set(total)

    async def keep_fresh(self, work: Backend, stop: asyncio.Event) -> None:
        """Refresh now and then until ``stop`` is set."""
        while not stop.is_set():
            try:
                await self.refresh(work)
            except RedisError as error:
                structlog.get_logger(__name__).warning("run_metrics_stale", reason=str(error))
            await unless_stopped(asyncio.sleep(REFRESH_SECONDS), stop)
