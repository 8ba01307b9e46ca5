"""What a time trigger becomes in Temporal's terms, the policy for overlaps and missed firings spelled out."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import ScheduleActionStartWorkflow, ScheduleOverlapPolicy

from workflow_runtime.core.contract import AUTHORED_QUEUE, SCHEDULED_START_WORKFLOW_TYPE, ScheduledStart
from workflow_server import schedules
from workflow_server.schedules import schedule_id, schedule_of

DAILY: dict[str, Any] = {"trigger_type": "recurring", "cron": "30 3 * * *", "timezone": "Europe/Berlin"}
ONCE: dict[str, Any] = {"trigger_type": "schedule", "run_at": "2030-01-31T10:00:05+01:00", "timezone": "UTC"}


def start(**fields: Any) -> ScheduledStart:
    identifier = schedule_id("acme", "nightly")
    return ScheduledStart(tenant_id="acme", workflow_id="nightly", workflow_version=1, schedule_id=identifier, **fields)


@pytest.mark.parametrize(("trigger", "window"), [(DAILY, timedelta(hours=1)), (ONCE, timedelta(days=1))])
def test_firings_overlap_and_are_made_up_for_within_the_stated_window(
    trigger: dict[str, Any], window: timedelta
) -> None:
    policy = schedule_of(start(**trigger)).policy
    assert (policy.overlap, policy.catchup_window) == (ScheduleOverlapPolicy.ALLOW_ALL, window)
    assert not policy.pause_on_failure


def test_each_firing_starts_the_starting_workflow_on_the_authored_queue() -> None:
    action = schedule_of(start(**DAILY)).action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.task_queue) == (SCHEDULED_START_WORKFLOW_TYPE, AUTHORED_QUEUE)
    assert action.args == [start(**DAILY)]


def test_a_moment_with_an_offset_is_the_same_moment() -> None:
    [calendar] = schedule_of(start(**ONCE)).spec.calendars
    parts = (calendar.year, calendar.month, calendar.day_of_month, calendar.hour, calendar.minute, calendar.second)
    assert [part[0].start for part in parts] == [2030, 1, 31, 9, 0, 5]


def test_another_version_or_another_policy_is_another_note(monkeypatch: pytest.MonkeyPatch) -> None:
    note = schedule_of(start(**DAILY)).state.note
    assert schedule_of(start(**DAILY)).state.note == note
    assert schedule_of(start(**DAILY).model_copy(update={"workflow_version": 2})).state.note != note
    monkeypatch.setattr(schedules, "RECURRING_CATCH_UP", timedelta(hours=2))
    assert schedule_of(start(**DAILY)).state.note != note
