"""Many events of a tenant take a step in one script call, and a fault of one of them is nobody else's."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from tests.fixtures.ingress import TENANT, definition, new_event, publish_workflow

from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.connection import tenant_key
from workflow_runtime.store.events import Claim, EventIntake, EventLedger, NewEvent, Refusal, Wait, accept_event
from workflow_runtime.store.waits import WaitIndex

pytestmark = pytest.mark.also_on_valkey


async def accepted(redis: Redis, *events: NewEvent) -> list[str]:
    intake = EventIntake(redis)
    return [(await accept_event(redis, intake, event)).event_id for event in events]


async def script_calls(redis: Redis) -> int:
    found = await redis.info("commandstats")
    return sum(int(found.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("evalsha", "eval"))


async def test_claims_of_a_tenant_that_come_together_are_one_call(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    ids = await accepted(redis_client, *(new_event("E") for _ in range(20)))
    await ledger.claim(TENANT, "nobody", "t")
    before = await script_calls(redis_client)
    claims = await asyncio.gather(*(ledger.claim(TENANT, event_id, "t") for event_id in ids))
    assert [claim.event.event.event_id for claim in claims if isinstance(claim, Claim)] == ids
    assert await script_calls(redis_client) == before + 1


async def test_more_than_one_call_should_take_go_in_several(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    ids = await accepted(redis_client, *(new_event("E") for _ in range(70)))
    claims = await asyncio.gather(*(ledger.claim(TENANT, event_id, "t") for event_id in ids))
    assert all(isinstance(claim, Claim) for claim in claims)


async def test_events_too_large_for_one_answer_are_claimed_all_the_same(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    ids = await accepted(redis_client, *(new_event("E", {"text": "x" * 1_000_000}) for _ in range(7)))
    claims = await asyncio.gather(*(ledger.claim(TENANT, event_id, "t") for event_id in ids))
    assert [len(claim.event.event.payload["text"]) for claim in claims if isinstance(claim, Claim)] == [1_000_000] * 7


async def test_an_event_whose_record_is_broken_fails_alone(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    first, broken, last = await accepted(redis_client, *(new_event("E") for _ in range(3)))
    await redis_client.delete(tenant_key(TENANT, "event", broken))
    await redis_client.set(tenant_key(TENANT, "event", broken), "not a hash")
    calls = (ledger.claim(TENANT, event_id, "t") for event_id in (first, broken, last))
    claims: Sequence[Any] = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(claims[0], Claim)
    assert isinstance(claims[1], ResponseError)
    assert "WRONGTYPE" in str(claims[1])
    assert isinstance(claims[2], Claim)


async def test_a_claim_that_is_cancelled_takes_no_other_with_it(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    first, second = await accepted(redis_client, new_event("E"), new_event("E"))
    tasks = [asyncio.ensure_future(ledger.claim(TENANT, event_id, "t")) for event_id in (first, second)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    assert isinstance(await tasks[1], Claim)
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]


async def test_a_lost_connection_fails_every_claim_of_the_call() -> None:
    async with Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0)) as nobody:
        ledger = EventLedger(nobody)
        calls = (ledger.claim(TENANT, event_id, "t") for event_id in ("a", "b"))
        answers: Sequence[Any] = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers] == [RedisConnectionError] * 2
    assert answers[0] is not answers[1]


@pytest.mark.parametrize("name", ["E", "order:placed", "a|b", "50 % off", "größer", "a}b", "*"])
async def test_a_first_claim_brings_the_triggers_and_waits_of_the_name(redis_client: Redis, name: str) -> None:
    await publish_workflow(redis_client, "b", name)
    await publish_workflow(redis_client, "a", name)
    await publish_workflow(redis_client, "other", name + "!")
    await WaitIndex(redis_client).register(Wait(TENANT, "run", "w", name, None))
    [event_id] = await accepted(redis_client, new_event(name))
    claim = await EventLedger(redis_client).claim(TENANT, event_id, "t")
    assert isinstance(claim, Claim)
    assert claim.triggers == await Catalog(redis_client).triggers_for_event(TENANT, name)
    assert [trigger.workflow_id for trigger in claim.triggers] == ["a", "b"]
    assert [wait.run_id for wait in claim.waits] == ["run"]


async def test_a_trigger_published_anew_is_seen_as_it_is_now(redis_client: Redis) -> None:
    catalog, ledger = Catalog(redis_client), EventLedger(redis_client)
    versions = []
    for version in (1, 2):
        body = definition("w", "E") | {"version": version}
        await catalog.publish(TENANT, "w", version, body, action_queues={})
        [event_id] = await accepted(redis_client, new_event("E"))
        claim = await ledger.claim(TENANT, event_id, "t")
        assert isinstance(claim, Claim)
        versions += [trigger.version for trigger in claim.triggers]
    assert versions == [1, 2]


async def test_refusals_of_several_events_reach_each_its_own(redis_client: Redis) -> None:
    ledger = EventLedger(redis_client)
    first, second = await accepted(redis_client, *(new_event("E", correlation_key="k") for _ in range(2)))
    await ledger.claim(TENANT, first, "holder")
    calls = (ledger.claim(TENANT, event_id, "other") for event_id in (first, second, "nobody"))
    assert list(await asyncio.gather(*calls)) == [Refusal.LEASED, Refusal.BLOCKED, Refusal.MISSING]
