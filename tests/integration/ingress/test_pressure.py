"""However much lies in the stream: bounded work, ready queue and memory (G12); and draining."""

import asyncio
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis
from tests.fakes.run_gateway import RunGatewayFake
from tests.fixtures.ingress import PATIENCE_SECONDS, QUICK, TENANT, new_event, publish_workflow, running, settled, until
from tests.fixtures.nightly import FULL_LENGTH

from workflow_runtime.core.contract import EVENT_STREAM
from workflow_runtime.store.events import DeadLetters, EventLedger, ReadyQueue, publish
from workflow_runtime.store.events._keys import reader_key
from workflow_worker.ingress import RunStart, StartOutcome

BACKLOG = 100_000
ROUTED = BACKLOG if FULL_LENGTH else 3_000
MEGABYTE = 1024 * 1024
BOUNDED = QUICK.model_copy(update={"max_in_flight": 20, "max_ready": 50, "read_batch": 25, "grace_seconds": 3600.0})


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


async def fill_the_stream(redis: Redis) -> None:
    for start in range(0, BACKLOG, 1000):
        pipe = redis.pipeline(transaction=False)
        for number in range(start, start + 1000):
            fields = new_event("CLOSED", {"ticketId": str(number), "text": "x" * 200}).incoming().fields
            pipe.xadd(EVENT_STREAM, cast(Any, fields))
        await pipe.execute()


class CountingGateway(RunGatewayFake):
    """Starts runs and remembers only how many, so that what grows is the ingress's."""

    count = 0

    async def start_run(self, start: RunStart) -> StartOutcome:
        await self._meet_faults(start.run_id)
        self.count += 1
        return StartOutcome.STARTED


async def goes_on_to(gateway: CountingGateway, wanted: int) -> None:
    """Wait for that many starts as long as there are more of them."""
    while (seen := gateway.count) < wanted:
        goal = min(seen + 1000, wanted)
        await until(lambda: gateway.count, goal.__le__)


async def test_a_backlog_of_100000_events_is_worked_off_in_bounded_room(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    await fill_the_stream(redis_client)
    ready, seen = ReadyQueue(redis_client), {"under way": 0, "ready": 0}

    async def measure(_run_id: str) -> None:
        seen["under way"] = max(seen["under way"], ingress.status.in_flight)
        seen["ready"] = max(seen["ready"], await ready.length())

    gateway = CountingGateway(faults=[measure])
    before = resident_bytes()
    async with running(redis_client, gateway, BOUNDED) as ingress:
        await goes_on_to(gateway, ROUTED)
        grown = resident_bytes() - before
        await until(lambda: ingress.status.lag, lambda lag: lag > BACKLOG // 2 or FULL_LENGTH)
    assert 1 < seen["under way"] <= 30
    assert 1 < seen["ready"] <= 50 + 25
    assert grown < 64 * MEGABYTE, f"grew by {grown // MEGABYTE} MB"
    assert gateway.count == BACKLOG or await redis_client.xlen(EVENT_STREAM) > BACKLOG // 2


async def test_draining_finishes_what_is_under_way_and_reads_nothing_new(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    begun, release = asyncio.Event(), asyncio.Event()

    async def slow(_run_id: str) -> None:
        begun.set()
        await release.wait()

    gateway = RunGatewayFake(faults=[slow])
    async with running(redis_client, gateway):
        first = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.3, release.set)
    assert [start.event_id for start in gateway.started.values()] == [first]
    late = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
    assert await EventLedger(redis_client).read(TENANT, [late]) == []


async def test_what_is_not_finished_in_time_is_given_to_another_replica_at_once(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")
    begun = asyncio.Event()

    async def hangs(_run_id: str) -> None:
        begun.set()
        await asyncio.Event().wait()

    settings = QUICK.model_copy(update={"drain_seconds": 0.1, "lease_seconds": 3600.0, "grace_seconds": 3600.0})
    async with running(redis_client, RunGatewayFake(faults=[hangs]), settings, identity="first"):
        event_id = await publish(redis_client, new_event("CLOSED", {"ticketId": "T-1"}))
        await begun.wait()
    gateway = RunGatewayFake()
    async with running(redis_client, gateway, settings, identity="second"):
        await until(lambda: list(gateway.started.values()))
    assert [start.event_id for start in gateway.started.values()] == [event_id]


async def test_a_search_for_lost_starts_that_hangs_does_not_hold_up_the_end(redis_client: Redis) -> None:
    class Hanging(RunGatewayFake):
        async def recover_starts(self) -> int:
            self.recoveries += 1
            return await asyncio.Event().wait()

    settings = QUICK.model_copy(update={"drain_seconds": 0.1, "recovery_seconds": 0.05})
    async with asyncio.timeout(PATIENCE_SECONDS), running(redis_client, gateway := Hanging(), settings) as ingress:
        await until(lambda: gateway.recoveries)
    assert ingress.status.reading
    assert await redis_client.exists(reader_key(settings.consumer_group)) == 0, "another replica may read at once"


async def test_a_machine_too_busy_for_its_leases_is_not_taken_for_a_dead_one(redis_client: Redis) -> None:
    await publish_workflow(redis_client, "follow-up", "CLOSED")

    async def slow(_run_id: str) -> None:
        await asyncio.sleep(0.1)

    settings = QUICK.model_copy(update={"lease_seconds": 0.01, "grace_seconds": 0.01, "max_deliveries": 2})
    gateway = RunGatewayFake(faults=[slow])
    async with running(redis_client, gateway, settings):
        ids = [await publish(redis_client, new_event("CLOSED", {"ticketId": str(n)})) for n in range(100)]
        events = [await settled(redis_client, event_id) for event_id in ids]
    assert [[target.attempts for target in event.targets] for event in events] == [[1]] * len(ids)
    assert len(gateway.calls) == len(ids)
    assert await DeadLetters(redis_client).count() == 0
