"""The workflow that tells who serves a queue, end to end. Workflow code, with the activity it calls.

``temporal workflow execute --type queueProbeWorkflow --task-queue sla-workflows --workflow-id probe`` answers
``{queue, image, digest, identity}`` of the process that ran both the workflow task and the activity.
"""

from datetime import timedelta
from typing import Final

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from workflow_runtime.core.wire import WireModel

PROBE_WORKFLOW: Final = "queueProbeWorkflow"
PROBE_ACTIVITY: Final = "describeQueueOwner"


class QueueOwner(WireModel):
    """Who answered on ``queue``; ``identity`` is the poller identity that Temporal lists."""

    queue: str
    image: str
    digest: str
    identity: str


class QueueProbe:
    """The activity behind the probe, built by main with what the process knows of itself."""

    def __init__(self, *, image: str, digest: str, identity: str) -> None:
        self._image = image
        self._digest = digest
        self._identity = identity

    @activity.defn(name=PROBE_ACTIVITY)
    async def describe(self) -> QueueOwner:
        """Name the process that serves the queue this activity was taken from."""
        queue = activity.info().task_queue
        return QueueOwner(queue=queue, image=self._image, digest=self._digest, identity=self._identity)


@workflow.defn(name=PROBE_WORKFLOW)
class QueueProbeWorkflow:
    """Asks the queue it runs on who serves it; takes no input."""

    @workflow.run
    async def run(self) -> QueueOwner:
        """Answer from whichever worker takes the activity; fails after 10 s when none does."""
        owner: QueueOwner = await workflow.execute_activity(
            PROBE_ACTIVITY,
            result_type=QueueOwner,
            schedule_to_close_timeout=timedelta(seconds=10),
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        return owner
