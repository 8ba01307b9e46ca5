"""The two sides of the comparison: an ingress in this process, and the bare loop. Benchmarks only."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from benchmarks.ingress.stand import Stand
from workflow_runtime.core.contract import EVENT_STREAM, SIGNAL_EVENT, EventSignal, run_workflow_id
from workflow_worker.ingress import Ingress, IngressSettings, RunGateway, RunStart, StartOutcome
from workflow_worker.ingress.temporal_gateway import TemporalRunGateway

SETTINGS = IngressSettings()
GROUP = "bare"

type Deliver = Callable[[Stand, dict[str, str]], Awaitable[object]]


@dataclass
class Delivered:
    """When each event had its effect, by event id; ``cpu`` is this process's processor time at the last of them."""

    at: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)
    cpu_begun: float = field(default_factory=time.process_time)
    cpu: float = 0.0

    def note(self, event_id: str) -> None:
        """The effect is there."""
        self.at[event_id] = time.perf_counter()
        self.cpu = time.process_time()

    async def until(self, events: int) -> None:
        """Return when so many events had their effect."""
        while len(self.at) < events:  # noqa: ASYNC110 - a dictionary has no event
            await asyncio.sleep(0.005)

    def per_second(self) -> float:
        """Events per second of wall time."""
        return len(self.at) / (max(self.at.values()) - self.begun)

    def cpu_ms(self) -> float:
        """Milliseconds of processor time per event."""
        return (self.cpu - self.cpu_begun) * 1000 / len(self.at)


class NotingGateway(RunGateway):
    """The real gateway, and a note of each effect."""

    def __init__(self, gateway: RunGateway, delivered: Delivered) -> None:
        self._gateway = gateway
        self._delivered = delivered

    async def start_run(self, start: RunStart) -> StartOutcome:
        outcome = await self._gateway.start_run(start)
        self._delivered.note(start.event_id)
        return outcome

    async def recover_starts(self) -> int:
        return await self._gateway.recover_starts()

    async def signal_run(self, tenant_id: str, run_id: str, signal: EventSignal) -> bool:
        found = await self._gateway.signal_run(tenant_id, run_id, signal)
        self._delivered.note(signal.event_id)
        return found


@asynccontextmanager
async def ingress(stand: Stand) -> AsyncIterator[Delivered]:
    """An ingress at work in this process."""
    delivered, stop = Delivered(), asyncio.Event()
    gateway = NotingGateway(TemporalRunGateway(stand.client, stand.redis), delivered)
    identity, registry = str(uuid.uuid4()), CollectorRegistry()
    working = asyncio.create_task(
        Ingress(stand.redis, gateway, SETTINGS, identity=identity, registry=registry).run(stop)
    )
    try:
        yield delivered
    finally:
        stop.set()
        await working


@asynccontextmanager
async def bare_loop(stand: Stand, deliver: Deliver) -> AsyncIterator[Delivered]:
    """The loop that promises nothing, at work in this process."""
    await stand.redis.xgroup_create(EVENT_STREAM, GROUP, id="0", mkstream=True)
    delivered = Delivered()
    working = asyncio.create_task(_loop(stand, deliver, delivered))
    try:
        yield delivered
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def _loop(stand: Stand, deliver: Deliver, delivered: Delivered) -> None:
    places = asyncio.Semaphore(SETTINGS.max_in_flight)

    async def handle(message_id: str, fields: dict[str, str]) -> None:
        await deliver(stand, fields)
        delivered.note(fields["event_id"])
        await stand.redis.xack(EVENT_STREAM, GROUP, message_id)
        places.release()

    async with asyncio.TaskGroup() as tasks:
        while True:
            read: Any = await stand.redis.xreadgroup(
                GROUP, "c", {EVENT_STREAM: ">"}, count=SETTINGS.read_batch, block=1000
            )
            for message_id, fields in _messages(read):
                await places.acquire()
                tasks.create_task(handle(message_id, fields))


def _messages(read: Any) -> list[tuple[str, dict[str, str]]]:
    # The answer's shape depends on the protocol version the client agreed on.
    streams = list(read.values()) if isinstance(read, dict) else [entry[1] for entry in read or ()]
    messages = streams[0] if streams else []
    return messages[0] if messages and isinstance(messages[0], list) else messages


async def bare_start(stand: Stand, _fields: dict[str, str]) -> None:
    """Start a run per message."""
    await stand.start(str(uuid.uuid4()))


async def bare_signal(stand: Stand, fields: dict[str, str]) -> None:
    """Signal the run that waits for the message's key."""
    handle = stand.client.get_workflow_handle(run_workflow_id(f"waits-{fields['workflow_correlation_key']}"))
    await handle.signal(SIGNAL_EVENT, EventSignal(event_id=fields["event_id"], event_name="SIGNAL"))
