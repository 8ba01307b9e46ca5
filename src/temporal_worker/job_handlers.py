"""The jobs this installation has. Activity code; main hands the result to JobRunner."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from temporal_worker.job_runner import JobHandler
from temporal_worker.jobs import JobInput
from workflow_runtime.core.errors import ValidationFailure

_BATCH: Final = 500


class PrunableRuns(Protocol):
    """The part of the run store that pruning needs."""

    async def prune(self, tenant: str, before: datetime, *, limit: int) -> int:
        """Remove up to ``limit`` runs that ended before ``before`` and give their number."""
        ...


def job_handlers(runs: PrunableRuns) -> Mapping[str, JobHandler]:
    """Handlers by job name.

    ``prune-runs`` takes ``{olderThanDays}`` and answers ``{removed, before}``; ``diagnostics.echo`` answers its data.
    """

    async def prune_runs(job: JobInput) -> Any:
        before = datetime.now(UTC) - timedelta(days=_days(job.data))
        removed = 0
        while batch := await runs.prune(job.tenant_id, before, limit=_BATCH):
            removed += batch
        return {"removed": removed, "before": before.isoformat(timespec="seconds")}

    async def echo(job: JobInput) -> Any:
        return job.data

    return {"prune-runs": prune_runs, "diagnostics.echo": echo}


def _days(data: Any) -> int:
    days = data.get("olderThanDays") if isinstance(data, dict) else None
    if type(days) is not int or not 1 <= days <= 36_500:
        raise ValidationFailure(
            f"data.olderThanDays must be a whole number of days from 1 to 36500, not {days!r}", code="INVALID_JOB_DATA"
        )
    return days
