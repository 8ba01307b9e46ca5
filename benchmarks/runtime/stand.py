"""The servers and worker processes of a measurement, and what the system says about them. Host process only."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from tests.fixtures.ports import free_port
from tests.fixtures.processes import SOURCES, ServiceProcess, service_process
from tests.fixtures.servers import DURABLE, running_redis, running_temporal

from benchmarks.runtime.sides import Authored, Handwritten, Side
from workflow_runtime.service.large_payloads import data_converter

START_SECONDS: Final = 60
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Worker:
    """One worker process."""

    def __init__(self, process: ServiceProcess) -> None:
        self._files = Path(f"/proc/{process.pid}")

    @property
    def cpu_seconds(self) -> float:
        """Processor time it has used: all threads, user and system."""
        fields = (self._files / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def resident_mb(self) -> float:
        """Memory it occupies now."""
        lines = (self._files / "status").read_text().splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmRSS:"))
        return int(kilobytes) / 1024


@dataclass(frozen=True)
class Stand:
    """Both sides, on one Temporal server and one Redis which syncs every write to the disk."""

    authored: Authored
    handwritten: Handwritten
    environment: dict[str, str]
    directory: Path

    @property
    def sides(self) -> tuple[Side, Side]:
        """In the order of the table's columns."""
        return self.authored, self.handwritten

    @asynccontextmanager
    async def workers(self, side: Side, count: int = 1, **settings: str) -> AsyncIterator[list[Worker]]:
        """Worker processes of one side, with ``settings``, while the body runs, seen polling by the server."""
        with ExitStack() as stack:
            processes = [stack.enter_context(self._process(side, settings)) for _ in range(count)]
            await _until_all_poll(side, processes)
            yield [Worker(process) for process in processes]
            for process in processes:
                process.signal(signal.SIGTERM)
            for process in processes:
                process.wait()

    def _process(self, side: Side, settings: dict[str, str]) -> AbstractContextManager[ServiceProcess]:
        return service_process(side.module, free_port(), self.directory, **self.environment, **settings)


@asynccontextmanager
async def running_stand() -> AsyncIterator[Stand]:
    """Fresh servers with the measured workflows published."""
    with tempfile.TemporaryDirectory() as scratch:
        places = [Path(scratch) / name for name in ("redis", "temporal", "workers")]
        for place in places:
            place.mkdir()
        with running_redis(places[0], *DURABLE) as url, running_temporal(places[1]) as address:
            async with Redis.from_url(url, decode_responses=True) as redis:
                client = await Client.connect(
                    address, data_converter=data_converter(redis, retention=timedelta(days=1))
                )
                authored = Authored(client, redis)
                await authored.publish()
                yield Stand(authored, Handwritten(client), _environment(url, address), places[2])


def _environment(url: str, address: str) -> dict[str, str]:
    paths = f"{SOURCES}{os.pathsep}{SOURCES.parent}"
    return {"REDIS_URL": url, "TEMPORAL_ADDRESS": address, "LOG_LEVEL": "WARNING", "PYTHONPATH": paths}


async def _until_all_poll(side: Side, processes: list[ServiceProcess]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not await _all_poll(side, processes):
        if time.monotonic() > deadline:
            wrote = "".join(process.log.read_text() + process.errors.read_text() for process in processes)
            raise TimeoutError(f"not every worker of the {side.name} side polls after {START_SECONDS} s: {wrote}")
        await asyncio.sleep(0.1)


async def _all_poll(side: Side, processes: list[ServiceProcess]) -> bool:
    polling = [await _pollers(side, kind) for kind in (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, _ACTIVITY)]
    return all(any(name.endswith(f":{process.pid}") for name in names) for names in polling for process in processes)


_ACTIVITY: Final = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


async def _pollers(side: Side, kind: TaskQueueType.ValueType) -> list[str]:
    question = DescribeTaskQueueRequest(
        namespace=side.client.namespace, task_queue=TaskQueue(name=side.queue), task_queue_type=kind
    )
    answer = await side.client.workflow_service.describe_task_queue(question)
    return [poller.identity for poller in answer.pollers]
