"""Waiting for a store that does not answer at the moment. Activity code."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from redis.exceptions import RedisError, ResponseError

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0


async def until_store_answers[T](call: Callable[[], Awaitable[T]]) -> T:
    """The result of ``call``, repeated while Redis cannot be reached; the activity's own timeout is the only bound.

    Whoever uses this must bear that a call whose answer was lost happens twice. What Redis refuses is raised at once.
    """
    pause = _FIRST_PAUSE
    while True:
        try:
            return await call()
        except ResponseError:
            raise
        except RedisError as error:
            structlog.get_logger(__name__).warning(
                "store_unreachable", reason=str(error) or type(error).__name__, retry_in_seconds=pause
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
