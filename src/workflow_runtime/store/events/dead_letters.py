"""The dead-letter stream: what could not be delivered, why, and what a person can do with it. Processes and activities.

A letter holds the original fields byte for byte in their order, then ``dlq_reason``, ``dlq_at`` (ISO 8601 UTC),
``dlq_attempts`` and ``dlq_source``. Redriving puts exactly the original fields on the stream again; an event that is in
the ledger gets a new round of attempts for its failed targets. Whatever takes a letter out is written to an audit
stream: who, when, why, and what the letter said.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast

from redis.asyncio import Redis

from workflow_runtime.core.contract import EVENT_DEAD_LETTER_STREAM, EVENT_STREAM
from workflow_runtime.store.connection import iso, register_script
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events._letters import LetterBox
from workflow_runtime.store.events.errors import MalformedEventError, UnknownDeadLetterError
from workflow_runtime.store.events.ledger import AUDIT_LENGTH, EventLedger
from workflow_runtime.store.events.parsing import parse_pairs

_MARKS: Final = (b"dlq_reason", b"dlq_at", b"dlq_attempts", b"dlq_source")
_PAGE: Final = 200
_SCANNED: Final = 10_000

type Action = Literal["redrive", "retry", "drop"]
"""How a letter was taken out: put on the stream again, its event retried, or removed for good."""


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
        """The original fields as text, secrets included; bytes that are no text show as ``\\xNN``."""
        return {_shown(name): _shown(value) for name, value in self.pairs}

    @property
    def tenant(self) -> str | None:
        """Whose it says it is; null when it does not say."""
        return self._first(b"tenant")

    @property
    def event_id(self) -> str | None:
        """The event id it says it has; null when it does not say."""
        return self._first(b"event_id")

    def _first(self, wanted: bytes) -> str | None:
        return next((_shown(value) for name, value in self.pairs if name == wanted and value), None)


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Letters, newest first; ``next_before`` continues the list and is null at its end."""

    letters: tuple[DeadLetter, ...]
    next_before: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which letter, when and why.

    ``reason`` and ``attempts`` are the letter's, ``stream_id`` is where a redriven message stands on the stream.
    """

    letter_id: str
    action: str
    actor: str
    at: str
    event_id: str | None
    tenant: str | None = None
    why: str = ""
    reason: str = ""
    attempts: int = 0
    stream_id: str | None = None

    def __str__(self) -> str:
        """``redriven by ann at 2026-01-31T09:30:00.000Z (mapping fixed)``."""
        done = {"redrive": "redriven", "retry": "retried", "drop": "dropped"}.get(self.action, self.action)
        return f"{done} by {self.actor} at {self.at}" + (f" ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class Redriven:
    """The message's new id on the stream, and the other letters of its event, which went with it."""

    stream_id: str
    others: tuple[str, ...] = ()


