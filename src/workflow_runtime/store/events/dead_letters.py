"""The dead-letter stream: what could not be delivered, why, and what a person can do with it. Processes and activities.

A letter holds the original fields byte for byte in their order, then ``dlq_reason``, ``dlq_at`` (ISO 8601 UTC),
``dlq_attempts`` and ``dlq_source``. Redriving puts exactly the original fields on the stream again; an event that is in
the ledger gets a new round of attempts for its failed targets. Redriving and dropping are written to an audit stream.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.store.connection import iso, register_script
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events.errors import MalformedEventError, UnknownDeadLetterError
from workflow_runtime.store.events.ledger import EventLedger
from workflow_runtime.store.events.parsing import parse_pairs

_MARKS: Final = (b"dlq_reason", b"dlq_at", b"dlq_attempts", b"dlq_source")
_AUDIT_LENGTH: Final = 10_000


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry. ``pairs`` are the original names and values; ``at`` is null for letters of the earlier runtime."""

    id: str
    pairs: tuple[tuple[bytes, bytes], ...]
    reason: str
    at: str | None
    attempts: int
    source: str

    def fields(self) -> dict[str, str]:
        """The original fields to look at; bytes that are no text show as ``\\xNN``."""
        return {_shown(name): _shown(value) for name, value in self.pairs}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which letter."""

    letter_id: str
    action: str
    actor: str
    at: str
    event_id: str | None


class DeadLetters:
    """The dead letters of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._ledger = EventLedger(redis)
        self._add = register_script(redis, "dead_letter_add")
        self._remove = register_script(redis, "dead_letter_remove")
        self._read = register_script(redis, "dead_letter_read", raw=True)

    async def add(self, pairs: Iterable[tuple[bytes, bytes]], *, reason: str, attempts: int, source: str) -> str:
        """Add a letter and answer its id; a second call with the same ``source`` adds none."""
        marks = zip(_MARKS, (reason, iso(datetime.now(UTC)), str(attempts), source), strict=True)
        parts: list[Any] = [source]
        for name, value in (*pairs, *marks):
            parts += [name, value]
        return cast(str, await self._add([EVENT_DEAD_LETTER_STREAM, keys.DEAD_LETTER_SOURCES], parts))

    async def count(self) -> int:
        """How many letters there are."""
        return await self._redis.xlen(EVENT_DEAD_LETTER_STREAM)

    async def list(self, *, limit: int = 50, before: str | None = None) -> Sequence[DeadLetter]:
        """Letters, newest first, older than the letter ``before``."""
        start = f"({before}" if before else "+"
        rows = await self._read([EVENT_DEAD_LETTER_STREAM], [start, "-", limit])
        return [_letter(row) for row in rows]

    async def show(self, letter_id: str) -> DeadLetter:
        """One letter. Raises UnknownDeadLetterError."""
        if not _is_id(letter_id):
            raise UnknownDeadLetterError(letter_id)
        rows = await self._read([EVENT_DEAD_LETTER_STREAM], [letter_id, letter_id, 1])
        if not rows:
            raise UnknownDeadLetterError(letter_id)
        return _letter(rows[0])

    async def redrive(self, letter_id: str, *, actor: str) -> str:
        """Put the original message on the stream again and answer its new id there. Raises UnknownDeadLetterError.

        A crash in between may redrive twice; the ledger recognises the second.
        """
        letter = await self.show(letter_id)
        if (event := _event_of(letter)) is not None:
            await self._ledger.reopen(*event)
        parts = [part for pair in letter.pairs for part in pair]
        stream_id = await cast(Any, self._redis).execute_command("XADD", EVENT_STREAM, "*", *parts)
        await self._take_out(letter, "redrive", actor)
        return cast(str, stream_id)

    async def drop(self, letter_id: str, *, actor: str) -> None:
        """Remove a letter for good. Raises UnknownDeadLetterError."""
        await self._take_out(await self.show(letter_id), "drop", actor)

    async def audit(self, *, limit: int = 50) -> Sequence[AuditEntry]:
        """The last redrives and drops, newest first."""
        rows = cast(Any, await self._redis.xrevrange(keys.DEAD_LETTER_AUDIT, count=limit))
        return [
            AuditEntry(row["letter"], row["action"], row["actor"], row["at"], row["event"] or None) for _, row in rows
        ]

    async def _take_out(self, letter: DeadLetter, action: str, actor: str) -> None:
        event = _event_of(letter)
        entry = {"letter": letter.id, "action": action, "actor": actor, "at": iso(datetime.now(UTC))}
        entry |= {"event": event[1] if event else "", "reason": letter.reason}
        names = [EVENT_DEAD_LETTER_STREAM, keys.DEAD_LETTER_SOURCES, keys.DEAD_LETTER_AUDIT]
        parts = [part for pair in entry.items() for part in pair]
        await self._remove(names, [letter.id, letter.source, _AUDIT_LENGTH, *parts])


def _letter(row: Any) -> DeadLetter:
    pairs = tuple(zip(row[1][::2], row[1][1::2], strict=True))
    marks: dict[bytes, bytes] = {}
    # Ours stand last and once; the earlier runtime wrote fewer of them.
    while pairs and pairs[-1][0] in _MARKS and pairs[-1][0] not in marks:
        marks[pairs[-1][0]] = pairs[-1][1]
        pairs = pairs[:-1]
    reason, at, attempts, source = (_shown(marks.get(name, b"")) for name in _MARKS)
    return DeadLetter(row[0].decode(), pairs, reason, at or None, int(attempts or 0), source)


def _event_of(letter: DeadLetter) -> tuple[str, str] | None:
    try:
        event = parse_pairs(letter.pairs)
    except MalformedEventError:
        return None
    return event.tenant_id, event.event_id


def _is_id(text: str) -> bool:
    ms, dash, seq = text.partition("-")
    return ms.isdecimal() and dash == "-" and seq.isdecimal()


def _shown(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
