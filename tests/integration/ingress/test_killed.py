"""Workers that are killed, at any moment and by any message: nothing is lost, nothing happens twice (G1, G5, G8)."""

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import count
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from tests.fakes.recorded_gateway import EFFECTS
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, until
from tests.fixtures.ingress_victim import POISON, Order, Victims

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.core.machine.effects import Filter
from workflow_runtime.store.events import DeadLetters, EventLedger, Wait, publish
from workflow_runtime.store.waits import WaitIndex

SETTINGS = QUICK.model_copy(update={"lease_seconds": 0.2}).model_dump(mode="json")
ONCE = SETTINGS | {"sweep_seconds": 30.0, "maintenance_seconds": 30.0}
"""For the process that dies: the loops that come round for themselves come round once, so that moments are counted."""


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    with Victims() as server:
        yield server


@pytest.fixture
def several_victims() -> Iterator[list[Victims]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Victims()) for _ in range(4)]


def order(redis_url: str, settings: dict[str, Any] = SETTINGS, **rest: Any) -> Order:
    return Order(url=redis_url, identity=str(uuid.uuid4()), settings=settings, **rest)


async def effects(redis: Redis) -> list[dict[str, Any]]:
    return [json.loads(row) for row in await cast(Any, redis.lrange(EFFECTS, 0, -1))]


EVENTS = {
    name: str(uuid.uuid5(uuid.NAMESPACE_URL, name)) for name in ("created", "closed", "closed elsewhere", "unheard")
}


async def lay_out(redis: Redis) -> None:
    """Two workflows, a wait that matches, one that refuses, a malformed message, a duplicate, an unmatched event."""
    await publish_workflow(redis, "follow-up", "CREATED")
    await publish_workflow(redis, "survey", "CREATED", payloadMapping={"of": {"$expr": "event.payload.ticketId"}})
    for run_id, state in (("matches", "done"), ("refuses", "open")):
        filters = (Filter(path="state", op="=", value=state),)
        wait = Wait(TENANT, run_id, "w", "CLOSED", "T-1", filters)
        await WaitIndex(redis).register(wait, since="wait")
    done = {"ticketId": "T-1", "state": "done"}
    await publish(redis, new_event("CREATED", {"ticketId": "T-1"}, event_id=EVENTS["created"]))
    await redis.xadd(EVENT_STREAM, {"event_id": "no event"})
    await publish(redis, new_event("CLOSED", done, event_id=EVENTS["closed"]))
    await publish(redis, new_event("CLOSED", done, event_id=EVENTS["closed"]))
    await publish(redis, new_event("CLOSED", {"ticketId": "T-2"}, event_id=EVENTS["closed elsewhere"]))
    await publish(redis, new_event("UNHEARD", event_id=EVENTS["unheard"]))


async def all_done(redis: Redis) -> bool:
    found = await EventLedger(redis).read(TENANT, list(EVENTS.values()))
    pending = await redis.xinfo_groups(EVENT_STREAM)
    return (
        len(found) == len(EVENTS)
        and all(event.status == "DONE" for event in found)
        and [(group["pending"], group["lag"]) for group in pending] == [(0, 0)]
    )


async def end_state(redis: Redis) -> dict[str, Any]:
    """Everything that must not depend on how often a worker died."""
    ledger, letters = EventLedger(redis), await DeadLetters(redis).list()
    events = await ledger.read(TENANT, list(EVENTS.values()))
    return {
        "effects": sorted(map(str, await effects(redis))),
        "targets": [sorted((target.id, target.status, target.run_id) for target in event.targets) for event in events],
        "reasons": [event.reason for event in events],
        "letters": [(letter.pairs, letter.reason) for letter in letters],
    }


