"""The run store as far as pruning needs it, without Redis. Tests only."""

from temporal_worker.job_handlers import PrunableRuns


class PrunedRuns(PrunableRuns):
    """Claims to remove the same number of runs every time."""

    def __init__(self, removed: int) -> None:
        self.removed = removed

    async def prune(self, tenant_id: str, *, older_than_days: int) -> int:
        return self.removed
