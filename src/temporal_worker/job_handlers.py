"""The jobs this installation has. Activity code; main hands the result to JobRunner."""

from collections.abc import Mapping
from typing import Any, Protocol

from temporal_worker.job_runner import JobHandler
from temporal_worker.jobs import JobInput
from workflow_runtime.core.errors import ValidationFailure
from workflow_runtime.store.retention import MAX_RETENTION_DAYS


class Prunable(Protocol):
    """The part of the retention that pruning needs; both answer how many were removed."""

    async def prune_runs(self, tenant: str, days: int) -> int:
        """Remove the runs that ended more than ``days`` ago, those of workflows with an age of their own by that."""
        ...

    async def prune_notifications(self, tenant: str, days: int) -> int:
        """Remove the notifications sent more than ``days`` ago."""
        ...


def job_handlers(retention: Prunable) -> Mapping[str, JobHandler]:
    """Handlers by job name.

    ``prune-runs`` and ``prune-notifications`` take ``{olderThanDays}`` and answer ``{removed}``; ``diagnostics.echo``
    answers its data.
    """

    async def prune_runs(job: JobInput) -> Any:
        return {"removed": await retention.prune_runs(job.tenant_id, _days(job.data))}

    async def prune_notifications(job: JobInput) -> Any:
        return {"removed": await retention.prune_notifications(job.tenant_id, _days(job.data))}

    async def echo(job: JobInput) -> Any:
        return job.data

    return {"prune-runs": prune_runs, "prune-notifications": prune_notifications, "diagnostics.echo": echo}


def _days(data: Any) -> int:
    days = data.get("olderThanDays") if isinstance(data, dict) else None
    if type(days) is not int or not 1 <= days <= MAX_RETENTION_DAYS:
        raise ValidationFailure(
            f"data.olderThanDays must be a whole number of days from 1 to {MAX_RETENTION_DAYS}, not {days!r}",
            code="INVALID_JOB_DATA",
        )
    return days
