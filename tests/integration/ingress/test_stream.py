"""Reading the stream: nothing unread is trimmed, dead readers are taken over, faults heal (G7, G9, G10, G11)."""

import asyncio
import itertools
import uuid
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import QUICK, TENANT, new_event, publish_workflow, running, settled, until
from tests.fixtures.killable_servers import KillableRedis, alive

from workflow_runtime.core.contract import EVENT_CONSUMER_GROUP, EVENT_STREAM
from workflow_runtime.store.events import EventStream, Message, ReadState, parse_pairs, publish

pytestmark = pytest.mark.also_on_valkey


def stream_of(redis: Redis, consumer: str, *, lease_seconds: float = 0.05, max_ready: int = 1000) -> EventStream:
    return EventStream(
        redis, group=EVENT_CONSUMER_GROUP, consumer=consumer, lease_seconds=lease_seconds, max_ready=max_ready
    )


async def publish_many(redis: Redis, count: int) -> list[str]:
    return [await publish(redis, new_event("CLOSED", {"ticketId": str(n)})) for n in range(count)]


def ids_of(messages: tuple[Message, ...]) -> list[str]:
    return [parse_pairs(message.pairs).event_id for message in messages]


async def take_the_lease(stream: EventStream) -> None:
    """Become the reader, as after the death of the last one."""
    result = await until(lambda: stream.read(1), lambda result: result.state is not ReadState.STANDBY)
    assert result.state is ReadState.RECOVER


async def test_only_one_replica_reads_at_a_time(redis_client: Redis) -> None:
    await publish_many(redis_client, 2)
    first, second = stream_of(redis_client, "a", lease_seconds=60), stream_of(redis_client, "b", lease_seconds=60)
    await first.ensure_group()
    await take_the_lease(first)
    assert (await first.read(1)).state is ReadState.MESSAGES
    standby = await second.read(1)
    assert standby.state is ReadState.STANDBY
    assert 0 < standby.retry_seconds <= 60
    await first.leave()
    assert (await second.read(1)).state is ReadState.RECOVER


async def test_a_reader_gets_nothing_new_while_something_is_pending(redis_client: Redis) -> None:
    """An answer that was lost on its way must not be overtaken by the next batch."""
    await publish_many(redis_client, 4)
    stream = stream_of(redis_client, "a", lease_seconds=60)
    await stream.ensure_group()
    await take_the_lease(stream)
    lost = await stream.read(2)
    assert (await stream.read(2)).state is ReadState.RECOVER
    assert await stream.pending(9) == [message.id for message in lost.messages]
    await stream.acknowledge(lost.messages, [])
    assert (await stream.read(9)).state is ReadState.MESSAGES


async def test_a_hundred_dead_consumers_are_taken_over_in_order_and_removed(redis_client: Redis) -> None:
    published = await publish_many(redis_client, 150)
    handled: list[str] = []
    for number in range(100):
        stream = stream_of(redis_client, f"dies-{number}")
        await stream.ensure_group()
        await take_the_lease(stream)
        for message_id in await stream.pending(1000):
            message = await stream.reclaim(message_id, max_deliveries=1000)
            if number % 3 == 0 and isinstance(message, Message):
                handled += ids_of((message,))
                await stream.acknowledge([message], [])
        await stream.read(1 + number % 3)
    last = stream_of(redis_client, "lives", lease_seconds=60)
    await take_the_lease(last)
    while message_ids := await last.pending(7):
        for message_id in message_ids:
            message = await last.reclaim(message_id, max_deliveries=1000)
            assert isinstance(message, Message)
            handled += ids_of((message,))
            await last.acknowledge([message], [])
    while (result := await last.read(50)).state is ReadState.MESSAGES:
        handled += ids_of(result.messages)
        await last.acknowledge(result.messages, [])
    assert handled == published
    _, removed = await last.trim(dead_after_seconds=0)
    consumers = await redis_client.xinfo_consumers(EVENT_STREAM, EVENT_CONSUMER_GROUP)
    assert [consumer["name"] for consumer in consumers] == ["lives"]
    assert removed > 0


