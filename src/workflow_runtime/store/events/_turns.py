"""Many Redis calls at once, but not more than a few connections' worth. Private to store.events."""

import asyncio
from collections.abc import Awaitable, Iterable
from itertools import batched
from typing import Final

_AT_ONCE: Final = 16


async def in_turns[T](calls: Iterable[Awaitable[T]]) -> list[T]:
    """The results of ``calls`` in their order, a few of them running at a time."""
    results: list[T] = []
    for group in batched(calls, _AT_ONCE, strict=False):
        results += await asyncio.gather(*group)
    return results
