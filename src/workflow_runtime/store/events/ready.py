"""The queue of events that can be routed now, shared by all replicas. Processes and activities only.

Entries are hints: a lost or doubled one does no harm, since the ledger decides who routes an event and its sweep finds
what nobody was told about.
"""

from collections.abc import Awaitable, Iterable
from typing import cast

from redis.asyncio import Redis

from workflow_runtime.store.events import _keys as keys


class ReadyQueue:
    """First in, first out."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def push(self, events: Iterable[tuple[str, str]]) -> None:
        """Offer events, each ``(tenant, event id)``, for routing."""
        if hints := [hint(tenant, event_id) for tenant, event_id in events]:
            await self._redis.rpush(keys.READY, *hints)

    async def pop(self, count: int, *, wait_seconds: float) -> list[tuple[str, str]]:
        """Up to ``count`` events; waits that long for the first one."""
        answer = await cast(
            Awaitable[list[object] | None],
            self._redis.blmpop(wait_seconds, 1, keys.READY, direction="LEFT", count=count),
        )
        return [parse_hint(cast(str, entry)) for entry in cast(list[object], answer[1])] if answer else []

    async def length(self) -> int:
        """How many hints there are."""
        return await self._redis.llen(keys.READY)


def hint(tenant: str, event_id: str) -> str:
    """The entry for an event."""
    return f"{tenant}|{event_id}"


def parse_hint(entry: str) -> tuple[str, str]:
    """Tenant and event id of an entry.

    >>> parse_hint("a|b|42")
    ('a|b', '42')
    """
    tenant, _, event_id = entry.rpartition("|")
    return tenant, event_id
