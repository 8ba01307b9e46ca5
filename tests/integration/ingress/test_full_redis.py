"""A Redis without room refuses instead of forgetting: publishers are told, readiness tells, and it heals (G9, G11)."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import new_event, publish_workflow, running, settled, until
from tests.fixtures.servers import DURABLE, running_redis

from workflow_runtime.store.events import publish


async def test_a_full_redis_refuses_events_and_loses_none(tmp_path: Path) -> None:
    gateway = RunGatewayFake()
    with running_redis(tmp_path, *DURABLE, "--maxmemory-policy", "noeviction") as url:
        async with Redis.from_url(url, decode_responses=True) as redis:
            await publish_workflow(redis, "follow-up", "CLOSED")
            async with running(redis, gateway) as ingress:
                first = await publish(redis, new_event("CLOSED"))
                await settled(redis, first)
                await redis.config_set("maxmemory", "1kb")
                with pytest.raises(OutOfMemoryError):
                    await publish(redis, new_event("CLOSED"))
                _, complaint = await until(ingress.status.check, lambda answer: not answer[0])
                await redis.config_set("maxmemory", "0")
                second = await publish(redis, new_event("CLOSED"))
                await settled(redis, second)
                await until(ingress.status.check, lambda answer: answer[0])
    assert "used memory > 'maxmemory'" in complaint
    assert [start.event_id for start in gateway.started.values()] == [first, second]
