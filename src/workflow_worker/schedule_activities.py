"""Launches the run of a schedule's firing. Activity code; built by main."""

import uuid
from typing import Any, Final

import structlog
from temporalio import activity
from temporalio.client import Client

from workflow_runtime.core.errors import Category, RuntimeFailureError
from workflow_runtime.service.failures import application_error
from workflow_runtime.service.launch import launch_run
from workflow_runtime.store.catalog import Catalog
from workflow_runtime.store.errors import ArchivedError, NotFoundError
from workflow_runtime.store.runs import RunRow, Runs
from workflow_worker.scheduled_start import LAUNCH_SCHEDULED, Firing

_NAMESPACE: Final = uuid.UUID("b5cf5f0c-3c64-4c0e-9d5f-5a2f0f4a8d13")


class ScheduleActivities:
    """Starts runs of schedules through the same door as every other start."""

    def __init__(self, *, catalog: Catalog, runs: Runs, client: Client) -> None:
        self._catalog = catalog
        self._runs = runs
        self._client = client

    @activity.defn(name=LAUNCH_SCHEDULED)
    async def launch(self, firing: Firing) -> str | None:
        """Start the run, or leave it queued; answers its id, null when the workflow may no longer be started."""
        start = firing.start
        try:
            version = await self._catalog.get_version(start.tenant_id, start.workflow_id, start.workflow_version)
            row = RunRow(
                run_id=fire_run_id(firing),
                tenant_id=start.tenant_id,
                workflow_id=start.workflow_id,
                workflow_version=start.workflow_version,
                definition_hash=version.hash,
                trigger_type=start.trigger_type,
                execution_key=f"{start.schedule_id}@{firing.scheduled_for}",
                root_run_id=fire_run_id(firing),
                payload=clock_payload(firing),
            )
            await launch_run(self._client, self._runs, row)
        except (NotFoundError, ArchivedError) as error:
            structlog.get_logger(__name__).warning(
                "firing_ignored",
                schedule_id=start.schedule_id,
                scheduled_for=firing.scheduled_for,
                reason=error.message,
            )
            return None
        except RuntimeFailureError as error:
            if error.category is Category.TRANSIENT:
                raise
            raise application_error(error.to_failure()) from error
        return row.run_id


def fire_run_id(firing: Firing) -> str:
    """The run id of a firing: the same however often the firing is repeated, whichever version is live by then."""
    return str(uuid.uuid5(_NAMESPACE, f"{firing.start.schedule_id}@{firing.scheduled_for}"))


def clock_payload(firing: Firing) -> dict[str, Any]:
    """``payload.WorkflowClockTrigger.v1`` (RUNTIME.md section 10)."""
    start = firing.start
    payload = {
        "triggerType": start.trigger_type,
        "scheduleId": start.schedule_id,
        "scheduledFor": firing.scheduled_for,
        "firedAt": firing.fired_at,
        "timezone": start.timezone,
        "workflowId": start.workflow_id,
        "workflowVersion": start.workflow_version,
    }
    return payload if start.cron is None else payload | {"cron": start.cron}
