"""Recovery and housekeeping: offers events nobody works on, trims the stream, measures. Process code only."""

import structlog
from redis.exceptions import ResponseError

from workflow_runtime.store.events import EventLedger, EventStream, ReadyQueue, group_is_missing
from workflow_worker.ingress.ports import RunGateway
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus


class Upkeep:
    """What each replica does besides reading and routing; doing it twice is harmless."""

    def __init__(
        self,
        ledger: EventLedger,
        stream: EventStream,
        ready: ReadyQueue,
        status: IngressStatus,
        gateway: RunGateway,
        settings: IngressSettings,
    ) -> None:
        self._ledger = ledger
        self._stream = stream
        self._ready = ready
        self._status = status
        self._gateway = gateway
        self._settings = settings

    async def sweep(self) -> None:
        """Offer events whose retry is due or whose process died."""
        if await self._ready.length() < 2 * self._settings.max_ready:
            found = await self._ledger.sweep()
            self._status.backlog = found.backlog
            await self._ready.push(found.found)

    async def maintain(self) -> None:
        """Measure how far behind the reading is; the reader also removes what everybody has read."""
        try:
            lag = await self._stream.lag()
            self._status.lag, self._status.pending_age = lag.unread, lag.oldest_pending_seconds
            if self._status.reading:
                messages, consumers = await self._stream.trim(dead_after_seconds=self._settings.dead_consumer_seconds)
                if messages or consumers:
                    structlog.get_logger(__name__).debug("event_stream_trimmed", messages=messages, consumers=consumers)
        except ResponseError as error:
            if not group_is_missing(error):
                raise

    async def recover_starts(self) -> None:
        """Launch starts that lost their process; the replica that reads the stream does it for all."""
        if self._status.reading and (found := await self._gateway.recover_starts()):
            structlog.get_logger(__name__).info("starts_recovered", count=found)
