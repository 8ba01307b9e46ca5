"""One ingress as a process: ``python3 -m benchmarks.ingress.replica REDIS_URL TEMPORAL_ADDRESS IDENTITY``."""

import asyncio
import logging
import signal
import sys

import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from workflow_worker.ingress import IngressSettings, build_ingress


async def main(url: str, address: str, identity: str) -> None:
    """Say "ready" when the loops turn, work until SIGTERM."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    async with Redis.from_url(url, decode_responses=True) as redis:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        ingress = build_ingress(redis, client, IngressSettings(), identity=identity, registry=CollectorRegistry())
        working = asyncio.create_task(ingress.run(stop))
        while ingress.status.complaint() is not None:  # noqa: ASYNC110 - readiness is asked for, not told
            await asyncio.sleep(0.01)
        print("ready", flush=True)
        await working


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
