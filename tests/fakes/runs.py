"""The run store as far as pruning needs it, without Redis. Tests only."""

from datetime import datetime

from temporal_worker.job_handlers import PrunableRuns


class EndedRuns(PrunableRuns):
    """Holds the end time of every run of every tenant."""

    def __init__(self, **ended: list[datetime]) -> None:
        self.ended = ended

    async def prune(self, tenant: str, before: datetime, *, limit: int) -> int:
        old = sorted(end for end in self.ended.get(tenant, []) if end < before)[:limit]
        for end in old:
            self.ended[tenant].remove(end)
        return len(old)
