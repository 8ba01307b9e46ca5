"""Accepts events: correlates them and records each durably, once. Processes and activities only.

The stream consumer and ``POST /api/events`` both come through `EventIntake.accept`. An event is acknowledged (or
answered 202) only after this; whoever dies later, the sweep of the ledger finds it.
"""

import asyncio
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS, EVENT_STREAM
from workflow_runtime.core.correlation import KeyOrigin, correlation_keys
from workflow_runtime.store.connection import command, register_script, remember_tenants
from workflow_runtime.store.events import _keys as keys
from workflow_runtime.store.events._times import iso_ms, now_ms
from workflow_runtime.store.events._turns import in_turns
from workflow_runtime.store.events.parsing import event_fields, parse_fields
from workflow_runtime.store.events.ready import ReadyQueue
from workflow_runtime.store.events.records import Acceptance, EventSource, IncomingEvent

RETENTION_SECONDS: Final = 24 * 60 * 60
GRACE_SECONDS: Final = 10.0
"""How long a hint may lie in the ready queue before the sweep assumes that it was lost."""


class EventIntake:
    """Accepts events of all tenants. ``correlation_paths``: payload paths per event name, then ``*``."""

    def __init__(
        self,
        redis: Redis,
        *,
        correlation_paths: Mapping[str, tuple[str, ...]] = DEFAULT_CORRELATION_PATHS,
        retention_seconds: int = RETENTION_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._redis = redis
        self._paths = correlation_paths
        self._retention_ms = retention_seconds * 1000
        self._grace_ms = round(grace_seconds * 1000)
        self._accept = register_script(redis, "_events", "events_accept")

    async def accept(self, events: Sequence[IncomingEvent], source: EventSource) -> list[Acceptance]:
        """Record events, those of one tenant in this order; answers in the same order. Repeating is harmless."""
        by_tenant: dict[str, list[IncomingEvent]] = {}
        for event in events:
            by_tenant.setdefault(event.tenant_id, []).append(event)
        await self._remember_tenants(by_tenant)
        answers = await in_turns(self._accept_all(tenant, batch, source) for tenant, batch in by_tenant.items())
        found = {tenant: iter(batch) for tenant, batch in zip(by_tenant, answers, strict=True)}
        return [next(found[event.tenant_id]) for event in events]

    async def _remember_tenants(self, tenants: Collection[str]) -> None:
        # Before the first record, so that no record can be overlooked by the sweep, and no run that the event starts.
        if not tenants:
            return
        now = now_ms()
        active = (part for tenant in tenants for part in (now, tenant))
        await asyncio.gather(
            command(self._redis, "ZADD", keys.ACTIVE_TENANTS, *active), remember_tenants(self._redis, tenants)
        )

    async def _accept_all(self, tenant: str, events: Sequence[IncomingEvent], source: EventSource) -> list[Acceptance]:
        names = [keys.sequence_key(tenant), keys.open_key(tenant), keys.lanes_key(tenant), keys.log_key(tenant)]
        arguments: list[str | int] = [self._retention_ms, self._grace_ms]
        for event in events:
            origins = correlation_keys(event.event_name, event.payload, event.explicit_key, self._paths)
            own = [origin.key for origin in origins]
            sets = [keys.recent_key(tenant, event.event_name, key) for key in (None, *own)]
            prefixes = [keys.wait_prefix(event.event_name, key) for key in (None, *own)]
            names += [keys.event_key(tenant, event.event_id), *sets]
            arguments += [event.event_id, len(sets), _record(event, origins, source)]
            arguments += [json.dumps(prefixes), json.dumps(keys.key_lanes(own))]
        rows = cast(list[list[int]], await self._accept(names, arguments))
        return [
            Acceptance(tenant, event.event_id, not new, iso_ms(accepted), sequence, runnable == 1)
            for event, (new, accepted, sequence, runnable) in zip(events, rows, strict=True)
        ]


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
