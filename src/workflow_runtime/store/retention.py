"""Removes what has reached its age: ended runs, notifications. Processes and activities only.

A run is kept as long as its workflow's ``retentionPolicyOverride`` says, ``{"days": n}``, otherwise as long as all are.
Whatever else is kept for a time has that time in its own key (see docs/OPERATIONS.md, What is kept).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from redis.asyncio import Redis

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._pruning import RunPruner
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import Clock, utc_now
from workflow_runtime.store.notifications import Notifications

MAX_RETENTION_DAYS: Final = 36_500
_PAGE: Final = 200
_BATCH: Final = 500


class Removed(WireModel):
    """How much was removed."""

    runs: int
    notifications: int


class Retention:
    """The retention of all tenants. Doing it twice, or in two processes at once, is harmless."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._catalog = Catalog(redis)
        self._runs = RunPruner(redis)
        self._notifications = Notifications(redis)
        self._clock = clock

    async def prune(self, tenant: str, *, run_days: int, notification_days: int) -> Removed:
        """Remove all that is older."""
        return Removed(
            runs=await self.prune_runs(tenant, run_days),
            notifications=await self.prune_notifications(tenant, notification_days),
        )

    async def prune_runs(self, tenant: str, days: int) -> int:
        """Remove the runs that ended more than ``days`` ago, those of workflows with an override by that."""
        own = await self._overrides(tenant)
        removed = await self._runs.prune(tenant, self._before(days), spared=own.keys())
        for workflow_id, kept in own.items():
            removed += await self._runs.prune_workflow(tenant, workflow_id, self._before(kept))
        return removed

    async def prune_notifications(self, tenant: str, days: int) -> int:
        """Remove the notifications sent more than ``days`` ago, read or not."""
        removed = 0
        while batch := await self._notifications.prune(tenant, self._before(days), limit=_BATCH):
            removed += batch
        return removed

    def _before(self, days: int) -> datetime:
        return self._clock() - timedelta(days=days)

    async def _overrides(self, tenant: str) -> Mapping[str, int]:
        found: dict[str, int] = {}
        cursor: str | None = None
        while True:
            page = await self._catalog.list_workflows(tenant, limit=_PAGE, cursor=cursor)
            for row in page.workflows:
                if (days := days_of(row.retention_policy_override)) is not None:
                    found[row.workflow_id] = days
            if (cursor := page.next_cursor) is None:
                return found


def days_of(override: Any) -> int | None:
    """The days an override names; None for one that names none, which then changes nothing.

    >>> days_of({"days": 7})
    7
    """
    days = override.get("days") if isinstance(override, dict) else override
    return days if type(days) is int and 1 <= days <= MAX_RETENTION_DAYS else None
