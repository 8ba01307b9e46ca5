"""The workflow-server process, ``python -m workflow_server``: API, operator page and app actions until SIGTERM."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing

import structlog
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from redis.exceptions import RedisError
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

from workflow_runtime.bootstrap import app_actions
from workflow_runtime.core.contract import APP_ACTION_QUEUE
from workflow_runtime.service import logging, process
from workflow_runtime.service.action_dispatch import ActionDispatcher, ServedAction
from workflow_runtime.service.action_metrics import ActionMetrics
from workflow_runtime.service.connect import connect_both, open_redis, redis_check
from workflow_runtime.service.drain import run_together, stop_on_signals, unless_stopped
from workflow_runtime.service.health import Health, serve_app
from workflow_runtime.service.image import read_manifest, worker_identity
from workflow_runtime.service.metrics import new_registry
from workflow_runtime.service.ownership import WORKFLOW_SERVER, refuse_foreign
from workflow_runtime.service.pollers import polling_check
from workflow_runtime.service.settings import read_settings
from workflow_runtime.service.workers import build_worker, run_workers
from workflow_runtime.store.ledger import ActionLedger
from workflow_runtime.store.secrets import DirectorySecrets
from workflow_server.app import attach, build_app
from workflow_server.backend import Backend, build_backend
from workflow_server.maintenance import keep_house
from workflow_server.schedules import reconcile
from workflow_server.settings import ServerSettings
from workflow_server.store_metrics import StoreMetrics


async def serve() -> None:
    """Start, work, drain. Raises ServiceError for everything that ends the process with one line."""
    settings = read_settings(ServerSettings)
    image = read_manifest(settings.workflow_runtime_image_json, process=WORKFLOW_SERVER)
    refuse_foreign(WORKFLOW_SERVER, image, queues=[APP_ACTION_QUEUE])
    token = settings.token()
    logging.configure(settings.log_level, image)
    registry = new_registry(image)
    health = Health(image, registry)
    app = build_app(health, token=token, max_body_bytes=settings.max_body_bytes)
    async with AsyncExitStack() as stack:
        stop = await stack.enter_async_context(stop_on_signals())
        port = await stack.enter_async_context(serve_app(app, host=settings.bind_host, port=settings.port))
        _log_start(settings, port, protected=token is not None)
        redis = await stack.enter_async_context(aclosing(open_redis(settings)))
        actions = await stack.enter_async_context(app_actions(settings.ai(), settings.smtp()))
        client = await unless_stopped(connect_both(settings, redis, identity=worker_identity(image)), stop)
        if client is None:
            return
        backend = build_backend(client, redis, image, settings)
        await unless_stopped(_reconciled(backend), stop)
        dispatcher = _dispatcher(redis, settings, actions, registry)
        worker = build_worker(client, APP_ACTION_QUEUE, settings=settings, image=image, activities=[dispatcher.execute])
        attach(app, backend)
        _add_checks(health, worker, client, redis)
        await run_together(
            stop,
            run_workers([worker], stop, grace_seconds=settings.shutdown_grace_seconds, on_drain=health.draining),
            StoreMetrics(registry).keep_fresh(backend, stop),
            keep_house(backend, stop),
        )


def _log_start(settings: ServerSettings, port: int, *, protected: bool) -> None:
    log = structlog.get_logger(__name__)
    log.info("polling_queues", queues=[APP_ACTION_QUEUE])
    log.info("listening", host=settings.bind_host, port=port)
    if not protected:
        log.warning(
            "api_without_token",
            detail=f"anyone who reaches {settings.bind_host}:{port} may publish and start workflows; "
            f"set API_TOKEN or API_TOKEN_FILE to ask for a token",
        )


def _dispatcher(
    redis: Redis, settings: ServerSettings, actions: Sequence[ServedAction], registry: CollectorRegistry
) -> ActionDispatcher:
    return ActionDispatcher(
        actions,
        ledger=ActionLedger(redis),
        secrets=DirectorySecrets(settings.workflow_secrets_dir),
        metrics=ActionMetrics(registry),
    )


async def _reconciled(backend: Backend) -> None:
    """Return once Temporal's schedules are what the catalog says; whatever stands in the way may pass."""
    while True:
        try:
            await reconcile(backend)
        except (RPCError, RedisError) as error:
            structlog.get_logger(__name__).warning("schedules_not_reconciled", reason=str(error), retry_in_seconds=2)
            await asyncio.sleep(2)
        else:
            return


def _add_checks(health: Health, worker: Worker, client: Client, redis: Redis) -> None:
    health.add(f"polling {APP_ACTION_QUEUE}", polling_check(client, worker))
    health.add("redis", redis_check(redis))
    health.serving()


if __name__ == "__main__":
    sys.exit(process.run(WORKFLOW_SERVER, serve))