class DeadLetters:
    """The dead letters of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._ledger = EventLedger(redis)
        self._box = LetterBox(redis)
        self._remove = register_script(redis, "dead_letter_remove")
        self._read = register_script(redis, "dead_letter_read", raw=True)

    async def add(self, pairs: Iterable[tuple[bytes, bytes]], *, reason: str, attempts: int, source: str) -> str:
        """Add a letter and answer its id; a second call with the same ``source`` adds none."""
        marks = zip(_MARKS, (reason, iso(datetime.now(UTC)), str(attempts), source), strict=True)
        return await self._box.add(source, [part for pair in (*pairs, *marks) for part in pair])

    async def count(self) -> int:
        """How many letters there are."""
        return await self._redis.xlen(EVENT_DEAD_LETTER_STREAM)

    async def list(self, *, limit: int = 50, before: str | None = None) -> Sequence[DeadLetter]:
        """Letters, newest first, older than the letter ``before``."""
        return (await self.page(limit=limit, before=before)).letters

    async def page(self, *, limit: int = 50, before: str | None = None, tenant: str | None = None) -> LetterPage:
        """Letters, newest first, older than the letter ``before``; with ``tenant`` only its own.

        A page that looked at many letters in vain ends early; ``next_before`` goes on from there.
        """
        found: list[DeadLetter] = []
        if before is not None and not _is_id(before):
            return LetterPage((), None)
        for _ in range(max(1, _SCANNED // limit)):
            start = f"({before}" if before else "+"
            letters = [_letter(row) for row in await self._read([EVENT_DEAD_LETTER_STREAM], [start, "-", limit])]
            for letter in letters:
                before = letter.id
                if tenant is None or letter.tenant == tenant:
                    found.append(letter)
                if len(found) == limit:
                    return LetterPage(tuple(found), before)
            if len(letters) < limit:
                return LetterPage(tuple(found), None)
        return LetterPage(tuple(found), before)

    async def show(self, letter_id: str) -> DeadLetter:
        """One letter. Raises UnknownDeadLetterError, which tells what became of a letter that was taken out."""
        rows = await self._read([EVENT_DEAD_LETTER_STREAM], [letter_id, letter_id, 1]) if _is_id(letter_id) else ()
        if rows:
            return _letter(rows[0])
        async for entry in self._audited():
            if entry.letter_id == letter_id:
                raise UnknownDeadLetterError(letter_id, f"it was {entry}")
        raise UnknownDeadLetterError(letter_id)

    async def redrive(self, letter_id: str, *, actor: str, why: str = "") -> Redriven:
        """Put the original message on the stream again.

        Of an accepted event it does what `retry` does, and takes out its other letters too.
        Raises UnknownDeadLetterError, and EventBusyError while the event is being routed. A crash in between may
        redrive twice; the ledger recognises the second.
        """
        letter, others = await self.show(letter_id), tuple[str, ...]()
        if (event := _event_of(letter)) is not None:
            targets = await self._ledger.reopen(*event, actor=actor, why=why, via="redrive")
            others = await self._take_out_of(*event, targets, "redrive", actor, why, but=letter.id)
        parts = [part for pair in letter.pairs for part in pair]
        stream_id = await cast(Any, self._redis).execute_command("XADD", EVENT_STREAM, "*", *parts)
        await self._take_out(letter, "redrive", actor, why, stream_id=stream_id)
        return Redriven(cast(str, stream_id), others)

    async def retry(self, tenant: str, event_id: str, *, actor: str, why: str = "") -> tuple[str, ...]:
        """Give the failed targets of an event another round and take out their letters; answers the target ids.

        Nothing goes over the stream. Raises EventBusyError while the event is being routed.
        """
        targets = await self._ledger.reopen(tenant, event_id, actor=actor, why=why)
        await self._take_out_of(tenant, event_id, targets, "retry", actor, why)
        return targets

    async def _take_out_of(
        self, tenant: str, event_id: str, targets: Sequence[str], action: Action, actor: str, why: str, *, but: str = ""
    ) -> tuple[str, ...]:
        found: list[str] = []
        for target_id in targets:
            letter_id = await self._box.of_source(letter_source(tenant, event_id, target_id))
            if letter_id is not None and letter_id != but and (letter := await self._find(letter_id)) is not None:
                await self._take_out(letter, action, actor, why)
                found.append(letter_id)
        return tuple(found)

    async def _find(self, letter_id: str) -> DeadLetter | None:
        rows = await self._read([EVENT_DEAD_LETTER_STREAM], [letter_id, letter_id, 1])
        return _letter(rows[0]) if rows else None

    async def drop(self, letter_id: str, *, actor: str, why: str = "") -> None:
        """Remove a letter for good. Raises UnknownDeadLetterError."""
        await self._take_out(await self.show(letter_id), "drop", actor, why)

    async def audit(self, *, limit: int = 50) -> Sequence[AuditEntry]:
        """The last letters that were taken out, newest first."""
        rows = await self._redis.xrevrange(keys.DEAD_LETTER_AUDIT, count=limit)
        return [_audit_entry(row) for _, row in cast(Any, rows)]

    async def history(self, letter: DeadLetter) -> Sequence[AuditEntry]:
        """What was done before with letters of the same event, newest first; nothing for one without an event id."""
        if letter.event_id is None:
            return []
        same = (letter.tenant, letter.event_id)
        return [entry async for entry in self._audited() if (entry.tenant, entry.event_id) == same]

    async def _audited(self) -> AsyncIterator[AuditEntry]:
        last = "+"
        while rows := cast(Any, await self._redis.xrevrange(keys.DEAD_LETTER_AUDIT, max=last, count=_PAGE)):
            for entry_id, row in rows:
                last = f"({entry_id}"
                yield _audit_entry(row)

    async def _take_out(self, letter: DeadLetter, action: Action, actor: str, why: str, *, stream_id: str = "") -> None:
        entry = {"letter": letter.id, "action": action, "actor": actor, "at": iso(datetime.now(UTC)), "why": why}
        entry |= {"event": letter.event_id or "", "tenant": letter.tenant or "", "reason": letter.reason}
        entry |= {"attempts": str(letter.attempts), "stream_id": stream_id}
        names = [EVENT_DEAD_LETTER_STREAM, keys.DEAD_LETTER_SOURCES, keys.DEAD_LETTER_AUDIT]
        parts = [part for pair in entry.items() for part in pair]
        await self._remove(names, [letter.id, letter.source, AUDIT_LENGTH, *parts])


def letter_source(tenant: str, event_id: str, what: str) -> str:
    """What a letter of an accepted event is made of: ``what`` is a target id, or ``plan`` for the event as a whole."""
    return f"event:{tenant}:{event_id}:{what}"


def _audit_entry(row: dict[str, str]) -> AuditEntry:
    return AuditEntry(
        letter_id=row["letter"],
        action=row["action"],
        actor=row["actor"],
        at=row["at"],
        event_id=row["event"] or None,
        tenant=row.get("tenant") or None,
        why=row.get("why", ""),
        reason=row.get("reason", ""),
        attempts=int(row.get("attempts") or 0),
        stream_id=row.get("stream_id") or None,
    )


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
    """Whether Redis takes ``text`` as the id of an entry: two unsigned numbers of 64 bits; it has no entry 0-0."""
    ms, dash, seq = text.partition("-")
    parts = (ms, seq)
    known = dash == "-" and all(part.isascii() and part.isdecimal() and len(part) <= 20 for part in parts)
    return known and all(int(part) < 2**64 for part in parts) and any(int(part) for part in parts)


def _shown(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
