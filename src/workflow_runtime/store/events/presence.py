"""Which processes are still heard of. Processes only.

A process that was killed and one that gets no processor time both fall behind with their leases; only the first falls
silent for good. What is counted to find work that ends processes waits for that difference.
"""

from collections.abc import Collection
from typing import Final

from redis.asyncio import Redis

from workflow_runtime.store.connection import register_script
from workflow_runtime.store.events import _keys as keys

SILENCE_SECONDS: Final = 60.0
"""Who was not heard of for so long is taken for dead."""

_FORGOTTEN_MS: Final = 24 * 60 * 60 * 1000


class Presence:
    """The processes of all replicas, by the names under which they hold things."""

    def __init__(self, redis: Redis, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._silence_ms = round(silence_seconds * 1000)
        self._beat = register_script(redis, "presence_beat")
        self._silent = register_script(redis, "presence_silent")

    async def beat(self, name: str) -> None:
        """Say that the process of this name lives; several times within the silence."""
        await self._beat([keys.PRESENCE], [name, _FORGOTTEN_MS])

    async def living(self, names: Collection[str]) -> frozenset[str]:
        """Those of the names that may belong to a living process. One that was never heard of does not."""
        if not names:
            return frozenset()
        silent = await self._silent([keys.PRESENCE], [self._silence_ms, *names])
        return frozenset(names).difference(silent)
