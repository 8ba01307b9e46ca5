"""Whatever is delivered again and again, by whatever way, to whomever: it happens once (G2)."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.fakes.recorded_gateway import CALLS, EFFECTS
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, settled, until
from tests.fixtures.ingress_victim import Victims
from tests.fixtures.nightly import EVENTS, SEED
from tests.integration.ingress.test_killed import effects, order

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.events import EventIntake, NewEvent, Wait, accept_event, publish
from workflow_runtime.store.waits import WaitIndex

KEYS = [f"T-{number}" for number in range(5)]
SETTINGS = QUICK.model_copy(update={"lease_seconds": 60.0}).model_dump(mode="json")
"""Nobody dies here: a lease that a busy machine lets run out would only make the same attempt twice."""


@pytest.fixture
def two_workers() -> Iterator[tuple[Victims, Victims]]:
    with Victims() as first, Victims() as second:
        yield first, second


async def test_five_deliveries_at_once_by_stream_and_api_to_two_workers_have_one_effect(
    redis_client: Redis, redis_url: str, two_workers: tuple[Victims, Victims]
) -> None:
    chance = random.Random(SEED)
    for workflow_id in ("follow-up", "survey"):
        await publish_workflow(redis_client, workflow_id, "CLOSED")
    for key in KEYS:
        await WaitIndex(redis_client).register(Wait(TENANT, f"run-{key}", "w", "CLOSED", key), since="wait")
    events = [new_event("CLOSED", {"ticketId": chance.choice(KEYS), "n": n}) for n in range(EVENTS // 10)]
    intake = EventIntake(redis_client)

    async def by_stream(shuffled: list[NewEvent]) -> None:
        for event in shuffled:
            await publish(redis_client, event)

    async def by_api(shuffled: list[NewEvent]) -> None:
        for event in shuffled:
            await accept_event(redis_client, intake, event)

    for worker in two_workers:
        worker.start(order(redis_url, SETTINGS))
    ways = [by_stream, by_stream, by_stream, by_api, by_api]
    await asyncio.gather(*(way(chance.sample(events, len(events))) for way in ways))
    found = [await settled(redis_client, event.event_id) for event in events]
    await until(lambda: redis_client.xlen(EVENT_STREAM), lambda length: length == 0)
    for worker in two_workers:
        assert await worker.drain() == 0

    happened = Counter(
        (effect.get("workflow") or effect["run"], effect["event"]) for effect in await effects(redis_client)
    )
    wanted = [
        (target, str(event.event_id))
        for event in events
        for target in ("follow-up", "survey", f"run-{event.payload['ticketId']}")
    ]
    assert happened == Counter(wanted), f"CHAOS_SEED={SEED}"
    assert await number(redis_client.get(CALLS)) == len(wanted), "nothing was even tried twice"
    assert {target.attempts for event in found for target in event.targets} == {1}
    assert await number(redis_client.llen(EFFECTS)) == len(wanted)


async def number(answer: Any) -> int:
    return int(await answer)
