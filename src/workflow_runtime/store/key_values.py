"""The tenant's key-value store behind the ``store.*`` actions. Activities and processes only.

A change may name its ``operation`` (the idempotency key of the action that makes it): repeated within a week, it
changes nothing and gives the same answer, so an action that is run again after a crash increments once.
"""

import json
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from redis.asyncio import Redis

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._indexes import below, in_order, members
from workflow_runtime.store._labels import check_labels, check_limit, number_json, operation_mark, value_json
from workflow_runtime.store.connection import Clock, iso, millis, register_script, remember_tenant, tenant_key, utc_now
from workflow_runtime.store.errors import InvalidValueError, RevisionMismatchError

_SWEEP = 1000


class KeyValue(WireModel):
    """One entry. ``revision`` counts from 1 and starts anew after deletion and expiry; times are ISO 8601 UTC."""

    key: str
    value: Any
    value_type: str | None = None
    revision: int
    expires_at: str | None = None
    created_at: str
    updated_at: str


class KeyValuePage(WireModel):
    """Entries in order of key; ``next_cursor`` continues the list and is null at its end."""

    items: tuple[KeyValue, ...]
    next_cursor: str | None


class Written(WireModel):
    """The revision after a `KeyValues.set`, and whether the key is new."""

    revision: int
    created: bool


class Incremented(WireModel):
    """The number and the revision after a `KeyValues.increment`."""

    value: int | float
    revision: int


class NamespaceCount(WireModel):
    """A namespace and how much is in it."""

    namespace: str
    count: int


