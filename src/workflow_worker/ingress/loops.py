"""Loops that outlive the faults of what they talk to. Process code only."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from redis.exceptions import RedisError

from workflow_worker.ingress.status import IngressStatus

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_REST_PIECE: Final = 1.0


async def keep_going(
    name: str, turn: Callable[[], Awaitable[None]], status: IngressStatus, stop: asyncio.Event, *, rest: float = 0.0
) -> None:
    """Repeat ``turn`` until ``stop``, with ``rest`` seconds in between.

    A turn that fails is told in status and log, and repeated after a growing pause.
    """
    log = structlog.get_logger(__name__).bind(loop=name)
    pause = _FIRST_PAUSE
    status.came_round(name)
    while not stop.is_set():
        try:
            await turn()
        except (RedisError, OSError) as error:
            fault = f"Redis: {error or type(error).__name__}"
            log.warning("ingress_loop_failed", reason=fault, retry_in_seconds=round(pause, 2))
        except Exception as error:
            # A defect here must not end the delivery of events; readiness tells, the log has the trace.
            fault = f"{type(error).__name__}: {error}"
            log.exception("ingress_loop_failed", reason=fault, retry_in_seconds=round(pause, 2))
        else:
            pause = _FIRST_PAUSE
            await _rest(name, rest, status, stop)
            continue
        status.came_round(name, fault)
        await pause_or(stop, pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


async def _rest(name: str, seconds: float, status: IngressStatus, stop: asyncio.Event) -> None:
    status.came_round(name)
    while seconds > 0 and not stop.is_set():
        # In short pieces, so that a loop that rests does not look like one that hangs.
        await pause_or(stop, min(seconds, _REST_PIECE))
        seconds -= _REST_PIECE
        status.came_round(name)


async def pause_or(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but not beyond ``stop``."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def unless_stopped(work: Awaitable[object], stop: asyncio.Event) -> None:
    """Await ``work``, but give it up when ``stop`` is set; only for work that may be given up at any point."""
    running, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        for task in (running, stopping):
            task.cancel()
        await asyncio.gather(running, stopping, return_exceptions=True)
