"""Adds letters to the dead-letter stream, once per source, whatever their size. Private to store.events."""

from collections.abc import Sequence
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.exceptions import WatchError

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM
from workflow_runtime.store.connection import register_script
from workflow_runtime.store.events import _keys as keys

_MOST_IN_A_SCRIPT: Final = 4000
"""Lua can pass on just under 8,000 values in one call; a message may have more."""

_NOTE: Final = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1][1]
redis.call('HSET', KEYS[2], ARGV[1], last)
return last
"""


class LetterBox:
    """Where letters are put in. ``parts`` are names and values in turn, bytes or text."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._add = register_script(redis, "dead_letter_add")

    async def of_source(self, source: str) -> str | None:
        """The id of the letter that was made of ``source``."""
        return cast(str | None, await cast(Any, self._redis.hget(keys.DEAD_LETTER_SOURCES, source)))

    async def add(self, source: str, parts: Sequence[Any]) -> str:
        """Add a letter unless there is one of this source; answers its id."""
        if len(parts) <= _MOST_IN_A_SCRIPT:
            names = [EVENT_DEAD_LETTER_STREAM, keys.DEAD_LETTER_SOURCES]
            return cast(str, await self._add(names, [source, *parts]))
        while True:
            try:
                return await self._add_large(source, parts)
            except WatchError:
                # Another letter was added or taken out meanwhile: look again.
                continue

    async def _add_large(self, source: str, parts: Sequence[Any]) -> str:
        async with cast(Any, self._redis).pipeline(transaction=True) as transaction:
            await transaction.watch(keys.DEAD_LETTER_SOURCES)
            known = await transaction.hget(keys.DEAD_LETTER_SOURCES, source)
            if known is not None:
                return cast(str, known)
            transaction.multi()
            transaction.execute_command("XADD", EVENT_DEAD_LETTER_STREAM, "*", *parts)
            transaction.eval(_NOTE, 2, EVENT_DEAD_LETTER_STREAM, keys.DEAD_LETTER_SOURCES, source)
            return cast(str, (await transaction.execute())[-1])
