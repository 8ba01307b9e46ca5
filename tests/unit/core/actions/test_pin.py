"""What a version keeps of an action, and how its input and output are judged outside the activity."""

from typing import Any

import pytest
from pydantic import ValidationError

from workflow_runtime.core.actions import ActionPin, ActionSpec, misfit, pin_action, unresolved_problems
from workflow_runtime.core.actions.spec import DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS
from workflow_runtime.core.contract import APP_ACTION_QUEUE, AUTHORED_QUEUE

LIMITS: dict[str, Any] = {"timeout_ms": 60_000, "schedule_timeout_ms": 5_000, "heartbeat_timeout_ms": 10_000}


def _spec(queue: str, **more: Any) -> ActionSpec:
    given = {"id": "a", "version": 1, "input_schema": {"type": "object"}, "output_schema": False}
    return ActionSpec(**{**given, "side_effectful": True, "task_queue": queue, **more})


@pytest.mark.parametrize("queue", [AUTHORED_QUEUE, APP_ACTION_QUEUE])
def test_of_our_own_actions_only_time_limits_are_kept(queue: str) -> None:
    assert pin_action(_spec(queue)) is None
    assert pin_action(_spec(queue, **LIMITS)) == ActionPin(**LIMITS)


def test_of_the_actions_of_others_schemas_and_time_limits_are_kept() -> None:
    pin = pin_action(_spec("theirs", **LIMITS))
    assert pin == ActionPin(input_schema={"type": "object"}, output_schema=False, **LIMITS)


def test_a_pin_travels_without_what_is_absent() -> None:
    pin = ActionPin(output_schema=False, timeout_ms=1)
    written = pin.model_dump(mode="json", by_alias=True)
    assert written == {"outputSchema": False, "timeoutMs": 1}
    assert ActionPin.model_validate(written) == pin


@pytest.mark.parametrize(
    "limits",
    [
        {"timeout_ms": 0},
        {"timeout_ms": MAX_TIMEOUT_MS + 1},
        {"schedule_timeout_ms": 1.5},
        {"timeout_ms": 1000, "heartbeat_timeout_ms": 1000},
        {"heartbeat_timeout_ms": DEFAULT_TIMEOUT_MS},
    ],
)
def test_time_limits_that_cannot_hold_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _spec("theirs", **limits)


KEYED = {
    "type": "object",
    "properties": {
        "key": {"type": "string", "pattern": "^sk-"},
        "keys": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["key"],
}


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ({"key": {"$secret": "K"}}, []),
        ({"key": {"$secret": "K"}, "keys": [{"$secret": "A"}, 7]}, ['/keys/1: the value is not of type "string"']),
        ({"keys": []}, ['/: "key" is a required property']),
        ({"key": "k"}, ['/key: the value does not match "^sk-"']),
    ],
)
def test_a_secret_counts_as_a_text_of_which_nothing_else_is_known(value: Any, problems: list[str]) -> None:
    assert unresolved_problems(KEYED, value) == problems


def test_many_secrets_are_no_misfit_either() -> None:
    long = {"items": {"type": "string", "minLength": 40}}
    assert unresolved_problems(long, [{"$secret": "K"}] * 50) == []
    assert unresolved_problems(long, [{"$secret": "K"}] * 50_000) == []


def test_a_value_that_is_one_secret_is_judged_no_further() -> None:
    assert unresolved_problems({"type": "object"}, {"$secret": "K"}) == []


def test_a_misfit_names_the_action_and_every_problem() -> None:
    failure = misfit("output", "a", 2, ["/: one", "/x: two"]).to_failure()
    assert (failure.category, failure.code, failure.details) == (
        "ValidationError",
        "ACTION_OUTPUT_INVALID",
        {"problems": ["/: one", "/x: two"]},
    )
    assert failure.message == "output of action 'a' version 2 does not fit its schema: /: one; /x: two"