class KeyValues:
    """The key-value stores of all tenants. Namespaces and keys are 1 to 256 printable characters."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock
        self._set = register_script(redis, "_operation", "_key_values", "kv_set")
        self._delete = register_script(redis, "_operation", "_key_values", "kv_delete")
        self._increment = register_script(redis, "_operation", "_key_values", "kv_increment")
        self._forget = register_script(redis, "_operation", "_key_values", "kv_forget")

    async def get(self, tenant: str, namespace: str, key: str) -> KeyValue | None:
        """The entry; null when there is none or it expired."""
        check_labels(namespace=namespace, key=key)
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(_entry_key(tenant, namespace, key)))
        return _entry(key, raw) if raw else None

    async def set(
        self,
        tenant: str,
        namespace: str,
        key: str,
        value: Any,
        *,
        value_type: str | None = None,
        ttl: timedelta | None = None,
        if_revision: int | None = None,
        operation: str | None = None,
    ) -> Written:
        """Write an entry; without ``ttl`` it stays until deleted, whatever it was before.

        ``if_revision`` must be its revision, 0 for "not there", else `RevisionMismatchError`. Raises also
        `ValueTooLargeError` above 256 KiB, `InvalidValueError`, `InvalidNameError`.
        """
        names, head = self._call(tenant, namespace, key, "store.set", operation)
        text = value_json(value, f"value of {namespace!r} {key!r}")
        expected = "" if if_revision is None else if_revision
        arguments = [*head, text, iso(self._clock()), _ttl_ms(ttl), expected, value_type or ""]
        await remember_tenant(self._redis, tenant)
        outcome, revision, *created = await self._set(names, arguments)
        if outcome == "moved":
            raise RevisionMismatchError(f"{namespace!r} {key!r}", if_revision or 0, revision)
        return Written(revision=revision, created=created == [1])

    async def delete(
        self,
        tenant: str,
        namespace: str,
        key: str,
        *,
        if_revision: int | None = None,
        operation: str | None = None,
    ) -> bool:
        """Remove an entry; false when there was none. Raises `RevisionMismatchError` as `set` does."""
        names, head = self._call(tenant, namespace, key, "store.delete", operation)
        outcome, found = await self._delete(names, [*head, "" if if_revision is None else if_revision])
        if outcome == "moved":
            raise RevisionMismatchError(f"{namespace!r} {key!r}", if_revision or 0, found)
        return bool(found)

    async def increment(
        self,
        tenant: str,
        namespace: str,
        key: str,
        *,
        by: int | float = 1,
        initial: int | float = 0,
        operation: str | None = None,
    ) -> Incremented:
        """Add ``by`` to a number; a missing one counts as ``initial``. An expiry stays as it is.

        Raises `InvalidValueError` when the entry is no number, or the sum is beyond a double.
        """
        names, head = self._call(tenant, namespace, key, "store.increment", operation)
        await remember_tenant(self._redis, tenant)
        numbers = [number_json(by, "increment"), iso(self._clock()), number_json(initial, "initial value")]
        outcome, *found = await self._increment(names, [*head, *numbers])
        if outcome == "set":
            return Incremented(revision=found[0], value=json.loads(found[1]))
        problem = "is not a number" if outcome == "no number" else f"plus {by} is more than a number can hold"
        raise InvalidValueError(f"{namespace!r} {key!r} is {found[0][:80]}, which {problem}; set it to a number first")

    async def list_entries(
        self, tenant: str, namespace: str, *, prefix: str = "", limit: int = 200, cursor: str | None = None
    ) -> KeyValuePage:
        """Entries whose key starts with ``prefix``; ``limit`` up to 200."""
        check_labels(namespace=namespace)
        check_limit(limit, 200)
        await self._sweep(tenant)
        index = _index_key(tenant, namespace)
        keys = await in_order(self._redis, index, limit=limit, cursor=cursor, prefix=prefix)
        pipe = self._redis.pipeline(transaction=False)
        for key in keys:
            pipe.hgetall(_entry_key(tenant, namespace, key))
        items = tuple(_entry(key, raw) for key, raw in zip(keys, await pipe.execute(), strict=True) if raw)
        return KeyValuePage(items=items, next_cursor=keys[-1] if len(keys) == limit else None)

    async def list_namespaces(self, tenant: str) -> tuple[NamespaceCount, ...]:
        """Namespaces that hold something, in order of name."""
        await self._sweep(tenant)
        namespaces = await members(self._redis, _namespaces_key(tenant))
        pipe = self._redis.pipeline(transaction=False)
        for namespace in namespaces:
            pipe.zcard(_index_key(tenant, namespace))
        counts = zip(namespaces, await pipe.execute(), strict=True)
        return tuple(NamespaceCount(namespace=namespace, count=count) for namespace, count in counts if count)

    async def _sweep(self, tenant: str) -> None:
        """Take entries that Redis expired out of the indexes."""
        for member in await below(self._redis, _expiry_key(tenant), millis(self._clock()) + 1, limit=_SWEEP):
            namespace, _, key = member.partition("\n")
            names, head = self._call(tenant, namespace, key, "", None)
            await self._forget(names, head)

    @staticmethod
    def _call(
        tenant: str, namespace: str, key: str, kind: str, operation: str | None
    ) -> tuple[Sequence[str], list[str | int]]:
        """KEYS and the first ARGV of every script of this store."""
        check_labels(namespace=namespace, key=key)
        mark, memory = operation_mark(tenant, kind, operation)
        indexes = [_index_key(tenant, namespace), _namespaces_key(tenant), _expiry_key(tenant)]
        return [_entry_key(tenant, namespace, key), *indexes, mark], [memory, namespace, key]


def _entry(key: str, raw: dict[str, str]) -> KeyValue:
    expires = raw.get("expiresMs")
    return KeyValue(
        key=key,
        value=json.loads(raw["value"]),
        value_type=raw.get("valueType"),
        revision=int(raw["revision"]),
        expires_at=None if expires is None else iso(datetime.fromtimestamp(int(expires) / 1000, UTC)),
        created_at=raw["createdAt"],
        updated_at=raw["updatedAt"],
    )


def _ttl_ms(ttl: timedelta | None) -> str | int:
    if ttl is None:
        return ""
    if ttl <= timedelta():
        raise InvalidValueError(f"time to live {ttl.total_seconds():g} s is not above 0; delete the key instead")
    return max(1, round(ttl.total_seconds() * 1000))


def _entry_key(tenant: str, namespace: str, key: str) -> str:
    return tenant_key(tenant, "kv", namespace, key)


def _index_key(tenant: str, namespace: str) -> str:
    return tenant_key(tenant, "kv-index", namespace)


def _namespaces_key(tenant: str) -> str:
    return tenant_key(tenant, "kv-namespaces")


def _expiry_key(tenant: str) -> str:
    return tenant_key(tenant, "kv-expiry")
