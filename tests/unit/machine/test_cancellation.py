"""Cancellation: it passes every handler, closes what is open, and is known by its type, never by its text."""

from typing import Any

import pytest
from tests.fakes.machine import CANCELLED, DryRun, assign, call, define, failed, for_each, try_catch, wait_event

from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine import Failed, Succeeded

RETRY = {"maxAttempts": 3, "backoffMs": 1000, "jitter": False}
CONTINUE = {"policy": "continue"}


def failure_of(run: DryRun) -> Failure:
    end = run.run()
    assert isinstance(end, Failed), end
    return end.failure


@pytest.mark.parametrize(
    "step",
    [
        call("c", retry={"maxAttempts": 5, "backoffMs": 1}, onError=CONTINUE),
        {**wait_event("w"), "onError": CONTINUE},
        {
            "id": "c",
            "type": "control.callWorkflow",
            "workflowId": "other",
            "workflowVersion": 1,
            "onError": CONTINUE,
        },
        {"id": "t", "type": "time.wait", "config": {"mode": "duration", "durationMs": 5}, "onError": CONTINUE},
        {"id": "h", "type": "human.task", "config": {"taskType": "a", "title": "b"}, "onError": CONTINUE},
    ],
)
def test_cancellation_passes_through_every_handler_and_cancels_what_is_open(step: dict[str, Any]) -> None:
    loop = for_each("f", "[1, 2]", step, onItemError="continue")
    run = DryRun(define(try_catch("t", [loop], [assign("a", caught=1)], capture="e")), script=[CANCELLED])
    failure = failure_of(run)
    assert failure.category == Category.CANCELLATION
    assert failure.node_path == "root.steps[0].try.steps[0].body.steps[0]"
    assert run.rows("run")["run-1"]["status"] == "CANCELED"
    assert {row["status"] for row in run.rows("step").values()} == {"CANCELED"}
    assert {row["status"] for row in (run.rows("wait") | run.rows("action")).values()} <= {"CANCELED"}


def test_cancellation_is_taken_before_the_first_step_and_between_steps() -> None:
    run = DryRun(define(assign("a", x=1)))
    run.answer(CANCELLED)
    assert failure_of(run).category == Category.CANCELLATION
    assert [item.fields["status"] for item in run.records if item.kind == "run"] == ["RUNNING", "CANCELED"]


def test_cancellation_during_backoff_keeps_the_failed_attempt_as_it_was() -> None:
    run = DryRun(define(call("c", retry=RETRY)), script=[failed(), CANCELLED])
    assert failure_of(run).category == Category.CANCELLATION
    assert run.rows("step")["root.steps[0]#1"]["status"] == "RETRY_SCHEDULED"
    assert list(run.rows("step")) == ["root.steps[0]#1"]


def test_a_failure_that_only_speaks_of_cancellation_is_handled_like_any_other() -> None:
    definition = define(try_catch("t", [call("c")], [assign("a", caught=True)]))
    run = DryRun(definition, script=[failed(Category.ACTION, "Cancelled: the order was cancelled")])
    end = run.run()
    assert isinstance(end, Succeeded), end
    assert end.result["vars"] == {"caught": True}


@pytest.mark.parametrize("category", [Category.CANCELLATION, Category.CORRUPTION])
def test_cancellation_and_corruption_pass_every_handler(category: Category) -> None:
    retry = {**RETRY, "retryOn": [category]}
    step = call("c", retry=retry, onError=CONTINUE)
    definition = define(try_catch("t", [for_each("f", "[1]", step, onItemError="continue")], [assign("a", caught=1)]))
    assert failure_of(DryRun(definition, script=[failed(category)])).category == category
