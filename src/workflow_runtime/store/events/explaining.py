"""What became of an event and why, for a person. Processes and activities only."""

from collections.abc import Awaitable, Sequence
from itertools import islice
from typing import Final, cast

from redis.asyncio import Redis

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events._turns import in_turns
from workflow_runtime.store.events.ledger import EventLedger
from workflow_runtime.store.events.records import (
    Considered,
    EventSource,
    EventStatus,
    LedgerEvent,
    Retried,
    Target,
    Wait,
    WaitTaken,
)
from workflow_runtime.store.events.wait_index import WaitIndex
from workflow_runtime.store.events.waiting import refusal_of

_OPEN_WAITS: Final = 100
"""Open waits that are explained; those with a key of the event, or without one, go first."""


class ExplainedKey(WireModel):
    """A correlation key and the payload path it was found under."""

    key: str
    path: str


class Explanation(WireModel):
    """One event. Times are ISO 8601 UTC.

    ``considered`` is what was looked at when the event was routed, matched or not; ``targets`` what it went to and how
    that went; ``taken`` the waits it resolved; ``open_waits`` those of its name that are open now and why the event is
    not for them; ``retries`` who gave it another round.
    """

    event_id: str
    event_name: str
    tenant_id: str
    source: EventSource
    timestamp: str
    accepted_at: str
    sequence: int
    status: EventStatus
    reason: str | None
    keys: tuple[ExplainedKey, ...]
    considered: tuple[Considered, ...]
    targets: tuple[Target, ...]
    taken: tuple[WaitTaken, ...]
    open_waits: tuple[Considered, ...]
    retries: tuple[Retried, ...]


async def explain(redis: Redis, tenant: str, event_id: str) -> Explanation:
    """Everything that is known of an event. Raises UnknownEventError."""
    event = await EventLedger(redis).get(tenant, event_id)
    known = {row.id for row in event.considered} | {row.id for row in event.targets}
    return Explanation(
        event_id=event.event.event_id,
        event_name=event.event.event_name,
        tenant_id=tenant,
        source=event.source,
        timestamp=event.event.timestamp,
        accepted_at=event.accepted_at,
        sequence=event.sequence,
        status=event.status,
        reason=event.reason,
        keys=tuple(ExplainedKey(key=origin.key, path=origin.path) for origin in event.keys),
        considered=event.considered,
        targets=event.targets,
        taken=event.taken,
        open_waits=tuple(
            _not_for(wait, event) for wait in await _open_waits(redis, event) if wait.target_id not in known
        ),
        retries=event.retries,
    )


async def tenants_with_events(redis: Redis) -> tuple[str, ...]:
    """Tenants whose events are within the retention or unfinished; sorted."""
    found = await cast(Awaitable[list[str]], redis.zrange(keys.ACTIVE_TENANTS, 0, -1))
    return tuple(sorted(found))


async def tenants_of_event(redis: Redis, tenants: Sequence[str], event_id: str) -> tuple[str, ...]:
    """Those of ``tenants`` whose ledger has an event of this id; an id says nothing of whose event it is."""
    known = await in_turns(_has(redis, tenant, event_id) for tenant in tenants)
    return tuple(tenant for tenant, found in zip(tenants, known, strict=True) if found)


async def _has(redis: Redis, tenant: str, event_id: str) -> bool:
    return bool(await redis.exists(keys.event_key(tenant, event_id)))


async def _open_waits(redis: Redis, event: LedgerEvent) -> Sequence[Wait]:
    index, tenant, name = WaitIndex(redis), event.event.tenant_id, event.event.event_name
    near = await index.candidates(tenant, name, [origin.key for origin in event.keys], limit=_OPEN_WAITS)
    far = await index.named(tenant, name, limit=_OPEN_WAITS)
    return tuple(islice({wait.target_id: wait for wait in (*near, *far)}.values(), _OPEN_WAITS))


def _not_for(wait: Wait, event: LedgerEvent) -> Considered:
    reason = _key_mismatch(wait, event) or refusal_of(wait, event) or _not_again(wait, event)
    return Considered(id=wait.target_id, kind="wait", run_id=wait.run_id, matched=False, reason=reason)


def _key_mismatch(wait: Wait, event: LedgerEvent) -> str | None:
    found = [origin.key for origin in event.keys]
    if wait.correlation_key is None or wait.correlation_key in found:
        return None
    has = f"the event has {', '.join(map(repr, found))}" if found else "the event has no key"
    return f"the wait is for key {wait.correlation_key!r}, {has}"


def _not_again(wait: Wait, event: LedgerEvent) -> str:
    if any(taken.run_id == wait.run_id for taken in event.taken):
        return "the run has taken this event before, at another wait"
    return "the wait was opened after the event was routed"
