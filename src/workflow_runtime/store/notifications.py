"""In-app notifications: what a workflow tells people and whether they read it. Activities and processes only."""

import hashlib
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Literal, cast

from redis.asyncio import Redis

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._indexes import below, id_of, newest, time_member
from workflow_runtime.store._labels import check_labels, value_json
from workflow_runtime.store._rows import HashRow, flat
from workflow_runtime.store.connection import Clock, iso, millis, register_script, remember_tenant, tenant_key, utc_now
from workflow_runtime.store.errors import NotFoundError

Severity = Literal["info", "success", "warning", "error"]


class Notification(WireModel):
    """What is sent. ``link`` is a path or address to open, ``data`` anything of at most 256 KiB."""

    title: str
    body: str
    severity: Severity = "info"
    link: str | None = None
    data: Any = None


class NotificationRow(HashRow, Notification):
    """A notification as one user has it; times are ISO 8601 UTC."""

    notification_id: str
    tenant_id: str
    user_id: str
    created_at: str
    read_at: str | None = None


class NotificationPage(WireModel):
    """Notifications, newest first; ``next_cursor`` continues the list and is null at its end."""

    notifications: tuple[NotificationRow, ...]
    unread: int
    next_cursor: str | None


class Notifications:
    """The notifications of all tenants. User ids are 1 to 256 printable characters."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock
        self._add = register_script(redis, "notification_add")
        self._read = register_script(redis, "notification_read")
        self._remove = register_script(redis, "notification_remove")

    async def send(
        self, tenant: str, user_ids: Sequence[str], notification: Notification, *, operation: str
    ) -> tuple[str, ...]:
        """Give every user the notification; answers one id per different user, in the given order.

        ``operation`` is the idempotency key of the action that sends it: ids follow from it, so that repeating it, even
        after only some users got theirs, doubles nothing.
        """
        value_json(notification.data, "data of a notification")
        users = tuple(dict.fromkeys(user_ids))
        for user_id in users:
            check_labels(user_id=user_id)
        await remember_tenant(self._redis, tenant)
        return tuple([await self._send(tenant, user_id, notification, operation) for user_id in users])

    async def _send(self, tenant: str, user_id: str, notification: Notification, operation: str) -> str:
        id_ = hashlib.sha256(f"{operation}\n{user_id}".encode()).hexdigest()[:32]
        now = self._clock()
        row = NotificationRow(
            **notification.model_dump(), notification_id=id_, tenant_id=tenant, user_id=user_id, created_at=iso(now)
        )
        head: list[str | int] = [time_member(iso(now), id_), _entry(user_id, id_), millis(now)]
        await self._add(_keys(tenant, user_id, id_), [*head, *flat(row.to_hash())])
        return id_

    async def list_notifications(
        self, tenant: str, user_id: str, *, unread_only: bool = False, limit: int = 50, cursor: str | None = None
    ) -> NotificationPage:
        """What a user has, and how many of them are unread."""
        own, unread = _keys(tenant, user_id, "")[1:3]
        found = await newest(self._redis, unread if unread_only else own, limit=limit, cursor=cursor)
        pipe = self._redis.pipeline(transaction=False)
        pipe.zcard(unread)
        for member in found:
            pipe.hgetall(_notification_key(tenant, id_of(member)))
        count, *raws = await pipe.execute()
        return NotificationPage(
            notifications=tuple(NotificationRow.from_hash(raw) for raw in raws if raw),
            unread=count,
            next_cursor=found[-1] if len(found) == limit else None,
        )

    async def get(self, tenant: str, notification_id: str) -> NotificationRow | None:
        """The notification; null when there is none."""
        raw = await cast(Awaitable[dict[str, str]], self._redis.hgetall(_notification_key(tenant, notification_id)))
        return NotificationRow.from_hash(raw) if raw else None

    async def mark_read(self, tenant: str, user_id: str, notification_id: str) -> bool:
        """Note that the user read it; false when that was known. Raises `NotFoundError`, for another user's too."""
        row = await self.get(tenant, notification_id)
        unread = _keys(tenant, user_id, notification_id)[2]
        if row is None or row.user_id != user_id:
            raise _none(tenant, notification_id)
        outcome = await self._read([_notification_key(tenant, notification_id), unread], [iso(self._clock())])
        if outcome == -1:
            raise _none(tenant, notification_id)
        return bool(outcome)

    async def prune(self, tenant: str, before: datetime, *, limit: int = 1000) -> int:
        """Remove up to ``limit`` notifications sent before ``before``, read or not; answers how many."""
        removed = 0
        for entry in await below(self._redis, tenant_key(tenant, "notifications"), millis(before), limit=limit):
            id_, _, user_id = entry.partition("\n")
            removed += await self._remove(_keys(tenant, user_id, id_), [entry])
        return removed


def _keys(tenant: str, user_id: str, notification_id: str) -> list[str]:
    own = tenant_key(tenant, "notifications", "user", user_id)
    unread = tenant_key(tenant, "notifications", "user", user_id, "unread")
    return [_notification_key(tenant, notification_id), own, unread, tenant_key(tenant, "notifications")]


def _notification_key(tenant: str, notification_id: str) -> str:
    return tenant_key(tenant, "notification", notification_id)


def _entry(user_id: str, notification_id: str) -> str:
    return f"{notification_id}\n{user_id}"


def _none(tenant: str, notification_id: str) -> NotFoundError:
    return NotFoundError("notification", notification_id, tenant, "list the user's notifications to find it")
