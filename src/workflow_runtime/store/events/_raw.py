"""Lua scripts whose answers stay bytes, for messages that may not be text. Private to store.events."""

import hashlib
import importlib.resources
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError


class RawScript:
    """The script made of the files ``lua/<name>.lua``; a server that lost it learns it again."""

    def __init__(self, redis: Redis, *names: str) -> None:
        folder = importlib.resources.files("workflow_runtime.store").joinpath("lua")
        self._redis: Any = redis
        self._source = "\n".join(folder.joinpath(f"{name}.lua").read_text("utf-8") for name in names)
        self._sha = hashlib.sha1(self._source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        """Run it with its KEYS and ARGV."""
        call: tuple[str | bytes | int, ...] = (len(keys), *keys, *arguments)
        options: dict[str, Any] = {NEVER_DECODE: []}
        try:
            return await self._redis.execute_command("EVALSHA", self._sha, *call, **options)
        except NoScriptError:
            return await self._redis.execute_command("EVAL", self._source, *call, **options)
