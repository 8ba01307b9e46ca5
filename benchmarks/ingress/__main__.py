"""Measures event delivery: ``python3 -m benchmarks.ingress [EVENTS]``. Needs redis-server and temporal on PATH.

Each figure of the ingress stands beside the bare loop on the same two servers in the same run: XREADGROUP, then
start_workflow or signal, then XACK, as many at once, without ledger, deduplication, order and retries. No workflow
worker runs, so that delivery alone is measured.
"""

import asyncio
import logging
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import structlog
from devtools.console import table
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from tests.fixtures.servers import DURABLE, running_redis, running_temporal

from workflow_runtime.core.contract import (
    AUTHORED_QUEUE,
    EVENT_STREAM,
    RUN_WORKFLOW_TYPE,
    SIGNAL_EVENT,
    EventSignal,
    RunInput,
    run_workflow_id,
)
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.events import NewEvent, Wait, publish
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.ingress import IngressSettings, build_ingress

TENANT, GROUP = "bench", "bare"
SETTINGS = IngressSettings()

type Deliver = Callable[[dict[str, str]], Awaitable[object]]


@dataclass(frozen=True)
class Figure:
    """Events per second of wall time, and this process's milliseconds of processor time per event."""

    per_second: float
    cpu_ms: float


class Bench:
    """The two servers' clients and how many events a measurement takes."""

    def __init__(self, redis: Redis, client: Client, events: int) -> None:
        self.redis = redis
        self.client = client
        self.events = events

    async def fill(self, name: str) -> None:
        """Put the events on the stream, each with a key of its own."""
        pipe = self.redis.pipeline(transaction=False)
        for number in range(self.events):
            pipe.xadd(EVENT_STREAM, cast(Any, _event(name, number).incoming().fields))
        await pipe.execute()

    async def start_runs(self) -> None:
        """A run per key, to be signalled."""
        for number in range(self.events):
            await self._start(f"waits-{number}")

    async def open_waits(self) -> None:
        """A wait per run."""
        for number in range(self.events):
            wait = Wait(TENANT, f"waits-{number}", "w", "SIGNAL", str(number))
            await WaitIndex(self.redis).register(wait, since="wait")

    async def bare_start(self, _fields: dict[str, str]) -> None:
        await self._start(str(uuid.uuid4()))

    async def bare_signal(self, fields: dict[str, str]) -> None:
        handle = self.client.get_workflow_handle(run_workflow_id(f"waits-{fields['workflow_correlation_key']}"))
        await handle.signal(SIGNAL_EVENT, EventSignal(event_id=fields["event_id"], event_name="SIGNAL"))

    async def _start(self, run_id: str) -> None:
        given = RunInput(run_id=run_id, tenant_id=TENANT, workflow_id="bench", workflow_version=1)
        await self.client.start_workflow(
            RUN_WORKFLOW_TYPE, given, id=run_workflow_id(run_id), task_queue=AUTHORED_QUEUE
        )

    async def bare(self, deliver: Deliver) -> Figure:
        """The loop that promises nothing."""
        await self.redis.xgroup_create(EVENT_STREAM, GROUP, id="0", mkstream=True)
        places, left = asyncio.Semaphore(SETTINGS.max_in_flight), self.events

        async def handle(message_id: str, fields: dict[str, str]) -> None:
            await deliver(fields)
            await self.redis.xack(EVENT_STREAM, GROUP, message_id)
            places.release()

        with _Watch(self.events) as watch:
            async with asyncio.TaskGroup() as tasks:
                while left:
                    read: Any = await self.redis.xreadgroup(GROUP, "c", {EVENT_STREAM: ">"}, count=SETTINGS.read_batch)
                    for message_id, fields in _messages(read):
                        await places.acquire()
                        tasks.create_task(handle(message_id, fields))
                        left -= 1
        return watch.figure

    async def ingress(self) -> Figure:
        """Until every event is settled."""
        with _Watch(self.events) as watch:
            async with self.running() as settled:
                while settled() < self.events:  # noqa: ASYNC110 - a counter has no event
                    await asyncio.sleep(0.01)
                watch.stop()
        return watch.figure

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Callable[[], float]]:
        """An ingress at work; answers how many events it has settled."""
        registry, stop = CollectorRegistry(), asyncio.Event()
        ingress = build_ingress(self.redis, self.client, SETTINGS, identity=str(uuid.uuid4()), registry=registry)
        working = asyncio.create_task(ingress.run(stop))
        try:
            yield lambda: registry.get_sample_value("workflow_ingress_routed_total", {"status": "DONE"}) or 0.0
        finally:
            stop.set()
            await working

    async def latencies(self, per_second: float) -> list[float]:
        """Milliseconds from XADD to the settled event, at a steady rate."""
        found: list[float] = []

        async def one(number: int) -> None:
            begun = time.perf_counter()
            event_id = await publish(self.redis, _event("START", number))
            key = f"wf:{{{TENANT}}}:event:{event_id}"
            while await cast(Any, self.redis.hget(key, "status")) != "DONE":  # noqa: ASYNC110 - nor has a key of Redis
                await asyncio.sleep(0.002)
            found.append((time.perf_counter() - begun) * 1000)

        async with self.running(), asyncio.TaskGroup() as tasks:
            for number in range(min(self.events, 500)):
                tasks.create_task(one(number))
                await asyncio.sleep(1 / per_second)
        return found


