"""The ingress itself: reads, accepts and routes events until told to stop. Process code only."""

import asyncio

from redis.asyncio import Redis

from workflow_worker.ingress.ports import RunGateway
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus


class Ingress:
    """One replica's share of event delivery; replicas share the stream, the ready queue and the ledger."""

    def __init__(self, redis: Redis, gateway: RunGateway, settings: IngressSettings, *, identity: str) -> None:
        self.status = IngressStatus(settings)
        self._redis = redis
        self._gateway = gateway
        self._settings = settings
        self._identity = identity

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then drain: read nothing new, finish what is under way within the bound."""
        await stop.wait()
