"""The time limits of an action's call, and which calls are made again."""

from datetime import timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError, TimeoutError, TimeoutType
from tests.fakes.activity_errors import activity_error

from workflow_runtime.core.actions import ActionPin
from workflow_runtime.core.contract import APP_ACTION_QUEUE, AUTHORED_QUEUE
from workflow_runtime.core.machine.effects import CallAction
from workflow_worker.pinned_actions import limits, may_be_repeated

MINUTE = timedelta(minutes=1)


def _call(queue: str) -> CallAction:
    return CallAction(
        step_path="root.steps[0]",
        item_path="root.steps[0]",
        step_id="s",
        action_id="a",
        version=1,
        task_queue=queue,
        input=None,
        idempotency_key="k",
        attempt=1,
    )


@pytest.mark.parametrize(
    ("queue", "pin", "expected"),
    [
        (AUTHORED_QUEUE, None, (15 * MINUTE, None, MINUTE / 4)),
        (APP_ACTION_QUEUE, ActionPin(), (15 * MINUTE, None, MINUTE / 4)),
        ("theirs", None, (15 * MINUTE, None, None)),
        ("theirs", ActionPin(timeout_ms=1, schedule_timeout_ms=60_000), (MINUTE / 60_000, MINUTE, None)),
        ("theirs", ActionPin(heartbeat_timeout_ms=60_000), (15 * MINUTE, None, MINUTE)),
        (AUTHORED_QUEUE, ActionPin(heartbeat_timeout_ms=60_000), (15 * MINUTE, None, MINUTE)),
        (AUTHORED_QUEUE, ActionPin(timeout_ms=60_000), (MINUTE, None, MINUTE / 4)),
        (AUTHORED_QUEUE, ActionPin(timeout_ms=10_000), (MINUTE / 6, None, MINUTE / 12)),
    ],
)
def test_limits_are_those_of_the_spec_and_else_of_the_queue(queue: str, pin: Any, expected: Any) -> None:
    found = limits(_call(queue), pin)
    assert (found.attempt, found.schedule, found.heartbeat) == expected


@pytest.mark.parametrize(
    ("cause", "ours", "theirs"),
    [
        (TimeoutError("t", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[]), True, False),
        (TimeoutError("t", type=TimeoutType.START_TO_CLOSE, last_heartbeat_details=[]), False, False),
        (ApplicationError("s", type="WorkerShutdown"), True, True),
        (ApplicationError("s", type="Other"), False, False),
    ],
)
def test_a_call_is_made_again_when_its_worker_was_lost_for_sure(cause: BaseException, ours: bool, theirs: bool) -> None:
    error = activity_error(cause)
    assert may_be_repeated(_call(AUTHORED_QUEUE), error) is ours
    assert may_be_repeated(_call("theirs"), error) is theirs
