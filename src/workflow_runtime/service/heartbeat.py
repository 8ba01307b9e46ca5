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
    task = asyncio.create_task(_beat(timeout.total_seconds() / 3))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _beat(seconds: float) -> None:
    while True:
        # Most activities end before the first beat is due, and a beat is not free.
        await asyncio.sleep(seconds)
        activity.heartbeat()
