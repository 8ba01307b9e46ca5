"""``workflowRuntimeV2ScheduledStart``: what each firing of a schedule starts, to start the run. Workflow code.

The run id follows from the schedule and the scheduled time, so a firing starts at most one run however often it is
repeated. With workflow-worker away, firings wait here for it.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

from workflow_runtime.core.contract import SCHEDULED_START_WORKFLOW_TYPE, ScheduledStart
from workflow_runtime.core.wire import WireModel

LAUNCH_SCHEDULED: Final = "launchScheduledRun"

_SCHEDULED_TIME: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_STORE_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=60)
)


class Firing(WireModel):
    """One firing. Times are ISO 8601 UTC; ``scheduled_for`` is when it was due, ``fired_at`` when it happened."""

    start: ScheduledStart
    scheduled_for: str
    fired_at: str


@workflow.defn(name=SCHEDULED_START_WORKFLOW_TYPE)
class ScheduledStartWorkflow:
    """Starts the run of one firing."""

    @workflow.run
    async def run(self, start: ScheduledStart) -> str | None:
        """Answer the run id, null when the workflow may no longer be started."""
        firing = Firing(start=start, scheduled_for=_scheduled_for(start), fired_at=_iso(workflow.now()))
        run_id: str | None = await workflow.execute_local_activity(
            LAUNCH_SCHEDULED,
            firing,
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_STORE_RETRY,
        )
        return run_id


def _scheduled_for(start: ScheduledStart) -> str:
    if start.run_at is not None:
        # A one-time trigger that was made up for late has another time in Temporal and still is the same firing.
        moment = datetime.fromisoformat(start.run_at)
        return _iso(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return _iso(workflow.info().typed_search_attributes.get(_SCHEDULED_TIME) or workflow.info().start_time)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
