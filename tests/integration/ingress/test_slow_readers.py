"""A group of somebody else that reads slowly loses nothing, however fast events come and are worked off (G7)."""

import asyncio
from typing import Any

from redis.asyncio import Redis
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, new_event, running, settled, until
from tests.fixtures.nightly import EVENTS

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.events import publish

SETTINGS = QUICK.model_copy(update={"maintenance_seconds": 0.01})


async def read_slowly(redis: Redis, count: int) -> list[str]:
    """Event ids in the order in which the slow group saw them, until nothing comes for a minute."""
    seen: list[str] = []
    empty = 0
    while len(seen) < count and empty < 600:
        answer: Any = await redis.xreadgroup("slow", "s", {EVENT_STREAM: ">"}, count=7, block=100)
        empty = 0 if answer else empty + 1
        for message_id, fields in answer[0][1] if answer else ():
            seen.append(fields["event_id"])
            # Between reading and acknowledging the trimming comes round more than once.
            await asyncio.sleep(0.002)
            await redis.xack(EVENT_STREAM, "slow", message_id)
    return seen


async def test_a_slow_group_sees_every_message_behind_a_fast_publisher(redis_client: Redis) -> None:
    await redis_client.xgroup_create(EVENT_STREAM, "slow", id="0", mkstream=True)
    async with running(redis_client, RunGatewayFake(), SETTINGS) as ingress:
        reading = asyncio.create_task(read_slowly(redis_client, EVENTS))
        published = [await publish(redis_client, new_event("UNHEARD", {"n": n})) for n in range(EVENTS)]
        await settled(redis_client, published[-1])
        await until(lambda: ingress.status.lag, lambda lag: lag == 0)
        ahead = await redis_client.xlen(EVENT_STREAM)
        assert await reading == published
        await until(lambda: redis_client.xlen(EVENT_STREAM), lambda length: length == 0)
    assert ahead > 0, "the slow group was not slow"
