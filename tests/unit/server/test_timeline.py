"""The operator's timeline: order, nesting, what belongs to a step, words for times."""

import pytest
from tests.unit.server.rows import BEGIN, detail, row

from workflow_server.page.timeline import duration, offset, timeline


def test_steps_and_log_lines_stand_in_order_of_their_first_record() -> None:
    entries = timeline(
        detail(row("step", "b#1", 5, stepId="b"), row("log", "3", 3, message="note"), row("step", "a#1", 1, stepId="a"))
    )
    assert [entry.title for entry in entries] == ["a", "note", "b"]


def test_a_step_shows_how_deep_it_stands_and_which_item_it_is() -> None:
    path = "root.steps[0].body.steps[1]"
    [entry] = timeline(
        detail(row("step", "x#2", stepPath=path, itemPath="root.steps[0].body[4].steps[1]", itemIndexes=[4], attempt=2))
    )
    assert (entry.depth, entry.item, entry.attempt) == (1, "5", 2)
    assert entry.path == "root.steps[0].body[4].steps[1]"


def test_wait_and_action_are_told_with_the_attempt_they_belong_to() -> None:
    entries = timeline(
        detail(
            row("step", "p#1", 1, itemPath="p", attempt=1, status="RETRY_SCHEDULED", nextAttemptAt="later"),
            row("step", "p#2", 2, itemPath="p", attempt=2, status="SUCCEEDED"),
            row("step", "q#1", 3, itemPath="q", attempt=1, status="STARTED"),
            row("action", "p#2", actionId="crm.find", version=1, taskQueue="crm"),
            row("wait", "w", itemPath="q", attempt=1, type="event", status="WAITING", eventName="e"),
        )
    )
    assert [entry.status for entry in entries] == ["RETRIED", "SUCCEEDED", "WAITING"]
    assert [entry.lines for entry in entries] == [[], ["crm.find v1 on crm"], ["Event e, any key"]]


def test_a_pending_retry_says_when() -> None:
    [entry] = timeline(detail(row("step", "p#1", itemPath="p", status="RETRY_SCHEDULED", nextAttemptAt="later")))
    assert (entry.status, entry.lines) == ("RETRY_SCHEDULED", ["Next attempt at later"])


def test_a_retry_that_the_end_of_the_run_prevented_is_a_failure() -> None:
    step = row("step", "a#1", status="RETRY_SCHEDULED", nextAttemptAt="2025-03-03T11:00:00.000Z")
    [entry] = timeline(detail(step, status="CANCELED"))
    assert (entry.status, entry.lines) == ("FAILED", [])


def test_a_failure_is_told_by_category_code_and_message() -> None:
    error = {"category": "ActionError", "code": "NO_SUCH", "message": "there is none"}
    [entry] = timeline(detail(row("step", "p#1", itemPath="p", status="FAILED", error=error)))
    assert entry.fault == "ActionError · NO_SUCH: there is none"


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, ""),
        (0, "0 ms"),
        (999, "999 ms"),
        (1250, "1.25 s"),
        (60_000, "1 min 0 s"),
        (3_600_000, "1 h 0 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_a_duration_is_told_in_two_units_at_most(milliseconds: int | None, text: str) -> None:
    assert duration(milliseconds) == text


def test_a_moment_is_told_as_time_since_the_run_began() -> None:
    assert offset(BEGIN, "2025-03-03T10:01:05.000Z") == "+1 min 5 s"
    assert offset(None, BEGIN) == ""
