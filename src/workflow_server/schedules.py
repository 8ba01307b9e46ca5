"""Keeps Temporal's schedules equal to the time triggers of published workflows. Process code only.

A workflow has at most one schedule; it starts ``workflowRuntimeV2ScheduledStart`` on the authored queue, which starts
the run, once for each firing. Called after publishing, archiving and restoring, for all when the server starts, and
every hour.

Missed firings: after an outage of Temporal a recurring trigger makes up for those of the last hour, and a one-time
trigger fires up to a day late. A firing while workflow-worker is away waits for it. Firings overlap: each starts its
run whether or not the run before has ended; pause and the concurrency limit queue the runs, not the firings.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import structlog
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from workflow_runtime.core.contract import (
    AUTHORED_QUEUE,
    SCHEDULE_ID_PREFIX,
    SCHEDULED_START_WORKFLOW_TYPE,
    ScheduledStart,
)
from workflow_runtime.store.catalog import TriggerTarget
from workflow_runtime.store.connection import known_tenants, millis
from workflow_server.backend import Backend

RECURRING_CATCH_UP: Final = timedelta(hours=1)
ONE_TIME_CATCH_UP: Final = timedelta(days=1)


def schedule_id(tenant: str, workflow_id: str) -> str:
    """The id of a workflow's schedule.

    >>> schedule_id("acme", "nightly: report")
    'workflow-runtime-v2:schedule:acme:nightly%3A%20report'
    """
    return f"{SCHEDULE_ID_PREFIX}{quote(tenant, safe='')}:{quote(workflow_id, safe='')}"


async def follow_trigger(work: Backend, tenant: str, workflow_id: str) -> None:
    """Make the schedule of one workflow what its live trigger says: there, changed or gone. Raises RPCError."""
    triggers = await work.catalog.all_triggers(tenant)
    target = next((target for target in triggers if target.workflow_id == workflow_id), None)
    start = None if target is None else start_of(tenant, target)
    if start is None:
        await _remove(work.client, schedule_id(tenant, workflow_id))
    else:
        await _put(work.client, start)


async def reconcile(work: Backend) -> None:
    """Make all schedules what the catalog says, and remove those of workflows that no longer have one."""
    wanted = {start.schedule_id: start for start in await _all_starts(work)}
    present = {entry.id async for entry in await work.client.list_schedules()}
    orphans = {found for found in present if found.startswith(SCHEDULE_ID_PREFIX)} - wanted.keys()
    log = structlog.get_logger(__name__)
    for start in wanted.values():
        try:
            await _put(work.client, start)
        except (ValueError, RPCError) as error:
            if isinstance(error, RPCError) and error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            # One trigger that Temporal cannot take must not keep the others from their schedules.
            log.error("schedule_impossible", schedule=start.schedule_id, error=str(error))
    for orphan in orphans:
        await _remove(work.client, orphan)
    log.info("schedules_reconciled", schedules=len(wanted), removed=len(orphans))


def start_of(tenant: str, target: TriggerTarget) -> ScheduledStart | None:
    """What each firing of a time trigger starts; None for an event trigger."""
    trigger: Mapping[str, Any] = target.trigger
    if trigger.get("type") not in ("schedule", "recurring"):
        return None
    return ScheduledStart(
        tenant_id=tenant,
        workflow_id=target.workflow_id,
        workflow_version=target.version,
        schedule_id=schedule_id(tenant, target.workflow_id),
        trigger_type=trigger["type"],
        timezone=trigger.get("timezone", "UTC"),
        cron=trigger.get("cron"),
        run_at=trigger.get("runAt"),
    )


def schedule_of(start: ScheduledStart) -> Schedule:
    """The schedule in Temporal's terms."""
    recurring = start.trigger_type == "recurring"
    return Schedule(
        action=ScheduleActionStartWorkflow(
            SCHEDULED_START_WORKFLOW_TYPE,
            start,
            id=f"{start.schedule_id}:fire",
            task_queue=AUTHORED_QUEUE,
            static_summary=f"{start.workflow_id} version {start.workflow_version}",
        ),
        spec=_recurring_spec(start) if recurring else _one_time_spec(start.run_at or ""),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.ALLOW_ALL,
            catchup_window=_catch_up(start),
        ),
        state=ScheduleState(note=_note(start)),
    )


def _recurring_spec(start: ScheduledStart) -> ScheduleSpec:
    return ScheduleSpec(cron_expressions=[start.cron or ""], time_zone_name=start.timezone)


def _one_time_spec(run_at: str) -> ScheduleSpec:
    moment = datetime.fromtimestamp(millis(run_at) / 1000, UTC)
    calendar = ScheduleCalendarSpec(
        year=[ScheduleRange(moment.year)],
        month=[ScheduleRange(moment.month)],
        day_of_month=[ScheduleRange(moment.day)],
        hour=[ScheduleRange(moment.hour)],
        minute=[ScheduleRange(moment.minute)],
        second=[ScheduleRange(moment.second)],
    )
    return ScheduleSpec(calendars=[calendar], time_zone_name="UTC")


def _note(start: ScheduledStart) -> str:
    """What the schedule was made from, policy included: equal notes mean that there is nothing to change."""
    made_from = start.model_dump(mode="json", by_alias=True)
    return json.dumps(made_from | {"catchUpSeconds": int(_catch_up(start).total_seconds())})


def _catch_up(start: ScheduledStart) -> timedelta:
    return RECURRING_CATCH_UP if start.trigger_type == "recurring" else ONE_TIME_CATCH_UP


async def _all_starts(work: Backend) -> Iterable[ScheduledStart]:
    found = [
        start_of(tenant, target)
        for tenant in await known_tenants(work.redis)
        for target in await work.catalog.all_triggers(tenant)
    ]
    return [start for start in found if start is not None]


async def _put(client: Client, start: ScheduledStart) -> None:
    late = _lateness(start)
    if late > ONE_TIME_CATCH_UP:
        # Temporal forgets a schedule some days after its last firing; making it again would fire it again.
        await _remove(client, start.schedule_id)
        return
    schedule = schedule_of(start)
    try:
        await client.create_schedule(start.schedule_id, schedule, trigger_immediately=late > timedelta(0))
    except ScheduleAlreadyRunningError:
        handle = client.get_schedule_handle(start.schedule_id)
        await handle.update(lambda there: _changed(there, schedule))
        if late > timedelta(0):
            await _make_up(handle)


async def _make_up(handle: ScheduleHandle) -> None:
    """Fire a one-time schedule that is late and never fired.

    Temporal does not look back beyond its own first look at a schedule, so one that was made the moment before an
    outage has missed its only firing.
    """
    found = await handle.describe()
    if found.info.num_actions == 0 and not found.schedule.state.paused:
        await handle.trigger()


def _changed(there: ScheduleUpdateInput, schedule: Schedule) -> ScheduleUpdate | None:
    same = there.description.schedule.state.note == schedule.state.note
    return None if same else ScheduleUpdate(schedule)


def _lateness(start: ScheduledStart) -> timedelta:
    """How long ago the moment of a one-time trigger was; its fire key keeps a late firing at one run."""
    if start.run_at is None:
        return timedelta(0)
    return timedelta(milliseconds=millis(datetime.now(UTC)) - millis(start.run_at))


async def _remove(client: Client, identifier: str) -> None:
    try:
        await client.get_schedule_handle(identifier).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
