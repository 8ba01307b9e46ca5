"""The event stream as its one reader sees it. Processes only.

All replicas share the consumer group, one of them reads: it holds a lease which every read renews and checks in the
same step. Reading and recording cost a fraction of routing, which all replicas do. A successor first takes over
everything that is pending, in the order of the stream, so the order of acceptance is the order of the stream over any
number of replicas and deaths.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, cast

from redis.asyncio import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import ResponseError

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.connection import register_script
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events.presence import SILENCE_SECONDS
from workflow_runtime.store.events.ready import hint

MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
"""A batch ends with the message that reaches this size, so that memory is bounded whatever is published."""


class ReadState(StrEnum):
    """What a read met: another replica reads; pending messages come first; routing is behind; nothing; messages; a
    pending message whose former readers are silent, and dead or slow."""

    STANDBY = "standby"
    RECOVER = "recover"
    FULL = "full"
    EMPTY = "empty"
    MESSAGES = "messages"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Message:
    """A stream message as it came: names and values in order, as bytes.

    ``deliveries`` counts this one, ``blamed`` the earlier ones that may have ended their process or failed in it.
    """

    id: str
    pairs: tuple[tuple[bytes, bytes], ...]
    deliveries: int = 1
    blamed: int = 0


@dataclass(frozen=True, slots=True)
class ReadResult:
    """Answer of a read; ``retry_seconds`` says after STANDBY when the lease may be free."""

    state: ReadState
    messages: tuple[Message, ...] = ()
    retry_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class StreamLag:
    """Unread messages, delivered but unacknowledged ones, and the age of the oldest of those in seconds."""

    unread: int
    pending: int
    oldest_pending_seconds: float


class EventStream:
    """One consumer of the group. ``consumer`` must be unique per process and never used again."""

    def __init__(
        self,
        redis: Redis,
        *,
        group: str,
        consumer: str,
        lease_seconds: float = 10.0,
        max_ready: int = 1000,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self._redis = redis
        self._group = group
        self._consumer = consumer
        self._lease_ms = round(lease_seconds * 1000)
        self._max_ready = max_ready
        self._silence_ms = round(silence_seconds * 1000)
        self._last_delivered = "$"
        self._read = register_script(redis, "_stream", "stream_read", raw=True)
        self._reclaim = register_script(redis, "_stream", "stream_reclaim", raw=True)
        self._uncount = register_script(redis, "stream_uncount")
        self._ack = register_script(redis, "stream_ack")
        self._trim = register_script(redis, "stream_trim")
        self._leave = register_script(redis, "stream_leave")
        self._lag = register_script(redis, "stream_lag")

    @property
    def _keys(self) -> list[str]:
        return [EVENT_STREAM, keys.reader_key(self._group)]

    async def ensure_group(self) -> bool:
        """Create stream and group when they are missing, as after a flush; true when they were.

        The group begins at the first message: whatever is still in the stream was not trimmed, and events that were
        accepted before are recognised.
        """
        try:
            await self._redis.xgroup_create(EVENT_STREAM, self._group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
            return False
        return True

    async def read(self, count: int) -> ReadResult:
        """Up to ``count`` new messages, if this consumer may read now."""
        limits = (self._lease_ms, count, MAX_BATCH_BYTES, self._max_ready)
        state, *rest = await self._read([*self._keys, keys.READY], [self._group, self._consumer, *limits])
        match state := ReadState(state.decode()):
            case ReadState.MESSAGES:
                return ReadResult(state, tuple(_message(row) for row in rest))
            case ReadState.STANDBY:
                return ReadResult(state, retry_seconds=max(rest[0], 0) / 1000)
            case ReadState.EMPTY:
                self._last_delivered = rest[0].decode()
        return ReadResult(state)

    async def wait(self, seconds: float) -> None:
        """Return when there is a message after the last one delivered, or when the time is over."""
        options: dict[str, Any] = {NEVER_DECODE: []}
        block = ("COUNT", 1, "BLOCK", math.ceil(seconds * 1000), "STREAMS", EVENT_STREAM, self._last_delivered)
        await cast(Any, self._redis).execute_command("XREAD", *block, **options)

    async def pending(self, count: int) -> list[str]:
        """Ids of the first messages that were delivered to anybody and not acknowledged."""
        rows = await self._redis.xpending_range(EVENT_STREAM, self._group, min="-", max="+", count=count)
        return [cast(str, row["message_id"]) for row in rows]

    async def reclaim(self, message_id: str, *, max_deliveries: int) -> Message | ReadState | None:
        """Take one pending message over; its delivery is counted first. Null when it is no longer pending.

        DOUBT when it depends on readers that are silent, but not for long, whether ``max_deliveries`` are to blame.
        """
        names = [*self._keys, keys.PRESENCE, keys.taken_key(self._group, message_id)]
        arguments: list[str | int] = [self._group, self._consumer, self._lease_ms, message_id]
        state, *rest = await self._reclaim(names, [*arguments, self._silence_ms, max_deliveries])
        if state == b"message":
            deliveries, blamed, row = rest
            return replace(_message(row), deliveries=deliveries, blamed=blamed)
        return None if state == b"gone" else ReadState(state.decode())

    async def uncount(self, messages: Sequence[Message]) -> int:
        """Take back the last delivery of messages which Redis itself kept from being handled; answers how many."""
        arguments: list[str | int] = [self._group, self._consumer]
        for message in messages:
            arguments += [message.id, message.deliveries]
        return cast(int, await self._uncount(self._keys, arguments))

    async def acknowledge(self, messages: Sequence[Message], events: Sequence[tuple[str, str]]) -> None:
        """Acknowledge messages and offer their events, ``(tenant, event id)``, for routing, in one step."""
        if messages:
            hints = [hint(tenant, event_id) for tenant, event_id in events]
            arguments: list[str | int] = [self._group, len(messages), *(message.id for message in messages), *hints]
            await self._ack([EVENT_STREAM, keys.READY], arguments)

    async def trim(self, *, dead_after_seconds: float) -> tuple[int, int]:
        """Remove what every group has acknowledged, and consumers that were idle for longer and left nothing behind.

        Answers how many messages and consumers were removed.
        """
        removed = await self._trim(self._keys, [self._group, round(dead_after_seconds * 1000)])
        return cast(tuple[int, int], tuple(removed))

    async def leave(self) -> None:
        """Let another replica read at once."""
        await self._leave(self._keys, [self._group, self._consumer])

    async def lag(self) -> StreamLag:
        """How far behind the reading is."""
        unread, pending, oldest_ms = await self._lag([EVENT_STREAM], [self._group])
        return StreamLag(unread, pending, oldest_ms / 1000)


def group_is_missing(error: ResponseError) -> bool:
    """Whether stream or group are gone and `EventStream.ensure_group` helps."""
    return any(word in str(error) for word in ("NOGROUP", "no such key"))


def _message(row: Any) -> Message:
    flat = row[1]
    return Message(row[0].decode(), tuple(zip(flat[::2], flat[1::2], strict=True)))
