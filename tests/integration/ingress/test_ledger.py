"""The ledger's own promises: leases, lost claims, sweeps, lanes and lists, on the real Redis."""

import uuid
from collections.abc import Awaitable
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.fixtures.ingress import TENANT, new_event, until

from workflow_runtime.store.errors import InvalidValueError
from workflow_runtime.store.events import (
    Claim,
    EventBusyError,
    EventIntake,
    EventLedger,
    EventPage,
    EventSource,
    EventStatus,
    NewEvent,
    Refusal,
    Target,
    TargetStatus,
    UnknownEventError,
    accept_event,
)
from workflow_runtime.store.events._keys import ACTIVE_TENANTS
from workflow_runtime.store.events.lanes import workflow_lanes

pytestmark = pytest.mark.also_on_valkey


async def accepted(redis: Redis, key: str | None = "K", *, grace_seconds: float = 3600.0) -> str:
    event = new_event("E", {"ticketId": key} if key else {})
    return (await accept_event(redis, EventIntake(redis, grace_seconds=grace_seconds), event)).event_id


async def claimed(ledger: EventLedger, event_id: str) -> Claim:
    claim = await ledger.claim(TENANT, event_id, uuid.uuid4().hex)
    assert isinstance(claim, Claim), claim
    return claim


def target(workflow_id: str, key: str = "K", **changes: Any) -> Target:
    lanes = tuple(workflow_lanes(workflow_id, [key]))
    return Target(id=f"trigger:{workflow_id}", kind="trigger", run_id=workflow_id, lanes=lanes, **changes)


def delivered(found: Target) -> Target:
    return found.model_copy(update={"status": TargetStatus.DELIVERED})


async def begun(ledger: EventLedger, claim: Claim, *targets: Target) -> list[Target]:
    found = await ledger.begin(claim, targets, considered=())
    assert found is not None
    return found


async def test_an_event_is_claimed_by_one_at_a_time(redis_client: Redis) -> None:
    ledger, event_id = EventLedger(redis_client), await accepted(redis_client)
    claim = await claimed(ledger, event_id)
    assert await ledger.claim(TENANT, event_id, "other") is Refusal.LEASED
    await ledger.extend([claim.hold])
    await ledger.give_up([claim.hold])
    await ledger.extend([claim.hold])
    assert isinstance(await ledger.claim(TENANT, event_id, "other"), Claim)


async def test_what_a_dead_holder_writes_later_is_refused(redis_client: Redis) -> None:
    brief, event_id = EventLedger(redis_client, lease_seconds=0.05), await accepted(redis_client)
    dead = await claimed(brief, event_id)
    living = await until(lambda: EventLedger(redis_client).claim(TENANT, event_id, "living"), lambda c: c != "leased")
    assert await brief.begin(dead, [target("w")], considered=()) is None
    assert await brief.finish(dead, (), reason="late") is None
    await brief.give_up([dead.hold])
    assert await brief.claim(TENANT, event_id, "third") is Refusal.LEASED
    ended = await EventLedger(redis_client).finish(living, (), reason="in time")
    assert ended is not None
    assert (await brief.get(TENANT, event_id)).reason == "in time"


async def test_a_lease_that_ran_out_holds_until_another_takes_it(redis_client: Redis) -> None:
    ledger, event_id = EventLedger(redis_client, lease_seconds=0.01), await accepted(redis_client)
    slow = await claimed(ledger, event_id)
    await until(ledger.sweep, lambda sweep: sweep.found)
    [trying] = await begun(ledger, slow, target("w"))
    ended = await ledger.finish(slow, [delivered(trying)], reason="")
    assert ended is not None
    assert ended.status is EventStatus.DONE


