"""The jobs this installation has. Activity code; main hands the result to JobRunner."""

from collections.abc import Mapping
from typing import Any, Protocol

from temporal_worker.job_runner import JobHandler
from temporal_worker.jobs import JobInput
from workflow_runtime.core.errors import ValidationFailure


class PrunableRuns(Protocol):
    """The part of the run store that pruning needs."""

    async def prune(self, tenant_id: str, *, older_than_days: int) -> int:
        """Remove ended runs and give their number."""


def job_handlers(runs: PrunableRuns) -> Mapping[str, JobHandler]:
    """Handlers by job name: ``prune-runs`` and ``diagnostics.echo``."""

    async def prune_runs(job: JobInput) -> Any:
        days = _days(job.data)
        return {"removed": await runs.prune(job.tenant_id, older_than_days=days), "olderThanDays": days}

    async def echo(job: JobInput) -> Any:
        return job.data

    return {"prune-runs": prune_runs, "diagnostics.echo": echo}


def _days(data: Any) -> int:
    days = data.get("olderThanDays") if isinstance(data, dict) else None
    if type(days) is not int or days < 1:
        raise ValidationFailure(
            f"data.olderThanDays must be a whole number of days from 1, not {days!r}", code="INVALID_JOB_DATA"
        )
    return days
