"""The two servers, what stands in them, and replicas of the ingress as processes of their own. Benchmarks only."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.servers import DURABLE, running_redis, running_temporal

from workflow_runtime.core.contract import AUTHORED_QUEUE, EVENT_STREAM, RUN_WORKFLOW_TYPE, RunInput, run_workflow_id
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.events import NewEvent, Wait
from workflow_runtime.store.waits import WaitIndex

TENANT = "bench"
ROOT = Path(__file__).parents[2]


class Replica:
    """An ingress in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], identity: str) -> None:
        self.identity = identity
        self._process = process

    def resident_mib(self) -> float:
        """Its memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Drain, if it still lives."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=60)


@dataclass(frozen=True)
class Stand:
    """The servers' addresses and clients."""

    url: str
    address: str
    redis: Redis
    client: Client

    async def clear(self) -> None:
        """Nothing on the stream and nothing in the ledger; a workflow that each START event starts."""
        await self.redis.flushall()
        definition = {
            "id": "bench",
            "version": 1,
            "name": "bench",
            "payloadSchemaRef": "payload.Bench.v1",
            "trigger": {"type": "event", "eventName": "START"},
            "steps": [{"id": "end", "type": "control.return"}],
        }
        await Catalog(self.redis).publish(TENANT, "bench", 1, definition, action_queues={})

    async def fill(self, name: str, events: int) -> None:
        """Put events on the stream, each with a key of its own."""
        for first in range(0, events, 1000):
            pipe = self.redis.pipeline(transaction=False)
            for number in range(first, min(first + 1000, events)):
                pipe.xadd(EVENT_STREAM, cast(Any, new_event(name, number).incoming().fields))
            await pipe.execute()

    async def start_runs(self, runs: int) -> None:
        """Runs to be signalled."""
        for number in range(runs):
            await self.start(f"waits-{number}")

    async def open_waits(self, runs: int) -> None:
        """A wait per run."""
        index = WaitIndex(self.redis)
        for number in range(runs):
            await index.register(Wait(TENANT, f"waits-{number}", "w", "SIGNAL", str(number)), since="wait")

    async def start(self, run_id: str) -> None:
        """Start a run as the bare loop does."""
        given = RunInput(run_id=run_id, tenant_id=TENANT, workflow_id="bench", workflow_version=1)
        await self.client.start_workflow(
            RUN_WORKFLOW_TYPE, given, id=run_workflow_id(run_id), task_queue=AUTHORED_QUEUE
        )

    async def accepted(self) -> int:
        """How many events are in the ledger."""
        return await self.redis.zcard(f"wf:{{{TENANT}}}:events:log")

    async def unsettled(self) -> set[str]:
        """The events in the ledger that are not settled."""
        return set(cast(list[str], await self.redis.zrange(f"wf:{{{TENANT}}}:events:open", 0, -1)))

    async def settled(self) -> int:
        """How many events are settled."""
        accepted = await self.accepted()
        return accepted - await self.redis.zcard(f"wf:{{{TENANT}}}:events:open")

    async def until_settled(self, events: int) -> None:
        """Return when so many events are settled."""
        while await self.settled() < events:  # noqa: ASYNC110 - nor has a count in Redis
            await asyncio.sleep(0.005)

    @asynccontextmanager
    async def replicas(self, count: int) -> AsyncIterator[list[Replica]]:
        """Replicas at work, each ready; ended with the block."""
        started: list[Replica] = []
        try:
            for number in range(count):
                started.append(await asyncio.to_thread(self._launch, f"replica-{number}"))
            yield started
        finally:
            for replica in started:
                await asyncio.to_thread(replica.end)

    def _launch(self, identity: str) -> Replica:
        command = [sys.executable, "-m", "benchmarks.ingress.replica", self.url, self.address, identity]
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n", f"{identity} did not start"
        return Replica(process, identity)


def new_event(name: str, number: int) -> NewEvent:
    """An event with a key of its own and a payload of about 200 bytes."""
    return NewEvent(tenant=TENANT, event_name=name, payload={"text": "x" * 200}, correlation_key=str(number))


@asynccontextmanager
async def running_stand() -> AsyncIterator[Stand]:
    """Redis as the generated compose file sets it up and a Temporal development server, while the block runs."""
    with tempfile.TemporaryDirectory() as scratch:
        places = [Path(scratch) / name for name in ("redis", "temporal")]
        for place in places:
            place.mkdir()
        with running_redis(places[0], *DURABLE) as url, running_temporal(places[1]) as address:
            client = await Client.connect(address, data_converter=pydantic_data_converter)
            async with Redis.from_url(url, decode_responses=True) as redis:
                yield Stand(url, address, redis, client)