async def test_a_slow_reader_that_keeps_its_lease_is_not_stolen_from(redis_client: Redis) -> None:
    await publish_many(redis_client, 3)
    slow, other = stream_of(redis_client, "slow", lease_seconds=60), stream_of(redis_client, "other", lease_seconds=60)
    await slow.ensure_group()
    await take_the_lease(slow)
    result = await slow.read(3)
    for message in result.messages:
        assert await other.reclaim(message.id, max_deliveries=1000) is ReadState.STANDBY
    await slow.acknowledge(result.messages, [])
    assert (await slow.lag()).pending == 0


async def test_a_message_is_trimmed_only_when_every_group_has_acknowledged_it(redis_client: Redis) -> None:
    await publish_many(redis_client, 10)
    stream = stream_of(redis_client, "a", lease_seconds=60)
    await stream.ensure_group()
    await redis_client.xgroup_create(EVENT_STREAM, "slow", id="0")
    await take_the_lease(stream)
    batch = await stream.read(6)
    assert (await stream.trim(dead_after_seconds=60))[0] == 0
    await stream.acknowledge(batch.messages, [])
    assert (await stream.trim(dead_after_seconds=60))[0] == 0, "the slow group has read nothing"
    read: Any = await redis_client.xreadgroup("slow", "s", {EVENT_STREAM: ">"}, count=4)
    assert (await stream.trim(dead_after_seconds=60))[0] == 0, "the slow group has acknowledged nothing"
    slow_ids = [message.id for message in batch.messages[:4]]
    assert read
    await redis_client.xack(EVENT_STREAM, "slow", *slow_ids[:2])
    assert (await stream.trim(dead_after_seconds=60))[0] == 2
    left = await redis_client.xrange(EVENT_STREAM)
    assert left is not None
    assert len(left) == 8
    assert (await stream.lag()).unread == 4


async def test_reading_pauses_while_routing_is_behind(redis_client: Redis) -> None:
    await publish_many(redis_client, 5)
    stream = stream_of(redis_client, "a", lease_seconds=60, max_ready=2)
    await stream.ensure_group()
    await take_the_lease(stream)
    result = await stream.read(2)
    await stream.acknowledge(result.messages, [(TENANT, event_id) for event_id in ids_of(result.messages)])
    assert (await stream.read(2)).state is ReadState.FULL


async def test_a_batch_ends_when_it_is_large_enough_in_bytes(redis_client: Redis) -> None:
    for _ in range(20):
        await publish(redis_client, new_event("CLOSED", {"text": "x" * 1_000_000}))
    stream = stream_of(redis_client, "a", lease_seconds=60)
    await stream.ensure_group()
    await take_the_lease(stream)
    assert len((await stream.read(1000)).messages) == 9


async def test_the_ingress_survives_a_killed_redis_and_readiness_tells(tmp_path: Path) -> None:
    gateway = RunGatewayFake()
    with alive(KillableRedis(tmp_path)) as server:
        before, after, unready = await live_through_a_kill(server, gateway)
    assert "Redis" in unready[1]
    assert [start.event_id for start in gateway.started.values()] == [before, after]


async def live_through_a_kill(server: KillableRedis, gateway: RunGatewayFake) -> tuple[str, str, tuple[bool, str]]:
    async with Redis.from_url(server.url, decode_responses=True) as redis:
        await publish_workflow(redis, "follow-up", "CLOSED")
        async with running(redis, gateway) as ingress:
            before = await publish(redis, new_event("CLOSED", {"ticketId": "T-1"}))
            await settled(redis, before)
            server.kill()
            unready = await until(ingress.status.check, lambda answer: not answer[0])
            server.start()
            await until(ingress.status.check, lambda answer: answer[0])
            after = await publish(redis, new_event("CLOSED", {"ticketId": "T-1"}))
            await settled(redis, after)
    return before, after, unready


