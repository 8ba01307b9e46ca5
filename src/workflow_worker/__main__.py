"""The workflow-worker process, ``python -m workflow_worker``: authored runs and event ingress until SIGTERM."""

import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog
from redis.asyncio import Redis
from temporalio.client import Client
from temporalio.worker import Worker

from workflow_runtime.core.contract import AUTHORED_QUEUE, EVENT_STREAM
from workflow_runtime.service import logging, process
from workflow_runtime.service.action_dispatch import ActionDispatcher
from workflow_runtime.service.action_metrics import ActionMetrics
from workflow_runtime.service.collecting import spare_what_lives
from workflow_runtime.service.connect import connect_both, open_redis, redis_check
from workflow_runtime.service.drain import run_together, stop_on_signals, unless_stopped
from workflow_runtime.service.health import Health, serve_health
from workflow_runtime.service.image import ImageManifest, read_manifest, worker_identity
from workflow_runtime.service.metrics import new_registry
from workflow_runtime.service.ownership import WORKFLOW_WORKER, refuse_foreign
from workflow_runtime.service.pollers import polling_check
from workflow_runtime.service.settings import read_settings
from workflow_runtime.service.workers import build_worker, run_workers
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.ledger import ActionLedger
from workflow_runtime.store.restoring import RunRestorer
from workflow_runtime.store.runs import Runs
from workflow_runtime.store.secrets import DirectorySecrets
from workflow_runtime.store.tasks import Tasks
from workflow_runtime.store.waits import WaitIndex
from workflow_worker.action_activity import ActionActivity
from workflow_worker.action_calls import WORKFLOW_TASKS
from workflow_worker.actions import builtin_actions
from workflow_worker.authored_run import AuthoredRun
from workflow_worker.ingress import Ingress, build_ingress
from workflow_worker.reconciling import Reconciler, keep_reconciled
from workflow_worker.run_activities import RunActivities
from workflow_worker.sandbox import PASSED_MODULES
from workflow_worker.schedule_activities import ScheduleActivities
from workflow_worker.scheduled_start import ScheduledStartWorkflow
from workflow_worker.settings import WorkflowWorkerSettings


async def serve() -> None:
    """Start, work, drain. Raises ServiceError for everything that ends the process with one line."""
    settings = read_settings(WorkflowWorkerSettings)
    image = read_manifest(settings.workflow_runtime_image_json, process=WORKFLOW_WORKER)
    group = settings.workflow_runtime_v2_event_consumer_group
    refuse_foreign(WORKFLOW_WORKER, image, queues=[AUTHORED_QUEUE], groups=[group])
    logging.configure(settings.log_level, image)
    structlog.get_logger(__name__).info(
        "polling_queues", queues=[AUTHORED_QUEUE], event_stream=EVENT_STREAM, consumer_group=group
    )
    registry = new_registry(image)
    health = Health(image, registry)
    async with (
        stop_on_signals() as stop,
        serve_health(health, host=settings.bind_host, port=settings.port),
        aclosing(open_redis(settings)) as redis,
    ):
        client = await unless_stopped(connect_both(settings, redis, identity=worker_identity(image)), stop)
        if client is None:
            return
        spare_what_lives()
        async with _worker(client, redis, settings, image, ActionMetrics(registry)) as worker:
            ingress = build_ingress(redis, client, settings.ingress(), identity=client.identity, registry=registry)
            _add_checks(health, worker, ingress, client, redis)
            await run_together(
                stop,
                run_workers([worker], stop, grace_seconds=settings.shutdown_grace_seconds, on_drain=health.draining),
                ingress.run(stop),
                keep_reconciled(Reconciler(client, redis), redis, stop, seconds=settings.reconcile_seconds),
            )


@asynccontextmanager
async def _worker(
    client: Client, redis: Redis, settings: WorkflowWorkerSettings, image: ImageManifest, metrics: ActionMetrics
) -> AsyncIterator[Worker]:
    async with builtin_actions(redis, settings.http_action_allowed_hosts) as actions:
        secrets = DirectorySecrets(settings.workflow_secrets_dir)
        dispatcher = ActionDispatcher(actions, ledger=ActionLedger(redis), secrets=secrets, metrics=metrics)
        runs = RunActivities(
            catalog=Catalog(redis),
            runs=Runs(redis),
            restorer=RunRestorer(redis),
            waits=WaitIndex(redis),
            tasks=Tasks(redis),
            client=client,
            local_actions=dispatcher.local_actions if settings.local_actions else (),
        )
        schedules = ScheduleActivities(catalog=Catalog(redis), runs=Runs(redis), client=client)
        yield build_worker(
            client,
            AUTHORED_QUEUE,
            settings=settings,
            image=image,
            workflows=[AuthoredRun, ScheduledStartWorkflow],
            activities=[ActionActivity(dispatcher, runs).execute, *runs.activities, schedules.launch],
            passed_modules=PASSED_MODULES,
            workflow_tasks=WORKFLOW_TASKS,
        )


def _add_checks(health: Health, worker: Worker, ingress: Ingress, client: Client, redis: Redis) -> None:
    health.add(f"polling {worker.task_queue}", polling_check(client, worker))
    health.add("redis", redis_check(redis))
    health.add("ingress", ingress.status.check)
    health.serving()


if __name__ == "__main__":
    sys.exit(process.run(WORKFLOW_WORKER, serve))
