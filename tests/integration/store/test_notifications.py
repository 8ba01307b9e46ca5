"""In-app notifications: one per user and sending, read by the one they are for."""

from datetime import timedelta

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT

from workflow_runtime.store.errors import NotFoundError, ValueTooLargeError
from workflow_runtime.store.notifications import Notification, NotificationPage, Notifications

pytestmark = pytest.mark.also_on_valkey

HELLO = Notification(title="Hello", body="There is news", severity="warning", link="/tickets/1", data={"a": []})


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def notifications(redis_client: Redis, clock: HandClock) -> Notifications:
    return Notifications(redis_client, clock=clock)


async def inbox(notifications: Notifications, user: str, *, unread_only: bool = False) -> NotificationPage:
    return await notifications.list_notifications(TENANT, user, unread_only=unread_only)


async def test_every_user_gets_their_own(notifications: Notifications) -> None:
    sent = await notifications.send(TENANT, ["ann", "bob", "ann"], HELLO, operation="op-1")
    assert len(sent) == len(set(sent)) == 2
    page = await inbox(notifications, "bob")
    (row,) = page.notifications
    assert (row.notification_id, row.user_id, row.title, row.severity, row.data, row.read_at) == (
        sent[1],
        "bob",
        "Hello",
        "warning",
        {"a": []},
        None,
    )
    assert page.unread == 1
    assert (await inbox(notifications, "carl")).notifications == ()


async def test_repeating_a_sending_doubles_nothing_and_completes_it(notifications: Notifications) -> None:
    await notifications.send(TENANT, ["ann"], HELLO, operation="op-1")
    await notifications.send(TENANT, ["ann", "bob"], HELLO, operation="op-1")
    await notifications.send(TENANT, ["ann"], HELLO, operation="op-2")
    assert [len((await inbox(notifications, user)).notifications) for user in ("ann", "bob")] == [2, 1]


async def test_reading_takes_it_from_the_unread(notifications: Notifications, clock: HandClock) -> None:
    (id_,) = await notifications.send(TENANT, ["ann"], HELLO, operation="op-1")
    clock.advance(minutes=5)
    assert await notifications.mark_read(TENANT, "ann", id_)
    clock.advance(minutes=5)
    assert not await notifications.mark_read(TENANT, "ann", id_)
    page = await inbox(notifications, "ann")
    assert (page.unread, page.notifications[0].read_at) == (0, "2026-01-01T00:05:00.000Z")
    assert (await inbox(notifications, "ann", unread_only=True)).notifications == ()


async def test_nobody_reads_for_somebody_else(notifications: Notifications) -> None:
    (id_,) = await notifications.send(TENANT, ["ann"], HELLO, operation="op-1")
    for user, notification_id in (("bob", id_), ("ann", "none")):
        with pytest.raises(NotFoundError):
            await notifications.mark_read(TENANT, user, notification_id)
    assert (await inbox(notifications, "ann")).unread == 1


async def test_lists_are_newest_first_and_come_in_pages(notifications: Notifications, clock: HandClock) -> None:
    sent: list[str] = []
    for number in range(5):
        sent += await notifications.send(TENANT, ["ann"], HELLO, operation=f"op-{number}")
        clock.advance(minutes=1)
    first = await notifications.list_notifications(TENANT, "ann", limit=3)
    rest = await notifications.list_notifications(TENANT, "ann", limit=3, cursor=first.next_cursor)
    assert [row.notification_id for row in (*first.notifications, *rest.notifications)] == sent[::-1]


async def test_retention_leaves_no_key_of_an_old_notification(
    notifications: Notifications, clock: HandClock, redis_client: Redis
) -> None:
    for user in ("ann", "bob"):
        (id_,) = await notifications.send(TENANT, [user], HELLO, operation="old")
    await notifications.mark_read(TENANT, "bob", id_)
    clock.advance(days=40)
    await notifications.send(TENANT, ["carl"], HELLO, operation="new")
    assert await notifications.prune(TENANT, clock.now - timedelta(days=30)) == 2
    assert [(await inbox(notifications, user)).notifications for user in ("ann", "bob")] == [(), ()]
    assert (await inbox(notifications, "carl")).unread == 1
    await notifications.prune(TENANT, clock.advance(days=1))
    assert await redis_client.keys("wf:{acme}:*") == []


async def test_large_data_is_refused(notifications: Notifications) -> None:
    large = Notification(title="t", body="b", data="x" * 300_000)
    with pytest.raises(ValueTooLargeError):
        await notifications.send(TENANT, ["ann"], large, operation="op")