async def test_the_ingress_survives_a_flush_in_the_middle(redis_client: Redis) -> None:
    gateway = RunGatewayFake()
    async with running(redis_client, gateway) as ingress:
        for _ in range(3):
            await publish_workflow(redis_client, "follow-up", "CLOSED")
            event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
            await settled(redis_client, event_id)
            await redis_client.flushall()
        await until(lambda: redis_client.exists(EVENT_STREAM), lambda found: found == 1)
        await until(ingress.status.check, lambda answer: answer[0])
    assert len(gateway.started) == 3


async def test_a_group_that_is_lost_is_created_again_and_old_events_are_recognised(redis_client: Redis) -> None:
    gateway = RunGatewayFake()
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    settings = QUICK.model_copy(update={"maintenance_seconds": 3600.0})
    async with running(redis_client, gateway, settings):
        first = await publish(redis_client, new_event("CLOSED"))
        await settled(redis_client, first)
        await redis_client.xgroup_destroy(EVENT_STREAM, EVENT_CONSUMER_GROUP)
        second = await publish(redis_client, new_event("CLOSED"))
        await settled(redis_client, second)
    assert [start.event_id for start in gateway.started.values()] == [first, second]
    assert len(gateway.calls) == 2


async def test_a_loop_that_hangs_makes_the_ingress_unready(
    redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, release = asyncio.Event(), asyncio.Event()
    read = EventStream.read

    async def freezing(self: EventStream, count: int) -> Any:
        if frozen.is_set():
            await release.wait()
        return await read(self, count)

    monkeypatch.setattr(EventStream, "read", freezing)
    settings = QUICK.model_copy(update={"max_heartbeat_age_seconds": 2.0})
    async with running(redis_client, RunGatewayFake(), settings) as ingress:
        await until(ingress.status.check, lambda answer: answer[0])
        try:
            frozen.set()
            answer = await until(ingress.status.check, lambda answer: not answer[0])
        finally:
            frozen.clear()
            release.set()
        await until(ingress.status.check, lambda answer: answer[0])
    assert answer[1].startswith("the reader loop has not come round for")


async def test_lag_and_backlog_are_told(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")

    async def away(run_id: str) -> None:
        raise ConnectionError("Temporal is away")

    settings = QUICK.model_copy(update={"max_attempts": 10_000, "max_lag": 3})
    await publish_many(redis_client, 5)
    async with running(redis_client, RunGatewayFake(faults=[away]), settings) as ingress:
        await until(lambda: ingress.status.backlog, lambda backlog: backlog == 5)
        await until(lambda: ingress.status.lag, lambda lag: lag == 0)
        assert ingress.status.reading
    idle = stream_of(redis_client, "idle")
    await publish_many(redis_client, 5)
    assert (await idle.lag()).unread == 5


async def test_replicas_that_share_host_and_process_number_are_two(redis_client: Redis) -> None:
    gateway = RunGatewayFake()
    async with running(redis_client, gateway, identity="worker@node:1") as first:
        await until(lambda: first.status.reading)
        async with running(redis_client, gateway, identity="worker@node:1") as second:
            await until(lambda: second.status.group_found)
            assert not second.status.reading
            assert first.status.reading


async def test_an_unbroken_sequence_of_readers_keeps_the_order_of_the_stream(redis_client: Redis) -> None:
    """Reader after reader is stopped in the middle; what is accepted stands in the order of the stream."""
    gateway, numbers = RunGatewayFake(), itertools.count()
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    published = [await publish(redis_client, new_event("CLOSED", {"ticketId": "one"})) for _ in range(60)]
    while len(gateway.started) < len(published):
        identity = f"reader-{next(numbers)}-{uuid.uuid4()}"
        settings = QUICK.model_copy(update={"read_batch": 7, "max_ready": 3, "drain_seconds": 0.0})
        target = min(len(gateway.started) + 5, len(published))
        async with running(redis_client, gateway, settings, identity=identity):
            await until(lambda: len(gateway.started), target.__le__)
    assert [start.event_id for start in gateway.started.values()] == published
