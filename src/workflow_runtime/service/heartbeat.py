"""Heartbeats of a long activity, sent beside its work. Activity code only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from temporalio import activity


@contextlib.asynccontextmanager
async def heartbeats() -> AsyncIterator[None]:
    """Heartbeat three times per timeout while the body runs, so that a long activity is not taken for a dead one."""
    timeout = activity.info().heartbeat_timeout
    if timeout is None:
        yield
        return
    beats = _Beats(timeout.total_seconds() / 3)
    try:
        yield
    finally:
        beats.stop()


class _Beats:
    """A timer and no task: most activities end before the first beat is due."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._timer = self._next()

    def stop(self) -> None:
        self._timer.cancel()

    def _next(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._seconds, self._beat)

    def _beat(self) -> None:
        self._timer = self._next()
        activity.heartbeat()
