"""Accepts events: correlates them and records each durably, once. Processes and activities only.

The stream consumer and ``POST /api/events`` both come through `EventIntake.accept`. An event is acknowledged (or
answered 202) only after this; whoever dies later, the sweep of the ledger finds it.
"""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS, EVENT_STREAM
from workflow_runtime.core.correlation import KeyOrigin, correlation_keys
from workflow_runtime.store._catalog_keys import triggers_by_event_key, triggers_key
from workflow_runtime.store.connection import command, keeps_order, register_script, remember_tenants
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events._stored import claim_of_new
from workflow_runtime.store.events._times import iso_ms, now_ms
from workflow_runtime.store.events._turns import in_turns
from workflow_runtime.store.events.claims import Acceptance
from workflow_runtime.store.events.parsing import event_fields, parse_fields
from workflow_runtime.store.events.ready import ReadyQueue
from workflow_runtime.store.events.records import EventSource, EventStatus, IncomingEvent, LedgerEvent

RETENTION_SECONDS: Final = 24 * 60 * 60
GRACE_SECONDS: Final = 10.0
"""How long a hint may lie in the ready queue before the sweep assumes that it was lost."""
LEASE_SECONDS: Final = 10.0
"""How long an event that was taken for routing is left to whoever took it, unless that one begins the lease anew."""


class EventIntake:
    """Accepts events of all tenants. ``correlation_paths``: payload paths per event name, then ``*``."""

    def __init__(
        self,
        redis: Redis,
        *,
        correlation_paths: Mapping[str, tuple[str, ...]] = DEFAULT_CORRELATION_PATHS,
        retention_seconds: int = RETENTION_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._redis = redis
        self._paths = correlation_paths
        self._retention_ms = retention_seconds * 1000
        self._grace_ms = round(grace_seconds * 1000)
        self._lease_ms = round(lease_seconds * 1000)
        self._accept = register_script(redis, "_events", "_candidates", "_trigger_lookup", "events_accept")

    async def accept(
        self, events: Sequence[IncomingEvent], source: EventSource, *, tokens: Sequence[str] = ()
    ) -> list[Acceptance]:
        """Record events, those of one tenant in this order; answers in the same order. Repeating is harmless.

        The first events are taken for routing in the same step, each with one of the ``tokens``, if they are new and no
        earlier event goes first. Whoever asked for that has to go on with their claims.
        """
        if not events:
            return []
        by_tenant: dict[str, list[tuple[IncomingEvent, str]]] = {}
        for event, token in zip(events, chain(tokens, repeat("")), strict=False):
            by_tenant.setdefault(event.tenant_id, []).append((event, token))
        # Before the first record, so that no record can be overlooked by the sweep, and no run that the event starts.
        remembered = self._remember_tenants(by_tenant)
        if not keeps_order(self._redis):
            await remembered
        accepting = in_turns(self._accept_all(tenant, batch, source) for tenant, batch in by_tenant.items())
        _, answers = await asyncio.gather(remembered, accepting)
        found = {tenant: iter(batch) for tenant, batch in zip(by_tenant, answers, strict=True)}
        return [next(found[event.tenant_id]) for event in events]

    def _remember_tenants(self, tenants: Collection[str]) -> Awaitable[Any]:
        now = now_ms()
        active = (part for tenant in tenants for part in (now, tenant))
        return asyncio.gather(
            command(self._redis, "ZADD", keys.ACTIVE_TENANTS, *active), remember_tenants(self._redis, tenants)
        )

    async def _accept_all(
        self, tenant: str, events: Sequence[tuple[IncomingEvent, str]], source: EventSource
    ) -> list[Acceptance]:
        names = [keys.sequence_key(tenant), keys.open_key(tenant), keys.lanes_key(tenant), keys.log_key(tenant)]
        names += [keys.leases_key(tenant), keys.waits_key(tenant), keys.wait_index_key(tenant)]
        names += [triggers_key(tenant), triggers_by_event_key(tenant)]
        arguments: list[str | int] = [self._retention_ms, self._grace_ms, self._lease_ms]
        found: list[Sequence[KeyOrigin]] = []
        for event, token in events:
            origins = correlation_keys(event.event_name, event.payload, event.explicit_key, self._paths)
            found.append(origins)
            own = [origin.key for origin in origins]
            sets = [keys.recent_key(tenant, event.event_name, key) for key in (None, *own)]
            prefixes = [keys.wait_prefix(event.event_name, key) for key in (None, *own)]
            names += [keys.event_key(tenant, event.event_id), *sets]
            arguments += [event.event_id, token, len(sets), _record(event, origins, source)]
            arguments += [json.dumps(prefixes), json.dumps(keys.key_lanes(own))]
        rows = await self._accept(names, arguments)
        return [
            _acceptance(event, origins, source, token, row)
            for (event, token), origins, row in zip(events, found, rows, strict=True)
        ]


def _acceptance(
    event: IncomingEvent, origins: Sequence[KeyOrigin], source: EventSource, token: str, row: Sequence[Any]
) -> Acceptance:
    state, accepted_ms, sequence, *candidates = row
    accepted_at, claim = iso_ms(accepted_ms), None
    if state == "claimed":
        recorded = LedgerEvent(
            event=event,
            keys=tuple(origins),
            source=source,
            accepted_ms=accepted_ms,
            accepted_at=accepted_at,
            sequence=sequence,
            status=EventStatus.RECEIVED,
        )
        claim = claim_of_new(recorded, token, *candidates)
    runnable = state in ("runnable", "claimed")
    return Acceptance(event.tenant_id, event.event_id, state == "known", accepted_at, sequence, runnable, claim)


def _record(event: IncomingEvent, origins: Sequence[KeyOrigin], source: EventSource) -> str:
    record = {"fields": event.fields, "source": source, "keys": [[origin.key, origin.path] for origin in origins]}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event somebody makes: by a call of the API, or to publish it.

    ``event_id`` (UUID) makes a repetition a duplicate, a random one is taken when it is left out; ``timestamp`` is
    ISO 8601, now by default; ``extra`` holds optional stream fields such as ``user_id``.
    """

    tenant: str
    event_name: str
    payload: Any
    correlation_key: str | None = None
    event_id: str | None = None
    timestamp: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def incoming(self) -> IncomingEvent:
        """The event as it would be read from the stream. Raises MalformedEventError."""
        fields = event_fields(
            event_id=self.event_id or str(uuid.uuid4()),
            event_name=self.event_name,
            tenant=self.tenant,
            timestamp=self.timestamp or datetime.now(UTC).isoformat(),
            payload=self.payload,
            correlation_key=self.correlation_key,
            extra=self.extra,
        )
        return parse_fields(fields)


async def accept_event(redis: Redis, intake: EventIntake, event: NewEvent) -> Acceptance:
    """Accept an event that came by a call instead of the stream, and wake whoever routes.

    Raises MalformedEventError. A crash after the record and before the waking loses nothing.
    """
    [acceptance] = await intake.accept([event.incoming()], EventSource.API)
    if acceptance.runnable:
        await ReadyQueue(redis).push([(acceptance.tenant_id, acceptance.event_id)])
    return acceptance


async def publish(redis: Redis, event: NewEvent) -> str:
    """Put an event on the stream, as any program may with its own Redis client; answers the event id.

    The stream is never trimmed here: only what every reader has acknowledged is removed, by the reader.
    Raises MalformedEventError before anything is written.
    """
    incoming = event.incoming()
    await redis.xadd(EVENT_STREAM, cast(Any, incoming.fields))
    return incoming.event_id