async def test_an_event_waits_for_earlier_ones_with_a_common_key(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    first, second, other = [await accepted(redis_client, key) for key in ("K", "K", "L")]
    claim = await claimed(ledger, first)
    assert await ledger.claim(TENANT, second, "t") is Refusal.BLOCKED
    assert isinstance(await ledger.claim(TENANT, other, "t"), Claim)
    ended = await ledger.finish(claim, (), reason="")
    assert ended is not None
    assert (ended.status, ended.runnable) == (EventStatus.DONE, (second,))
    assert await ledger.claim(TENANT, first, "t") is Refusal.DONE


async def test_events_without_a_key_wait_for_nobody(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    for event_id in [await accepted(redis_client, None) for _ in range(3)]:
        await claimed(ledger, event_id)


async def test_a_settled_target_lets_the_next_event_try_it(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    first, second = [await accepted(redis_client) for _ in range(2)]
    one = await claimed(ledger, first)
    [trying] = await begun(ledger, one, target("w"))
    assert (trying.status, trying.attempts) == (TargetStatus.TRYING, 1)
    retrying = trying.model_copy(update={"status": TargetStatus.RETRYING, "due_ms": one.time_ms()})
    assert await ledger.finish(one, [retrying], reason="")
    two = await claimed(ledger, second)
    [behind] = await begun(ledger, two, target("w"))
    assert (behind.status, behind.attempts) == (TargetStatus.BEHIND, 0)
    again = await claimed(ledger, first)
    assert again.planned
    [trying] = await begun(ledger, again, *again.event.targets)
    assert trying.attempts == 2
    ended = await ledger.finish(again, [delivered(trying)], reason="")
    assert ended is not None
    assert ended.runnable == (), "the second event is under way; it sees the free lane when its own pass ends"
    ended = await ledger.finish(two, [behind], reason="")
    assert ended is not None
    assert (ended.status, ended.runnable) == (EventStatus.ROUTED, (second,))


async def test_the_sweep_reports_an_abandoned_event_once_per_grace_period(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client, lease_seconds=0.05, grace_seconds=3600.0)
    abandoned = await accepted(redis_client)
    hinted = await accepted(redis_client, "L")
    await claimed(ledger, abandoned)
    sweep = await until(ledger.sweep, lambda sweep: sweep.found)
    assert sweep.found == ((TENANT, abandoned),)
    assert sweep.backlog == 2
    assert (await ledger.sweep()).found == ()
    assert isinstance(await ledger.claim(TENANT, hinted, "t"), Claim)


async def test_the_sweep_finds_an_event_nobody_was_told_about(redis_client: Redis) -> None:
    event_id = await accepted(redis_client, grace_seconds=0.01)
    sweep = await until(EventLedger(redis_client).sweep, lambda sweep: sweep.found)
    assert sweep.found == ((TENANT, event_id),)


async def test_the_sweep_forgets_tenants_that_are_quiet_and_done_but_no_others(redis_client: Redis) -> None:
    await accepted(redis_client)
    await redis_client.zadd(ACTIVE_TENANTS, {TENANT: 1, "quiet": 1})
    sweep = await EventLedger(redis_client).sweep()
    assert sweep.backlog == 1
    assert await redis_client.zrange(ACTIVE_TENANTS, 0, -1) == [TENANT]


async def test_a_finished_event_leaves_nothing_but_its_record(redis_client: Redis) -> None:
    ledger, event_id = EventLedger(redis_client, retention_seconds=60), await accepted(redis_client)
    claim = await claimed(ledger, event_id)
    [trying] = await begun(ledger, claim, target("w"))
    await ledger.finish(claim, [delivered(trying)], reason="")
    left = {str(key).rpartition("}:")[2] for key in await redis_client.keys(f"wf:{{{TENANT}}}:*")}
    recent = {"events:recent:E", "events:recent:E:K"}
    assert left == {f"event:{event_id}", "events:sequence", "events:log"} | recent
    assert 0 < await redis_client.pttl(f"wf:{{{TENANT}}}:event:{event_id}") <= 60_000


async def test_events_are_listed_newest_first_page_by_page(redis_client: Redis) -> None:
    ids = [await accepted(redis_client) for _ in range(5)]
    ledger = EventLedger(redis_client)
    found: list[str] = []
    page = await ledger.list_events(TENANT, limit=2)
    found += [event.event.event_id for event in page.events]
    while page.next_cursor is not None:
        page = await ledger.list_events(TENANT, limit=2, cursor=page.next_cursor)
        found += [event.event.event_id for event in page.events]
    assert found == ids[::-1]
    assert await ledger.list_events("umbrella") == type(page)((), None)


async def test_a_cursor_of_another_list_is_refused(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    for number in range(2):
        await accepted(redis_client, f"T-{number}")
    foreign = f"{99:016d}|{uuid.uuid4()}"
    for cursor in ("bogus", "0-1", foreign):
        with pytest.raises(InvalidValueError, match="pass the nextCursor of the page before"):
            await ledger.list_events(TENANT, cursor=cursor)
    with pytest.raises(InvalidValueError):
        await ledger.list_events("nobody", cursor="bogus")


async def test_a_cursor_past_the_retention_ends_the_list(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    for number in range(3):
        await accepted(redis_client, f"T-{number}")
    page = await ledger.list_events(TENANT, limit=2)
    assert page.next_cursor is not None
    await redis_client.zremrangebyrank(f"wf:{{{TENANT}}}:events:log", 0, 1)
    assert await ledger.list_events(TENANT, cursor=page.next_cursor) == EventPage((), None)


async def test_a_list_of_chosen_events_goes_on_where_it_ended(redis_client: Redis) -> None:
    ids = [await accepted(redis_client, str(number)) for number in range(12)]
    ledger, found, cursor, pages = EventLedger(redis_client), list[str](), None, 0
    while pages == 0 or cursor is not None:
        page = await ledger.list_events(TENANT, limit=2, cursor=cursor, wanted=lambda event: event.sequence % 3 == 0)
        found += [event.event.event_id for event in page.events]
        cursor, pages = page.next_cursor, pages + 1
    assert found == [ids[number - 1] for number in (12, 9, 6, 3)]
    assert pages == 3


async def test_an_event_under_way_is_not_reopened(redis_client: Redis) -> None:
    ledger, event_id = EventLedger(redis_client), await accepted(redis_client)
    claim = await claimed(ledger, event_id)
    with pytest.raises(EventBusyError, match="is being routed at this moment"):
        await ledger.reopen(TENANT, event_id, actor="ann")
    failed = target("w").model_copy(update={"status": TargetStatus.FAILED})
    assert await ledger.finish(claim, [failed], reason="")
    assert await ledger.reopen(TENANT, event_id, actor="ann", why="fixed") == ("trigger:w",)
    event = await ledger.get(TENANT, event_id)
    assert event.status is EventStatus.ROUTED
    assert [(row.actor, row.why, row.via, row.targets) for row in event.retries] == [
        ("ann", "fixed", "retry", ("trigger:w",))
    ]


async def test_what_a_dead_process_writes_after_a_reopening_is_refused(redis_client: Redis) -> None:
    brief, event_id = EventLedger(redis_client, lease_seconds=0.01), await accepted(redis_client)
    first = await claimed(brief, event_id)
    failed = target("w").model_copy(update={"status": TargetStatus.FAILED})
    other = target("v").model_copy(update={"status": TargetStatus.RETRYING})
    assert await brief.finish(first, [failed, other], reason="")
    slow = await claimed(brief, event_id)
    reopened = await until(lambda: unless_busy(brief.reopen(TENANT, event_id, actor="ann")))
    assert reopened == ("trigger:w",)
    assert await brief.finish(slow, [delivered(other)], reason="") is None
    assert {row.id: row.status for row in (await brief.get(TENANT, event_id)).targets} == {
        "trigger:v": "RETRYING",
        "trigger:w": "PENDING",
    }


async def unless_busy(reopening: Awaitable[tuple[str, ...]]) -> tuple[str, ...]:
    try:
        return await reopening
    except EventBusyError:
        return ()


async def test_an_event_nobody_accepted_is_unknown(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    with pytest.raises(UnknownEventError, match="is not in the ledger"):
        await ledger.get(TENANT, str(uuid.uuid4()))
    assert await ledger.claim(TENANT, "gone", "t") is Refusal.MISSING
    assert await ledger.reopen(TENANT, "gone", actor="ann") == ()


async def test_events_of_a_batch_are_accepted_in_their_order(redis_client: Redis) -> None:
    events: list[NewEvent] = [new_event("E", tenant=f"t{n % 3}") for n in range(30)]
    found = await EventIntake(redis_client).accept([event.incoming() for event in events], EventSource.API)
    assert [acceptance.event_id for acceptance in found] == [event.event_id for event in events]
    for tenant in ("t0", "t1", "t2"):
        assert [one.sequence for one in found if one.tenant_id == tenant] == list(range(1, 11))
