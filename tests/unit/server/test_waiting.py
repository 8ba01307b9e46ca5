"""What a run waits for, told from its detail."""

from typing import Any

import pytest
from tests.unit.server.rows import detail, row

from workflow_server.waiting import Queued, waiting_for


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELED"])
def test_a_run_that_ended_waits_for_nothing(status: str) -> None:
    left_open = row("wait", "w1", type="event", status="WAITING", eventName="e")
    assert waiting_for(detail(left_open, status=status)) == ()


@pytest.mark.parametrize(
    ("reason", "text", "hint"),
    [
        ("paused", "is paused", "POST /api/workflows/greeting/resume"),
        ("concurrency", "has reached its concurrency limit", "the limit is raised"),
    ],
)
def test_a_queued_start_says_why_and_what_lets_it_go_on(reason: str, text: str, hint: str) -> None:
    [item] = waiting_for(detail(status="WAITING", queued_reason=reason))
    assert item.kind == "queue"
    assert text in item.text
    assert hint in (item.hint or "")


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        (
            {"type": "event", "eventName": "e", "correlationKey": "k", "filters": [{"path": "a", "op": "exists"}]},
            "event",
            "an event 'e' with the key 'k', where a exists",
        ),
        ({"type": "event", "eventName": "e"}, "event", "an event 'e' with any key"),
        ({"type": "time", "dueAt": "2025-03-03T11:00:00.000Z"}, "time", "the time 2025-03-03T11:00:00.000Z"),
        ({"type": "human", "taskId": "t1", "title": "May we?"}, "human", "a response to the task 'May we?'"),
        ({"type": "quota", "reason": "mails"}, "quota", "a quota is used up: mails"),
    ],
)
def test_an_open_wait_is_told_with_everything_that_would_end_it(fields: dict[str, Any], kind: str, text: str) -> None:
    [item] = waiting_for(detail(row("wait", "w1", status="WAITING", **fields), status="WAITING"))
    assert (item.kind, item.text, item.facts["waitId"]) == (kind, text, "w1")


def test_a_resolved_wait_is_no_longer_waited_for() -> None:
    step = row("step", "root.steps[0]#1", status="SUCCEEDED")
    assert waiting_for(detail(step, row("wait", "w1", type="event", status="RESOLVED"), status="RUNNING")) == ()


def test_an_action_under_way_names_its_queue() -> None:
    [item] = waiting_for(
        detail(row("action", "a#1", status="STARTED", actionId="crm.find", version=2, taskQueue="crm", attempt=1))
    )
    assert item.text == "the action 'crm.find' version 2 on the queue 'crm'"
    assert item.facts["taskQueue"] == "crm"


def test_a_retry_is_told_only_while_it_is_the_latest_attempt() -> None:
    failed = row("step", "s#1", stepId="s", itemPath="s", status="RETRY_SCHEDULED", nextAttemptAt="later", attempt=1)
    [item] = waiting_for(detail(failed))
    assert (item.kind, item.facts["nextAttemptAt"]) == ("retry", "later")
    again = row("step", "s#2", stepId="s", itemPath="s", status="SUCCEEDED", attempt=2)
    assert waiting_for(detail(failed, again)) == ()


def test_a_child_run_is_waited_for_by_name() -> None:
    [item] = waiting_for(detail(row("step", "s#1", itemPath="s", status="STARTED", childRunId="r2")))
    assert (item.kind, item.facts["childRunId"]) == ("child", "r2")


def test_a_queued_start_says_what_holds_it_now_and_not_what_did_at_first() -> None:
    paused = Queued(reason="paused", place=2, limit=1, active=0, paused_reason="5 of the last 9 runs failed")
    [item] = waiting_for(detail(status="WAITING", queued_reason="concurrency"), paused)
    assert "is paused: 5 of the last 9 runs failed; it has place 2" in item.text
    assert item.facts["reason"] == "paused"


def test_a_run_nobody_has_touched_points_at_the_worker() -> None:
    [item] = waiting_for(detail())
    assert item.kind == "worker"
    assert "workflow-runtime-v2" in (item.hint or "")
