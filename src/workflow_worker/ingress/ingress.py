"""The ingress itself: reads, accepts and routes events until told to stop. Process code only."""

import asyncio
import functools
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.events import DeadLetters, EventIntake, EventLedger, EventStream, ReadyQueue
from workflow_runtime.store.schemas import Schemas
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress.delivery import Delivery
from workflow_worker.ingress.loops import keep_going
from workflow_worker.ingress.metrics import IngressMetrics
from workflow_worker.ingress.ports import RunGateway
from workflow_worker.ingress.reader import Reader
from workflow_worker.ingress.router import Router
from workflow_worker.ingress.routing import Routing
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus
from workflow_worker.ingress.upkeep import Upkeep


class Ingress:
    """One replica's share of event delivery; replicas share the stream, the ready queue and the ledger.

    ``identity`` tells people which process it is. The name in the consumer group has something random besides: a
    container that is restarted has the host and process number it had before, and so have two on one host's network.
    """

    def __init__(
        self,
        redis: Redis,
        gateway: RunGateway,
        settings: IngressSettings,
        *,
        identity: str,
        registry: CollectorRegistry,
    ) -> None:
        self.status = IngressStatus(settings)
        self._settings = settings
        self._name = f"{identity}#{uuid.uuid4().hex[:12]}"
        metrics = IngressMetrics(registry, self.status)
        ready, dead_letters, catalog = ReadyQueue(redis), DeadLetters(redis), Catalog(redis)
        ledger = EventLedger(
            redis,
            retention_seconds=settings.retention_seconds,
            lease_seconds=settings.lease_seconds,
            grace_seconds=settings.grace_seconds,
            silence_seconds=settings.silence_seconds,
        )
        intake = EventIntake(
            redis,
            correlation_paths=settings.correlation_paths,
            retention_seconds=settings.retention_seconds,
            grace_seconds=settings.grace_seconds,
            lease_seconds=settings.lease_seconds,
        )
        self._stream = EventStream(
            redis,
            group=settings.consumer_group,
            consumer=self._name,
            lease_seconds=settings.lease_seconds,
            max_ready=settings.max_ready,
            silence_seconds=settings.silence_seconds,
        )
        delivery = Delivery(gateway, catalog, Schemas(redis), WaitIndex(redis), settings)
        self._routing = Routing(ledger, delivery, dead_letters, metrics, settings, identity=self._name)
        self._router = Router(ready, self._routing, self.status, settings)
        self._reader = Reader(self._stream, intake, dead_letters, self._router, self.status, metrics, settings)
        self._upkeep = Upkeep(ledger, self._stream, ready, self.status, gateway, settings)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until ``stop`` is set, then drain: read nothing new, finish what is under way within ``drain_seconds``.

        Faults of Redis and Temporal do not end it; they show in ``status`` and are retried.
        """
        log = structlog.get_logger(__name__)
        log.info("ingress_started", group=self._settings.consumer_group, consumer=self._name)
        drained = asyncio.Event()
        async with asyncio.TaskGroup() as loops:
            every = functools.partial(self._loop, loops)
            every("lease", self._routing.keep_claims, drained, rest=self._settings.lease_seconds / 3)
            working = [
                every("reader", functools.partial(self._reader.turn, stop), stop),
                every("router", functools.partial(self._router.turn, stop), stop),
                every("sweep", self._upkeep.sweep, stop, rest=self._settings.sweep_seconds),
                every("upkeep", self._upkeep.maintain, stop, rest=self._settings.maintenance_seconds),
                every("starts", self._upkeep.recover_starts, stop, rest=self._settings.recovery_seconds),
            ]
            await stop.wait()
            await self._drain(working)
            drained.set()
        await self._leave()
        log.info("ingress_drained")

    async def _drain(self, working: Sequence[asyncio.Task[None]]) -> None:
        ends = time.monotonic() + self._settings.drain_seconds
        _, late = await asyncio.wait(working, timeout=self._settings.drain_seconds)
        for loop in late:
            # What it was about to do is found by the next replica, as after any end.
            loop.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self._router.drain(max(0.0, ends - time.monotonic()))

    def _loop(
        self,
        loops: asyncio.TaskGroup,
        name: str,
        turn: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        *,
        rest: float = 0.0,
    ) -> asyncio.Task[None]:
        return loops.create_task(keep_going(name, turn, self.status, stop, rest=rest), name=f"ingress {name}")

    async def _leave(self) -> None:
        try:
            await self._stream.leave()
        except Exception as error:
            # The lease runs out by itself; a process that ends has nobody to tell.
            structlog.get_logger(__name__).warning("ingress_left_without_notice", reason=str(error))
