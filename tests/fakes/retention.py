"""A retention that removes nothing and notes what it was asked. Tests only."""

from temporal_worker.job_handlers import Prunable


class NotedRetention(Prunable):
    """Answers 3 for runs and 4 for notifications."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    async def prune_runs(self, tenant: str, days: int) -> int:
        self.asked.append(("runs", tenant, days))
        return 3

    async def prune_notifications(self, tenant: str, days: int) -> int:
        self.asked.append(("notifications", tenant, days))
        return 4
