"""The temporal-worker process, ``python -m temporal_worker``: polls the domain queues until SIGTERM, then drains."""

import sys
from collections.abc import Sequence
from contextlib import aclosing

import structlog
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.worker import Worker

from temporal_worker.domains import all_domains
from temporal_worker.job_handlers import job_handlers
from temporal_worker.job_runner import JobRunner
from temporal_worker.probe import QueueProbe
from temporal_worker.sandbox import PASSED_MODULES
from temporal_worker.settings import TemporalWorkerSettings
from workflow_runtime.core.contract import AUTHORED_QUEUE
from workflow_runtime.service import logging, process
from workflow_runtime.service.connect import connect_both, open_redis, redis_check
from workflow_runtime.service.drain import stop_on_signals, unless_stopped
from workflow_runtime.service.health import Health, serve_health
from workflow_runtime.service.image import ImageManifest, read_manifest, worker_identity
from workflow_runtime.service.metrics import new_registry
from workflow_runtime.service.ownership import TEMPORAL_WORKER, refuse_foreign
from workflow_runtime.service.pollers import polling_check
from workflow_runtime.service.settings import read_settings
from workflow_runtime.service.workers import build_worker, run_workers
from workflow_runtime.store.retention import Retention


async def serve() -> None:
    """Start, work, drain. Raises ServiceError for everything that ends the process with one line."""
    settings = read_settings(TemporalWorkerSettings)
    image = read_manifest(settings.workflow_runtime_image_json, process=TEMPORAL_WORKER)
    refuse_foreign(TEMPORAL_WORKER, image, queues=settings.temporal_task_queues)
    logging.configure(settings.log_level, image)
    _log_ownership(settings.temporal_task_queues)
    health = Health(image, new_registry(image))
    identity = worker_identity(image)
    async with (
        stop_on_signals() as stop,
        serve_health(health, host=settings.bind_host, port=settings.port),
        aclosing(open_redis(settings)) as redis,
    ):
        client = await unless_stopped(connect_both(settings, redis, identity=identity), stop)
        if client is None:
            return
        workers = _workers(client, redis, settings, image)
        _add_checks(health, workers, client, redis)
        await run_workers(workers, stop, grace_seconds=settings.shutdown_grace_seconds, on_drain=health.draining)


def _log_ownership(queues: Sequence[str]) -> None:
    structlog.get_logger(__name__).info("polling_queues", queues=list(queues), not_polled=[AUTHORED_QUEUE])


def _workers(client: Client, redis: Redis, settings: TemporalWorkerSettings, image: ImageManifest) -> list[Worker]:
    probe = QueueProbe(image=image.name, digest=image.digest, identity=client.identity)
    domains = all_domains(probe, JobRunner(job_handlers(Retention(redis))))
    return [
        build_worker(
            client,
            queue,
            settings=settings,
            image=image,
            workflows=domains[queue].workflows,
            activities=domains[queue].activities,
            passed_modules=PASSED_MODULES,
        )
        for queue in settings.temporal_task_queues
    ]


def _add_checks(health: Health, workers: Sequence[Worker], client: Client, redis: Redis) -> None:
    for worker in workers:
        queue = worker.task_queue
        health.add(f"polling {queue}", polling_check(client, worker))
    health.add("redis", redis_check(redis))
    health.serving()


if __name__ == "__main__":
    sys.exit(process.run(TEMPORAL_WORKER, serve))
