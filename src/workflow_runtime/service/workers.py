"""Builds the Temporal workers of a process and runs them until it is told to stop. Process code only."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from workflow_runtime.service.errors import MisuseError
from workflow_runtime.service.image import ImageManifest
from workflow_runtime.service.sandbox import workflow_runner
from workflow_runtime.service.settings import ProcessSettings

_ABANDON_AFTER_GRACE_SECONDS: Final = 5.0

_BEHAVIORS: Final = {"auto-upgrade": VersioningBehavior.AUTO_UPGRADE, "pinned": VersioningBehavior.PINNED}


def build_worker(
    client: Client,
    queue: str,
    *,
    settings: ProcessSettings,
    image: ImageManifest,
    workflows: Sequence[type] = (),
    activities: Sequence[Callable[..., Any]] = (),
    passed_modules: Sequence[str] = (),
    workflow_tasks: int | None = None,
) -> Worker:
    """A worker of ``queue`` whose workflows run in the sandbox, ``passed_modules`` passed through.

    ``workflow_tasks`` bounds those under way at once, Temporal's default when null.

    Raises MisuseError for worker versioning outside an image.
    """
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=workflow_runner(passed_modules),
        max_concurrent_workflow_tasks=workflow_tasks,
        graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_grace_seconds),
        deployment_config=_deployment(settings, image),
    )


def _deployment(settings: ProcessSettings, image: ImageManifest) -> WorkerDeploymentConfig | None:
    if settings.worker_versioning == "off":
        return None
    if not image.managed:
        raise MisuseError(
            f"WORKER_VERSIONING={settings.worker_versioning} needs an image digest as build id, and this process runs "
            f"outside an image; unset WORKER_VERSIONING or start the image"
        )
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=image.name, build_id=image.digest.replace(":", "-")),
        use_worker_versioning=True,
        default_versioning_behavior=_BEHAVIORS[settings.worker_versioning],
    )


async def run_workers(
    workers: Sequence[Worker], stop: asyncio.Event, *, grace_seconds: float, on_drain: Callable[[], None]
) -> None:
    """Poll until ``stop`` is set, then drain: no new tasks, work in flight gets ``grace_seconds``, then is cancelled.

    ``on_drain`` is called when draining begins. When a worker ends by itself the others are drained as well and what it
    failed with is raised.
    """
    runs = [asyncio.ensure_future(worker.run()) for worker in workers]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({stopping, *runs}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        on_drain()
        await _drain(workers, runs, grace_seconds)
    for run in runs:
        if run.done() and not run.cancelled():
            run.result()


async def _drain(workers: Sequence[Worker], runs: Sequence["asyncio.Future[None]"], grace_seconds: float) -> None:
    log = structlog.get_logger(__name__)
    queues = [worker.task_queue for worker in workers]
    log.info("drain_started", queues=queues, grace_seconds=grace_seconds)
    shutdowns = [asyncio.ensure_future(worker.shutdown()) for worker in workers]
    _, late = await asyncio.wait({*runs, *shutdowns}, timeout=grace_seconds + _ABANDON_AFTER_GRACE_SECONDS)
    if late:
        # Temporal gives the abandoned work to another worker after its timeout: nothing is lost by leaving.
        log.warning("drain_abandoned_work", queues=queues)
        for task in late:
            task.cancel()
    else:
        log.info("drain_finished", queues=queues)