class _Watch:
    def __init__(self, events: int) -> None:
        self._events = events
        self._figure: Figure | None = None

    def __enter__(self) -> "_Watch":
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self._figure = self._figure or Figure(self._events / wall, cpu * 1000 / self._events)

    @property
    def figure(self) -> Figure:
        assert self._figure is not None
        return self._figure


def _event(name: str, number: int) -> NewEvent:
    return NewEvent(tenant=TENANT, event_name=name, payload={"text": "x" * 200}, correlation_key=str(number))


def _messages(read: Any) -> list[tuple[str, dict[str, str]]]:
    # The answer's shape depends on the protocol version the client agreed on.
    streams = list(read.values()) if isinstance(read, dict) else [entry[1] for entry in read]
    messages = streams[0] if streams else []
    return messages[0] if messages and isinstance(messages[0], list) else messages


async def measure(bench: Bench) -> list[list[str]]:
    """Rows: what, the ingress, the bare loop, their ratio."""
    rows = []
    for name, deliver in (("START", bench.bare_start), ("SIGNAL", bench.bare_signal)):
        await bench.redis.flushall()
        if name == "SIGNAL":
            await bench.start_runs()
        await bench.fill(name)
        bare = await bench.bare(deliver)
        await bench.redis.flushall()
        if name == "SIGNAL":
            await bench.open_waits()
        else:
            await publish_workflow(bench.redis)
        await bench.fill(name)
        ours = await bench.ingress()
        rows.append([f"{name}: events/s", f"{ours.per_second:.0f}", f"{bare.per_second:.0f}"])
        rows[-1].append(f"{ours.per_second / bare.per_second:.2f}")
        rows.append([f"{name}: processor ms/event", f"{ours.cpu_ms:.2f}", f"{bare.cpu_ms:.2f}"])
        rows[-1].append(f"{ours.cpu_ms / bare.cpu_ms:.2f}")
        if name == "START":
            half = ours.per_second / 2
    await bench.redis.flushall()
    await publish_workflow(bench.redis)
    cuts = statistics.quantiles(await bench.latencies(half), n=100)
    rows.append([f"latency at {half:.0f} events/s, p50 / p99", f"{cuts[49]:.0f} / {cuts[98]:.0f} ms", "", ""])
    return rows


async def publish_workflow(redis: Redis) -> None:
    """A workflow that each START event starts."""
    definition = {
        "id": "bench",
        "version": 1,
        "name": "bench",
        "payloadSchemaRef": "payload.Bench.v1",
        "trigger": {"type": "event", "eventName": "START"},
        "steps": [{"id": "end", "type": "control.return"}],
    }
    await Catalog(redis).publish(TENANT, "bench", 1, definition, action_queues={})


async def main(events: int) -> None:
    """Start the servers, measure, print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as scratch:
        places = [Path(scratch) / name for name in ("redis", "temporal")]
        for place in places:
            place.mkdir()
        with running_redis(places[0], *DURABLE) as url, running_temporal(places[1]) as address:
            client = await Client.connect(address, data_converter=pydantic_data_converter)
            async with Redis.from_url(url, decode_responses=True) as redis:
                rows = await measure(Bench(redis, client, events))
    print(table([f"{events} EVENTS", "INGRESS", "BARE LOOP", "RATIO"], rows))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