async def test_a_worker_killed_at_any_moment_leaves_what_an_undisturbed_one_does(
    redis_client: Redis, redis_url: str, victims: Victims
) -> None:
    await lay_out(redis_client)
    victims.start(order(redis_url))
    await until(lambda: all_done(redis_client))
    assert await victims.drain() == 0
    undisturbed = await end_state(redis_client)
    assert len(undisturbed["effects"]) == 3

    for moment in count(1):
        await redis_client.flushall()
        await lay_out(redis_client)
        victims.start(order(redis_url, ONCE, die_at=moment))
        ended = asyncio.ensure_future(victims.wait())
        finished = asyncio.ensure_future(until(lambda: all_done(redis_client)))
        await asyncio.wait((ended, finished), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            break
        finished.cancel()
        assert ended.result() == -9
        victims.start(order(redis_url))
        await until(lambda: all_done(redis_client))
        victims.kill()
        assert await end_state(redis_client) == undisturbed, f"killed at moment {moment}"
    victims.terminate()
    assert await ended in (0, -9), "it ended by itself or at the chosen moment, which lay behind the work"
    assert moment > 40, "the process made fewer calls than a delivery needs"


@pytest.mark.also_on_valkey
@pytest.mark.parametrize("place", ["parse", "plan", "start"])
async def test_a_message_that_kills_the_process_ends_in_the_dead_letters_alone(
    redis_client: Redis, redis_url: str, victims: Victims, place: str
) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    await WaitIndex(redis_client).register(Wait(TENANT, "waiting", "w", "CLOSED", None), since="wait")
    published = []
    for number in range(20):
        payload = {"ticketId": str(number), "text": POISON if number == 7 else "harmless"}
        published.append(await publish(redis_client, new_event("CLOSED", payload)))
    innocent = [event_id for number, event_id in enumerate(published) if number != 7]

    buried = partial(poison_is_buried, redis_client, innocent)
    deaths = await live_until(victims, order(redis_url, poison=place), buried)

    assert deaths == QUICK.max_deliveries
    [letter] = await DeadLetters(redis_client).list()
    assert "poison" in letter.reason
    assert letter.attempts == deaths
    assert letter.fields()["event_id"] == published[7]
    started = {effect["event"] for effect in await effects(redis_client) if "workflow" in effect}
    assert started == set(innocent)


async def test_a_target_that_kills_the_process_takes_no_other_target_with_it(
    redis_client: Redis, redis_url: str, victims: Victims
) -> None:
    workflows = [f"w{number}" for number in range(9)]
    for workflow_id in workflows:
        await publish_workflow(redis_client, workflow_id, "CLOSED")
    event_id = await publish(redis_client, new_event("CLOSED", {"text": POISON}))
    deaths = await live_until(
        victims, order(redis_url, poison="start w3"), partial(one_is_done, redis_client, event_id)
    )
    [event] = await EventLedger(redis_client).read(TENANT, [event_id])
    assert {target.workflow_id: target.status for target in event.targets} == {
        workflow_id: "FAILED" if workflow_id == "w3" else "DELIVERED" for workflow_id in workflows
    }
    assert deaths == QUICK.max_deliveries
    [letter] = await DeadLetters(redis_client).list()
    assert letter.reason == f"trigger:w3: poison: {deaths} attempts ended with their process"


async def one_is_done(redis: Redis, event_id: str) -> bool:
    return [event.status for event in await EventLedger(redis).read(TENANT, [event_id])] == ["DONE"]


async def live_until(victims: Victims, given: Order, reached: Callable[[], Awaitable[bool]]) -> int:
    """Start the ingress again whenever it dies, by the name it had, as a container is that keeps host and number of its
    process; answers how often that was."""
    for deaths in count():
        victims.start(given)
        ended = asyncio.ensure_future(victims.wait())
        finished = asyncio.ensure_future(until(reached))
        await asyncio.wait((ended, finished), return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            victims.terminate()
            assert await ended == 0
            return deaths
        finished.cancel()
        assert ended.result() == 66
    raise AssertionError


async def poison_is_buried(redis: Redis, innocent: list[str]) -> bool:
    found = await EventLedger(redis).read(TENANT, innocent)
    done = [event for event in found if event.status == "DONE"]
    return len(done) == len(innocent) and await DeadLetters(redis).count() == 1


async def test_the_order_of_each_key_is_kept_by_several_workers_that_are_killed(
    redis_client: Redis, redis_url: str, several_victims: list[Victims]
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    keys = [f"T-{number}" for number in range(8)]
    sent = [new_event("CLOSED", {"ticketId": chance.choice(keys), "n": n}) for n in range(400)]
    for victim in several_victims:
        victim.start(order(redis_url))
    for number, event in enumerate(sent):
        await publish(redis_client, event)
        if number % 40 == 20:
            victim = chance.choice(several_victims)
            victim.kill()
            victim.start(order(redis_url))
        await asyncio.sleep(0.002)

    async def delivered() -> int:
        return await redis_client.llen(EFFECTS)

    await until(delivered, len(sent).__eq__)
    for victim in several_victims:
        assert await victim.drain() == 0
    order_of = {key: [event.payload["n"] for event in sent if event.payload["ticketId"] == key] for key in keys}
    seen: dict[str, list[int]] = {key: [] for key in keys}
    for effect in await effects(redis_client):
        seen[effect["payload"]["ticketId"]].append(effect["payload"]["n"])
    assert seen == order_of, f"seed {seed}"
