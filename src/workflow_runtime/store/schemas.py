"""Payload schemas by ref and the catalogue of events. Processes and activities only.

Published versions carry their payload schema with them, so a schema may be replaced here at any time.
"""

import json
import re
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from redis.asyncio import Redis

from workflow_runtime.store._rows import dump
from workflow_runtime.store.connection import remember_tenant, tenant_key
from workflow_runtime.store.errors import ConflictError, InvalidNameError, InvalidValueError, ValueTooLargeError

EMPTY_REF: Final = "payload.Empty.v1"
CLOCK_TRIGGER_REF: Final = "payload.WorkflowClockTrigger.v1"
MAX_SCHEMA_BYTES: Final = 256 * 1024

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

BUILTIN_SCHEMAS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        EMPTY_REF: {"$schema": _DIALECT, "type": "object", "properties": {}, "additionalProperties": False},
        CLOCK_TRIGGER_REF: {
            "$schema": _DIALECT,
            "type": "object",
            "properties": {
                "triggerType": {"enum": ["schedule", "recurring"]},
                "scheduleId": {"type": "string"},
                "scheduledFor": {"type": "string", "format": "date-time"},
                "firedAt": {"type": "string", "format": "date-time"},
                "timezone": {"type": "string"},
                "workflowId": {"type": "string"},
                "workflowVersion": {"type": "integer", "minimum": 1},
                "cron": {"type": "string"},
            },
            "required": [
                *("triggerType", "scheduleId", "scheduledFor", "firedAt", "timezone", "workflowId", "workflowVersion")
            ],
            "additionalProperties": False,
        },
    }
)
"""Schemas every tenant has (RUNTIME.md section 10)."""

_REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,199}")


class Schemas:
    """The payload schemas and events of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put_schema(self, tenant: str, ref: str, schema: Any) -> bool:
        """Keep a JSON Schema (the caller has checked that it is one); true when the ref is new.

        Raises `InvalidNameError`, `InvalidValueError`, `ValueTooLargeError`, and `ConflictError` for a built-in ref.
        """
        text = schema_text(ref, schema)
        await remember_tenant(self._redis, tenant)
        return await self._redis.hset(_schemas_key(tenant), ref, text) == 1

    async def get_schema(self, tenant: str, ref: str) -> Any:
        """The schema, built-in or registered; null when there is none."""
        if ref in BUILTIN_SCHEMAS:
            return BUILTIN_SCHEMAS[ref]
        text = await cast(Awaitable[str | None], self._redis.hget(_schemas_key(tenant), ref))
        return None if text is None else json.loads(text)

    async def all_schemas(self, tenant: str) -> dict[str, Any]:
        """Every schema by ref, built-in ones included."""
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(_schemas_key(tenant)))
        found = dict(BUILTIN_SCHEMAS) | {ref: json.loads(text) for ref, text in raw.items()}
        return dict(sorted(found.items()))

    async def remove_schema(self, tenant: str, ref: str) -> bool:
        """Forget a registered schema; false when it was not there."""
        return await self._redis.hdel(_schemas_key(tenant), ref) == 1

    async def put_event(self, tenant: str, event_name: str, schema_ref: str) -> None:
        """Say that payloads of an event follow a schema. Raises `InvalidNameError`."""
        if not event_name.strip() or len(event_name) > 200 or not event_name.isprintable():
            raise InvalidNameError("event name", event_name, "1 to 200 printable characters")
        _check_ref(schema_ref)
        await remember_tenant(self._redis, tenant)
        await self._redis.hset(_events_key(tenant), event_name, schema_ref)

    async def event_schema_ref(self, tenant: str, event_name: str) -> str | None:
        """The ref an event's payloads follow; null when the catalogue does not know the event."""
        return await cast(Awaitable[str | None], self._redis.hget(_events_key(tenant), event_name))

    async def all_events(self, tenant: str) -> dict[str, str]:
        """Event name → schema ref, in order of name."""
        return dict(sorted((await cast(Awaitable[dict[str, str]], self._redis.hgetall(_events_key(tenant)))).items()))

    async def remove_event(self, tenant: str, event_name: str) -> bool:
        """Take an event out of the catalogue; false when it was not in it."""
        return await self._redis.hdel(_events_key(tenant), event_name) == 1


def schema_text(ref: str, schema: Any) -> str:
    """What is kept of a schema under ``ref``; raises as `Schemas.put_schema` does."""
    _check_ref(ref)
    if ref in BUILTIN_SCHEMAS:
        raise ConflictError(f"schema ref {ref!r} is built in; register the schema under another ref")
    if not isinstance(schema, dict | bool):
        raise InvalidValueError(f"schema {ref!r} is a {type(schema).__name__}; a JSON Schema is an object or a boolean")
    text = dump(schema, f"schema {ref!r}")
    size = len(text.encode())
    if size > MAX_SCHEMA_BYTES:
        raise ValueTooLargeError(f"schema {ref!r}", size, MAX_SCHEMA_BYTES)
    return text


def _check_ref(ref: str) -> None:
    if not _REF.fullmatch(ref):
        raise InvalidNameError("schema ref", ref, "1 to 200 letters, digits and . _ : / -, as in payload.Ticket.v1")


def _schemas_key(tenant: str) -> str:
    return tenant_key(tenant, "schemas")


def _events_key(tenant: str) -> str:
    return tenant_key(tenant, "event-catalogue")
