"""Who polls a task queue according to Temporal, and what that means for readiness. Process code only."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from temporalio.api.deployment.v1 import WorkerDeploymentOptions, WorkerDeploymentVersion
from temporalio.api.enums.v1 import TaskQueueType, WorkerVersioningMode
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue, TaskQueueVersioningInfo
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, DescribeTaskQueueResponse
from temporalio.client import Client
from temporalio.worker import Worker

from workflow_runtime.service.health import Check
from workflow_runtime.service.image import image_name
from workflow_runtime.service.ownership import QUEUE_OWNERS

FRESH: Final = timedelta(seconds=90)
"""A long poll lasts a minute, and Temporal lists a poller for five after its last one."""


@dataclass(frozen=True)
class Poller:
    """One poller of a queue; ``kind`` is ``workflow`` or ``activity``.

    ``passed_over`` says who is given the queue's new work when this one is not, because of worker versions; else None.
    """

    queue: str
    kind: str
    identity: str
    last_access: datetime
    passed_over: str | None = None

    @property
    def image(self) -> str | None:
        """The image name in its identity, None when it is none of ours."""
        return image_name(self.identity)


async def queue_pollers(client: Client, queue: str) -> list[Poller]:
    """Every poller that Temporal saw on ``queue`` within ``FRESH``. Raises RPCError."""
    kinds = {
        "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    }
    answers = await asyncio.gather(*(_describe(client, queue, kind) for kind in kinds.values()))
    since = datetime.now(UTC) - FRESH
    pollers = [
        Poller(
            queue,
            kind,
            info.identity,
            info.last_access_time.ToDatetime(tzinfo=UTC),
            _passed_over(info, answer.versioning_info),
        )
        for kind, answer in zip(kinds, answers, strict=True)
        for info in answer.pollers
    ]
    return [poller for poller in pollers if poller.last_access >= since]


async def _describe(client: Client, queue: str, kind: "TaskQueueType.ValueType") -> DescribeTaskQueueResponse:
    return await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind)
    )


def _passed_over(info: PollerInfo, versions: TaskQueueVersioningInfo) -> str | None:
    options = info.deployment_options
    versioned = options.worker_versioning_mode == WorkerVersioningMode.WORKER_VERSIONING_MODE_VERSIONED
    current = _version(versions.current_deployment_version)
    given = {current, _version(versions.ramping_deployment_version) or current}
    if (_version(options) if versioned else None) in given:
        return None
    return "workers without a version" if current is None else f"the version {current}"


def _version(named: WorkerDeploymentOptions | WorkerDeploymentVersion) -> str | None:
    return f"{named.deployment_name}:{named.build_id}" if named.build_id else None


def strangers(queue: str, pollers: Sequence[Poller]) -> list[str]:
    """Identities on ``queue`` that do not belong to the image which owns it."""
    owner = QUEUE_OWNERS.get(queue)
    return sorted({poller.identity for poller in pollers if poller.image != owner})


def polling_check(client: Client, worker: Worker) -> Check:
    """Ready when ``worker`` runs and Temporal lists this process on its queue; the detail names strangers."""
    queue = worker.task_queue
    known: set[str] = set()

    async def check() -> tuple[bool, str]:
        if not worker.is_running:
            return False, f"the worker of {queue} does not run"
        pollers = await queue_pollers(client, queue)
        if client.identity not in {poller.identity for poller in pollers}:
            return False, f"Temporal does not list this process among the pollers of {queue}"
        others = strangers(queue, pollers)
        for identity in set(others) - known:
            structlog.get_logger(__name__).warning("foreign_poller", queue=queue, identity=identity)
        known.update(others)
        own = [poller for poller in pollers if poller.identity == client.identity]
        return True, f"polling {queue}{_notes(others, own)}"

    return check


def _notes(others: Sequence[str], own: Sequence[Poller]) -> str:
    favoured = sorted({poller.passed_over for poller in own if poller.passed_over is not None})
    strange = f"; strangers poll it too: {', '.join(others)}" if others else ""
    return strange + "".join(f"; Temporal gives new work to {name} and not to this process" for name in favoured)
