"""Takes events from the ready queue and routes a bounded number of them at once. Process code only."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from typing import Final

import structlog

from workflow_runtime.store.events import Claim, Hold, ReadyQueue
from workflow_worker.ingress.loops import pause_or
from workflow_worker.ingress.routing import Routing
from workflow_worker.ingress.settings import IngressSettings
from workflow_worker.ingress.status import IngressStatus

_POP_AT_ONCE: Final = 32
_SHARE: Final = 8
"""This part of the places is worth filling; fewer are filled after a while."""


class Router:
    """One replica's routing. Events of different keys run side by side, those of one key after each other."""

    def __init__(self, ready: ReadyQueue, routing: Routing, status: IngressStatus, settings: IngressSettings) -> None:
        self._ready = ready
        self._routing = routing
        self._status = status
        self._settings = settings
        self._work: set[asyncio.Task[None]] = set()
        self._kept = 0
        self._plenty = False
        self._idle = False
        self._draining = False
        self._freed = asyncio.Event()
        # Events that are taken together share their calls of Redis, so one free place is not taken at once.
        self._worth_it = max(1, settings.max_in_flight // _SHARE)
        # So that Temporal is kept busy by as many calls as it may have, while other events are with Redis.
        self._places = settings.max_in_flight + settings.max_in_flight // 2

    async def turn(self, stop: asyncio.Event) -> None:
        """Fill the free places with events that are ready."""
        if self._free < self._worth_it:
            self._freed.clear()
            await pause_or(self._freed, self._settings.block_seconds)
            if self._free == 0 or stop.is_set():
                return
        hints = await self._pop()
        if stop.is_set():
            await self._ready.push(hints)
            return
        for tenant, event_id in hints:
            self._begin(tenant, event_id)

    async def _pop(self) -> list[tuple[str, str]]:
        # While the queue is short a few places are enough for it, and the reader may fill the others.
        places = min(self._free, _POP_AT_ONCE if self._plenty else self._worth_it)
        with self._keep(places):
            self._idle = True
            try:
                hints = await self._ready.pop(places, wait_seconds=self._settings.block_seconds)
            finally:
                self._idle = False
        self._plenty = len(hints) == places
        return hints

    @contextlib.contextmanager
    def places(self, most: int) -> Iterator[list[str]]:
        """Keep up to so many places for events that are about to be accepted; answers a token for each.

        None while there are others to route, whose turn comes first.
        """
        with self._keep(min(most, self._free) if self._idle else 0) as places:
            yield [self._routing.new_token() for _ in range(places)]

    def go_on(self, claims: Iterable[Claim]) -> None:
        """Route events that were taken as they were accepted, in the places kept for them."""
        for claim in claims:
            self._begin(claim.hold.tenant, claim.hold.event_id, claim)

    def let_go(self, holds: Iterable[Hold]) -> None:
        """Let others have events that were perhaps taken, and will not be routed here."""
        self._routing.outlived(holds)

    @property
    def _free(self) -> int:
        return self._places - len(self._work) - self._kept

    @contextlib.contextmanager
    def _keep(self, places: int) -> Iterator[int]:
        self._kept += places
        try:
            yield places
        finally:
            self._kept -= places
            self._tell()

    def _tell(self) -> None:
        if self._free >= self._worth_it:
            self._freed.set()

    def _begin(self, tenant: str, event_id: str, claim: Claim | None = None) -> None:
        task = asyncio.create_task(self._route_lane(tenant, event_id, claim), name=f"route {event_id}")
        self._work.add(task)
        task.add_done_callback(self._forget)
        self._status.in_flight = len(self._work)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        self._status.in_flight = len(self._work)
        self._tell()

    async def _route_lane(self, tenant: str, event_id: str, claim: Claim | None) -> None:
        """Route an event, then those that waited for it: one here, the others by whoever has room."""
        following: str | None = event_id
        try:
            while following is not None:
                runnable = await self._routing.route(tenant, following, claim)
                claim = None
                here = 0 if self._draining else 1
                following = next(iter(runnable[:here]), None)
                await self._ready.push((tenant, other) for other in runnable[here:])
        except Exception as error:
            # The lease ends by itself and the sweep offers the event again: a pause and another chance.
            structlog.get_logger(__name__).warning(
                "event_pass_failed", tenant=tenant, event_id=following, reason=f"{type(error).__name__}: {error}"
            )

    async def drain(self, seconds: float) -> None:
        """Finish what is under way within ``seconds``; what is not finished then is given up to other replicas."""
        self._draining = True
        if self._work:
            await asyncio.wait(self._work, timeout=seconds)
        for task in list(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
