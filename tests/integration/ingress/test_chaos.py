"""Workers, Redis and Temporal are killed at random while events pour in; afterwards all happened, once, in order.

``CHAOS_EVENTS`` and ``CHAOS_SEED``: see tests/fixtures/nightly.py.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.worker import Worker
from tests.fixtures.event_runs import CollectingRun, OneEventRun
from tests.fixtures.ingress import QUICK, new_event, publish_workflow, settled
from tests.fixtures.ingress_victim import Order, Victims
from tests.fixtures.killable_servers import KillableRedis, KillableTemporal, alive
from tests.fixtures.nightly import EVENTS, SEED

from workflow_runtime.core.contract import AUTHORED_QUEUE, run_workflow_id
from workflow_runtime.store.events import EventIntake, NewEvent, Wait, accept_event, publish
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress.planning import run_id_of

TENANTS = [f"tenant-{number}" for number in range(5)]
KEYS = [f"T-{number}" for number in range(8)]
SETTINGS = QUICK.model_copy(update={"lease_seconds": 1.0, "max_attempts": 1000, "max_deliveries": 1000})


@dataclass
class Scene:
    """Everything that can be killed, and what was published: event ids per tenant and key in the order of sending."""

    publishing: random.Random
    striking: random.Random
    redis_server: KillableRedis
    temporal_server: KillableTemporal
    redis: Redis
    client: Client
    workers: list[Victims]
    signalled: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    triggered: list[tuple[str, str]] = field(default_factory=list)

    def order(self) -> Order:
        settings = SETTINGS.model_dump(mode="json")
        return Order(self.redis_server.url, str(uuid.uuid4()), settings, temporal=self.temporal_server.address)

    async def lay_out(self) -> None:
        """In each tenant a workflow that one event starts, and a run per key that collects the other event."""
        for tenant in TENANTS:
            await publish_workflow(self.redis, "follow-up", "CREATED", tenant=tenant)
            for key in KEYS:
                run_id = collector(tenant, key)
                await self.client.start_workflow("CollectingRun", id=run_workflow_id(run_id), task_queue=AUTHORED_QUEUE)
                await WaitIndex(self.redis).register(Wait(tenant, run_id, "w", "CLOSED", key), since="wait")

    async def pour(self) -> None:
        """Send the events, most by the stream, some by the API, a third of them again and again."""
        intake, sent = EventIntake(self.redis), list[NewEvent]()
        for _ in range(EVENTS):
            tenant, key = self.publishing.choice(TENANTS), self.publishing.choice(KEYS)
            event = new_event(self.publishing.choice(["CREATED", "CLOSED"]), {"ticketId": key}, tenant=tenant)
            sent.append(event)
            if event.event_name == "CREATED":
                self.triggered.append((tenant, str(event.event_id)))
                if self.publishing.random() < 0.3:
                    await insist(partial(accept_event, self.redis, intake, event))
            else:
                self.signalled.setdefault((tenant, key), []).append(str(event.event_id))
            await insist(partial(publish, self.redis, event))
            if self.publishing.random() < 0.3:
                await insist(partial(publish, self.redis, self.publishing.choice(sent)))

    async def strike(self, poured: asyncio.Task[None]) -> None:
        """Kill something, wait a moment, start it again, until all is sent and everything was killed."""
        struck: set[object] = set()
        while not poured.done() or not struck >= {self.redis_server, self.temporal_server, *self.workers}:
            await asyncio.sleep(self.striking.uniform(0.1, 0.6))
            dice = self.striking.random()
            if dice < 0.6:
                worker = self.striking.choice(self.workers)
                struck.add(worker)
                worker.kill()
                worker.start(self.order())
                continue
            server = self.redis_server if dice < 0.85 else self.temporal_server
            struck.add(server)
            server.kill()
            await asyncio.sleep(self.striking.uniform(0, 0.3))
            await asyncio.to_thread(server.start)

    async def settle(self) -> None:
        """Wait until nothing is left to do."""
        for tenant, event_id in self.triggered:
            await settled(self.redis, event_id, tenant=tenant)
        for (tenant, _), event_ids in self.signalled.items():
            for event_id in event_ids:
                await settled(self.redis, event_id, tenant=tenant)


async def insist(call: Callable[[], Awaitable[object]]) -> None:
    """What a publisher does whose Redis is away: the same again, which at worst makes a duplicate."""
    while True:
        try:
            await call()
        except (RedisError, OSError):
            await asyncio.sleep(0.05)
        else:
            return


def collector(tenant: str, key: str) -> str:
    return f"collector-{tenant}-{key}"


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    with ExitStack() as stack:
        redis_server = stack.enter_context(alive(KillableRedis(directory / "redis")))
        temporal_server = stack.enter_context(alive(KillableTemporal(directory / "temporal")))
        workers = [stack.enter_context(Victims()) for _ in range(2)]
        client = await Client.connect(temporal_server.address, data_converter=pydantic_data_converter)
        async with (
            Redis.from_url(redis_server.url, decode_responses=True) as redis,
            Worker(client, task_queue=AUTHORED_QUEUE, workflows=[OneEventRun, CollectingRun]),
        ):
            # One each: what is sent must not depend on when something was killed.
            chances = random.Random(f"{SEED} publishing"), random.Random(f"{SEED} striking")
            yield Scene(*chances, redis_server, temporal_server, redis, client, workers)


async def test_nothing_is_lost_doubled_or_disordered_whatever_dies(tmp_path: Path) -> None:
    print(f"CHAOS_SEED={SEED}")  # noqa: T201
    async with scene(tmp_path) as chaos:
        await chaos.lay_out()
        for worker in chaos.workers:
            worker.start(chaos.order())
        poured = asyncio.create_task(chaos.pour())
        await chaos.strike(poured)
        await poured
        await chaos.settle()

        missing = []
        for tenant, event_id in chaos.triggered:
            handle = chaos.client.get_workflow_handle(run_workflow_id(run_id_of(tenant, event_id, "follow-up")))
            try:
                await handle.describe()
            except RPCError:
                missing.append(event_id)
        assert missing == [], f"events that started no run, seed {SEED}"
        started = chaos.client.count_workflows("WorkflowType = 'workflowRuntimeV2RunWorkflow'")
        assert (await started).count == len(chaos.triggered), f"runs that nobody asked for, seed {SEED}"
        for (tenant, key), sent in chaos.signalled.items():
            handle = chaos.client.get_workflow_handle(run_workflow_id(collector(tenant, key)))
            assert await handle.query("events") == sent, f"{tenant} {key}, seed {SEED}"
