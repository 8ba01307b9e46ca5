"""Whole workers, Redis and Temporal are killed while authored runs go through actions and waits (G1, G2).

Each ticket is two events, one that starts a run and one it waits for, and two increments of a counter: what is lost or
happens twice shows in the counters. ``CHAOS_EVENTS`` and ``CHAOS_SEED``: see tests/fixtures/nightly.py.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from tests.fixtures.ingress import new_event
from tests.fixtures.killable_servers import KillableRedis, KillableTemporal, alive
from tests.fixtures.nightly import EVENTS, SEED
from tests.fixtures.ports import free_port
from tests.fixtures.processes import ServiceProcess
from tests.integration.ingress.test_chaos import insist

from workflow_runtime.core.contract import AUTHORED_QUEUE
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.events import publish
from workflow_runtime.store.key_values import KeyValues
from workflow_runtime.store.runs import Runs

TENANTS = ["acme", "globex"]
GROUPS = [f"group-{number}" for number in range(4)]
TICKETS = EVENTS // 10
STRIKES = max(12, TICKETS // 10)
STILL_SECONDS = 120


def tally(step_id: str, counter: str) -> dict[str, Any]:
    key = {"$expr": f'"{counter}-" & payload.group'}
    config = {"actionId": "store.increment", "version": 1, "inputMapping": {"namespace": "tally", "key": key}}
    return {"id": step_id, "type": "action.call", "config": config}


WORKFLOW = {
    "id": "follow-up",
    "version": 1,
    "name": "Follow-up",
    "payloadSchemaRef": "payload.Ticket.v1",
    "trigger": {"type": "event", "eventName": "CREATED"},
    "steps": [
        tally("count-created", "created"),
        {
            "id": "closed",
            "type": "event.wait",
            "config": {"eventName": "CLOSED", "correlationKey": {"$expr": "payload.ticketId"}},
        },
        tally("count-closed", "closed"),
    ],
}


class Replica:
    """A workflow-worker that is started again whenever it was killed."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._environment = environment
        self._lives = itertools.count(1)
        self._process: ServiceProcess | None = None

    def start(self) -> None:
        log = self._directory / f"life-{next(self._lives)}.log"
        self._process = ServiceProcess("workflow_worker", free_port(), log, self._environment)

    def kill(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()


@dataclass
class Scene:
    """Everything that can be killed, and how many tickets each tenant and group had."""

    publishing: random.Random
    striking: random.Random
    redis_server: KillableRedis
    temporal_server: KillableTemporal
    redis: Redis
    replicas: list[Replica]
    tickets: Counter[tuple[str, str]] = field(default_factory=Counter)

    async def pour(self) -> None:
        """Send both events of every ticket, the second often before its run waits for it, many of them twice."""
        for number in range(TICKETS):
            tenant, group = self.publishing.choice(TENANTS), self.publishing.choice(GROUPS)
            payload = {"ticketId": f"T-{number}", "group": group}
            self.tickets[tenant, group] += 1
            for name in ("CREATED", "CLOSED"):
                event = new_event(name, payload, tenant=tenant)
                for _ in range(self.publishing.choice((1, 1, 2))):
                    await insist(partial(publish, self.redis, event))
            await asyncio.sleep(0.02)

    async def strike(self) -> None:
        """Kill something, wait a moment, start it again."""
        strikes = ["worker", "worker", "redis", "temporal"] * (STRIKES // 4)
        for victim in self.striking.sample(strikes, len(strikes)):
            await asyncio.sleep(self.striking.uniform(0.2, 1.5))
            match victim:
                case "worker":
                    replica = self.striking.choice(self.replicas)
                    await asyncio.to_thread(replica.kill)
                    replica.start()
                case "redis":
                    await restarted(self.redis_server, self.striking)
                case "temporal":
                    await restarted(self.temporal_server, self.striking)

    async def settle(self) -> Counter[str]:
        """Wait until no run is open any more, as long as something goes on; answers how the runs ended."""
        seen, still = Counter[str](), 0.0
        while True:
            found = await self.statuses()
            if found["RUNNING"] + found["WAITING"] == 0 and found.total() == TICKETS:
                return found
            still = 0.0 if found != seen else still + 0.1
            assert still < STILL_SECONDS, f"nothing goes on: {dict(found)} of {TICKETS}, CHAOS_SEED={SEED}"
            seen = found
            await asyncio.sleep(0.1)

    async def faults(self) -> list[Any]:
        """What failed runs failed with."""
        pages = [await Runs(self.redis).list_runs(tenant, status="FAILED") for tenant in TENANTS]
        return [run.error for page in pages for run in page.runs]

    async def statuses(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for tenant in TENANTS:
            try:
                found.update(await Runs(self.redis).count_by_status(tenant))
            except RedisError:
                # A pooled connection to a server that was killed.
                return Counter()
        return found


async def restarted(server: KillableRedis | KillableTemporal, chance: random.Random) -> None:
    server.kill()
    await asyncio.sleep(chance.uniform(0, 0.5))
    await asyncio.to_thread(server.start)


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    with ExitStack() as stack:
        redis_server = stack.enter_context(alive(KillableRedis(directory / "redis")))
        temporal_server = stack.enter_context(alive(KillableTemporal(directory / "temporal")))
        environment = {"TEMPORAL_ADDRESS": temporal_server.address, "REDIS_URL": redis_server.url}
        replicas = []
        for name in ("first", "second"):
            (directory / name).mkdir()
            replicas.append(Replica(directory / name, environment))
            stack.callback(replicas[-1].kill)
        async with Redis.from_url(redis_server.url, decode_responses=True) as redis:
            # One each: what is sent must not depend on when something was killed.
            chances = random.Random(f"{SEED} publishing"), random.Random(f"{SEED} striking")
            yield Scene(*chances, redis_server, temporal_server, redis, replicas)


async def test_no_run_is_lost_and_no_side_effect_doubled_whatever_dies(tmp_path: Path) -> None:
    async with scene(tmp_path) as chaos:
        for tenant in TENANTS:
            await Catalog(chaos.redis).publish(
                tenant, "follow-up", 1, WORKFLOW, action_queues={"store.increment@1": AUTHORED_QUEUE}
            )
        for replica in chaos.replicas:
            replica.start()
        await asyncio.gather(chaos.pour(), chaos.strike())
        ended = await chaos.settle()
        assert ended["SUCCEEDED"] == TICKETS, f"{dict(ended)}: {await chaos.faults()}, CHAOS_SEED={SEED}"

        values = KeyValues(chaos.redis)
        for (tenant, group), tickets in chaos.tickets.items():
            for counter in ("created", "closed"):
                found = await values.get(tenant, "tally", f"{counter}-{group}")
                assert found is not None
                assert found.value == tickets, f"{tenant} {counter} {group}, CHAOS_SEED={SEED}"
