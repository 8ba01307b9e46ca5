"""Reads the stream: parse, accept, acknowledge. Process code only."""

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from redis.exceptions import RedisError, ResponseError

from workflow_runtime.store.connection import is_outage
from workflow_runtime.store.events import (
    Acceptance,
    DeadLetters,
    EventIntake,
    EventSource,
    EventStream,
    Hold,
    IncomingEvent,
    MalformedEventError,
    Message,
    ReadState,
    group_is_missing,
    parse_pairs,
)
from workflow_worker.ingress.loops import pause_or, unless_stopped
from workflow_worker.ingress.metrics import IngressMetrics
from workflow_worker.ingress.router import Router
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus


class Reader:
    """One replica's reading, which is idle while another replica reads."""

    def __init__(
        self,
        stream: EventStream,
        intake: EventIntake,
        dead_letters: DeadLetters,
        router: Router,
        status: IngressStatus,
        metrics: IngressMetrics,
        settings: IngressSettings,
    ) -> None:
        self._stream = stream
        self._intake = intake
        self._dead_letters = dead_letters
        self._router = router
        self._status = status
        self._metrics = metrics
        self._settings = settings
        self._log = structlog.get_logger(__name__)

    async def turn(self, stop: asyncio.Event) -> None:
        """Read and accept one batch, or wait for one."""
        try:
            result = await self._stream.read(self._settings.read_batch)
            self._status.group_found = True
            if self._status.reading is (result.state is ReadState.STANDBY):
                self._status.reading = not self._status.reading
                self._log.info("event_reader_changed", reading=self._status.reading)
            match result.state:
                case ReadState.MESSAGES:
                    await self._accept(result.messages, places=len(result.messages))
                case ReadState.RECOVER:
                    await self._recover(stop)
                case ReadState.EMPTY:
                    await unless_stopped(self._stream.wait(self._settings.block_seconds), stop)
                case ReadState.FULL:
                    await pause_or(stop, 0.05)
                case ReadState.STANDBY:
                    await pause_or(stop, min(result.retry_seconds + 0.05, self._settings.block_seconds))
        except ResponseError as error:
            if not group_is_missing(error):
                raise
            await self._stream.ensure_group()
            self._status.group_found = True
            self._log.warning("event_group_created", reason="the stream or its consumer group was not there")

    async def _recover(self, stop: asyncio.Event) -> None:
        # One at a time and counted one by one: when a message ends the process, only its own count has grown.
        while not stop.is_set() and (pending := await self._stream.pending(self._settings.read_batch)):
            for message_id in pending:
                message = await self._stream.reclaim(message_id, max_deliveries=self._settings.max_deliveries)
                if message is ReadState.DOUBT:
                    # Later messages wait with it: the order of acceptance is the order of the stream.
                    await pause_or(stop, self._settings.block_seconds)
                    return
                if message is ReadState.STANDBY or stop.is_set():
                    return
                if isinstance(message, Message):
                    await self._take_over(message)

    async def _take_over(self, message: Message) -> None:
        if message.blamed < self._settings.max_deliveries:
            return await self._accept([message])
        await self._bury(message, f"poison: delivered {message.blamed} times, never acknowledged", message.blamed)
        return await self._stream.acknowledge([message], ())

    async def _accept(self, messages: Sequence[Message], *, places: int = 0) -> None:
        try:
            await self._accept_all(messages, places)
        except Exception as error:
            if is_outage(error):
                # Deliveries are counted to find what ends processes; an outage is no fault of a message.
                with contextlib.suppress(RedisError, OSError):
                    await self._stream.uncount(messages)
            raise

    async def _accept_all(self, messages: Sequence[Message], places: int) -> None:
        events: list[IncomingEvent] = []
        for message in messages:
            try:
                events.append(parse_pairs(message.pairs))
            except MalformedEventError as error:
                await self._bury(message, error.reason, message.deliveries)
        with self._router.places(places) as tokens:
            accepted = await self._record(events, tokens)
            runnable = [(event.tenant_id, event.event_id) for event in accepted if event.runnable and not event.claim]
            # What routing sends comes after it, so that no message is blamed for what its event does.
            acknowledging = asyncio.ensure_future(self._stream.acknowledge(messages, runnable))
            self._router.go_on(event.claim for event in accepted if event.claim)
        await acknowledging
        duplicates = sum(event.duplicate for event in accepted)
        self._metrics.events.labels("duplicate").inc(duplicates)
        self._metrics.events.labels("accepted").inc(len(accepted) - duplicates)

    async def _record(self, events: Sequence[IncomingEvent], tokens: Sequence[str]) -> list[Acceptance]:
        try:
            return await self._intake.accept(events, EventSource.STREAM, tokens=tokens)
        except BaseException:
            # Some may have been taken, and nobody goes on with them.
            pairs = zip(events, tokens, strict=False)
            self._router.let_go(Hold(event.tenant_id, event.event_id, token) for event, token in pairs)
            raise

    async def _bury(self, message: Message, reason: str, attempts: int) -> None:
        letter = await self._dead_letters.add(
            message.pairs, reason=reason, attempts=attempts, source=f"stream:{message.id}"
        )
        self._metrics.events.labels("dead_letter").inc()
        self._log.warning("event_dead_lettered", message=message.id, letter=letter, reason=reason)
