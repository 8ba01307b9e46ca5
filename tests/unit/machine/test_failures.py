"""Retry, onError, tryCatch, onItemError and the end of a run: who handles a failure, and in which order."""

from typing import Any

import pytest
from tests.fakes.machine import (
    TIMED_OUT,
    DryRun,
    assign,
    branch,
    call,
    define,
    event,
    expr,
    failed,
    for_each,
    try_catch,
    wait_event,
)

from workflow_runtime.core.errors import Category
from workflow_runtime.core.machine import (
    CallAction,
    Completed,
    Failed,
    Sleep,
    StartChild,
    Succeeded,
    WaitForEvent,
    WaitForQuota,
)

RETRY = {"maxAttempts": 3, "backoffMs": 1000, "jitter": False}
CONTINUE = {"policy": "continue"}
CHILD = {"id": "c", "type": "control.callWorkflow", "workflowId": "other", "workflowVersion": 1}


def succeed(run: DryRun) -> dict[str, Any]:
    end = run.run()
    assert isinstance(end, Succeeded), end
    return end.result


def fail(run: DryRun) -> Failed:
    end = run.run()
    assert isinstance(end, Failed), end
    return end


# Nothing handles it


def test_an_unhandled_failure_ends_the_run_with_its_category_code_and_message() -> None:
    run = DryRun(define(assign("a", x=1), call("c"), assign("never", y=1)), script=[failed(Category.TRANSIENT)])
    failure = fail(run).failure
    assert (failure.category, failure.code, failure.message) == (Category.TRANSIENT, "BROKEN", "it broke")
    assert (failure.node_path, failure.at) == ("root.steps[1]", "2026-03-31T09:00:00.000Z")


def test_an_on_error_of_fail_is_the_same_as_none() -> None:
    assert fail(DryRun(define(call("c", onError={"policy": "fail"})), script=[failed()])).failure.code == "BROKEN"


@pytest.mark.parametrize("text", ["1", "'true'", "null", "payload"])
def test_a_condition_that_is_no_boolean_fails(text: str) -> None:
    failure = fail(DryRun(define(branch("i", text, [])))).failure
    assert (failure.category, failure.code) == (Category.EXPRESSION, "NOT_A_BOOLEAN")


@pytest.mark.parametrize("text", ["1", "{'a': 1}", "'abc'", "null"])
def test_items_that_are_no_array_fail(text: str) -> None:
    failure = fail(DryRun(define(for_each("f", text, assign("a", x=1))))).failure
    assert (failure.category, failure.code) == (Category.EXPRESSION, "NOT_AN_ARRAY")


def test_a_failed_assignment_leaves_no_trace_of_the_step() -> None:
    run = DryRun(define({**assign("a", a=1, b=expr("payload.gone")), "onError": CONTINUE}, assign("z", z=1)))
    assert succeed(run)["vars"] == {"z": 1}


def test_an_action_without_a_pinned_queue_fails_its_step() -> None:
    run = DryRun(define(call("c")), queues={})
    failure = fail(run).failure
    assert (failure.category, failure.code) == (Category.VALIDATION, "UNKNOWN_ACTION")


def test_a_loop_that_asks_for_concurrency_is_refused_instead_of_run_one_by_one() -> None:
    failure = fail(DryRun(define(for_each("f", "[1]", assign("a", n=1), concurrency=2)))).failure
    assert (failure.category, failure.code) == (Category.VALIDATION, "UNSUPPORTED_OPTION")


# Retry


def test_an_action_is_tried_max_attempts_times_in_total() -> None:
    run = DryRun(define(call("c", retry=RETRY)), script=[failed(), Completed(), failed(), Completed(), failed()])
    assert fail(run).failure.code == "BROKEN"
    assert [effect.attempt for effect in run.effects if isinstance(effect, CallAction)] == [1, 2, 3]


def test_the_delay_grows_by_the_multiplier_up_to_the_maximum() -> None:
    retry = {"maxAttempts": 5, "backoffMs": 1000, "backoffMultiplier": 3, "maxDelayMs": 5000, "jitter": False}
    run = DryRun(define(call("c", retry=retry)))
    delays = []
    for _ in range(4):
        assert isinstance(run.step(), CallAction)
        before = run.clock.now_iso()
        run.answer(failed())
        sleep = run.step()
        assert isinstance(sleep, Sleep)
        assert sleep.reason == "retry"
        run.clock.set(sleep.until)
        delays.append((before[17:], sleep.until[17:]))
        run.answer(Completed())
    assert delays == [
        ("00.000Z", "01.000Z"),
        ("01.000Z", "04.000Z"),
        ("04.000Z", "09.000Z"),
        ("09.000Z", "14.000Z"),
    ]


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, "08.000Z"), (0.5, "10.000Z"), (0.75, "11.000Z")])
def test_jitter_moves_the_delay_by_up_to_a_fifth(chance: float, seconds: str) -> None:
    run = DryRun(define(call("c", retry={"maxAttempts": 2, "backoffMs": 10_000})))
    run.clock.chance = chance
    run.step()
    run.answer(failed())
    effect = run.step()
    assert isinstance(effect, Sleep)
    assert effect.until.endswith(seconds)


def test_no_backoff_means_no_timer() -> None:
    run = DryRun(define(call("c", retry={"maxAttempts": 2, "backoffMs": 0})), script=[failed()])
    succeed(run)
    assert [effect.kind for effect in run.effects] == ["callAction", "callAction", "succeeded"]


def test_a_backoff_beyond_what_a_number_holds_is_the_longest_wait() -> None:
    retry = {"maxAttempts": 500, "backoffMs": 1, "backoffMultiplier": 1000, "jitter": False, "maxDelayMs": 1000}
    run = DryRun(define(call("c", retry=retry)))
    for _ in range(499):
        run.step()
        run.answer(failed())
        run.step()
        run.answer(Completed())
    assert isinstance(run.step(), CallAction)


def test_only_the_named_categories_are_retried() -> None:
    retry = {**RETRY, "retryOn": ["TransientError"]}
    assert fail(DryRun(define(call("c", retry=retry)), script=[failed(Category.ACTION)])).failure.code == "BROKEN"
    assert succeed(DryRun(define(call("c", retry=retry)), script=[failed(Category.TRANSIENT)]))


def test_an_event_wait_is_retried_as_a_new_wait_with_a_new_timeout() -> None:
    run = DryRun(define({**wait_event("w", timeoutMs=1000), "retry": RETRY}))
    first = run.step()
    run.clock.advance(seconds=1)
    run.answer(TIMED_OUT)
    backoff = run.step()
    assert isinstance(backoff, Sleep)
    run.clock.set(backoff.until)
    run.answer(Completed())
    second = run.step()
    assert isinstance(first, WaitForEvent)
    assert isinstance(second, WaitForEvent)
    assert first.wait_id != second.wait_id
    assert second.timeout_at == "2026-03-31T09:00:03.000Z"


def test_a_pure_step_is_retried_too() -> None:
    step = {**assign("a", x=expr("payload.gone")), "retry": RETRY, "onError": CONTINUE}
    run = DryRun(define(step))
    succeed(run)
    assert [status for _, status in run.statuses("step")] == ["RETRY_SCHEDULED", "RETRY_SCHEDULED", "FAILED"]


def test_each_retry_of_a_child_is_a_new_child_run() -> None:
    run = DryRun(define({**CHILD, "retry": RETRY}), script=[failed(), Completed(), failed(), Completed()])
    succeed(run)
    children = [effect for effect in run.effects if isinstance(effect, StartChild)]
    assert len({child.child_run_id for child in children}) == 3
    assert [child.attempt for child in children] == [1, 2, 3]


def test_retry_comes_before_on_error_and_on_error_before_try() -> None:
    step = call("c", retry={"maxAttempts": 2, "backoffMs": 0}, onError=CONTINUE)
    definition = define(try_catch("t", [step, assign("a", went_on=1)], [assign("b", caught=1)]))
    run = DryRun(definition, script=[failed(), failed()])
    assert succeed(run)["vars"] == {"went_on": 1}
    assert run.statuses("step")[1:5] == [
        ("root.steps[0].try.steps[0]#1", "STARTED"),
        ("root.steps[0].try.steps[0]#1", "RETRY_SCHEDULED"),
        ("root.steps[0].try.steps[0]#2", "STARTED"),
        ("root.steps[0].try.steps[0]#2", "FAILED"),
    ]


# Try and catch


@pytest.mark.parametrize(
    "category", sorted(set(Category) - {Category.CANCELLATION, Category.CORRUPTION, Category.CHILD_WORKFLOW})
)
def test_catch_sees_every_other_category_unchanged(category: Category) -> None:
    definition = define(try_catch("t", [call("c")], [assign("a", seen=expr("error"))], capture="problem"))
    variables = succeed(DryRun(definition, script=[failed(category)]))["vars"]
    record = {
        "category": category.value,
        "code": "BROKEN",
        "message": "it broke",
        "nodePath": "root.steps[0].try.steps[0]",
        "at": "2026-03-31T09:00:00.000Z",
    }
    assert variables == {"problem": record, "seen": record}


def test_a_try_that_does_not_fail_skips_its_catch() -> None:
    assert succeed(DryRun(define(try_catch("t", [assign("a", x=1)], [assign("b", y=1)]))))["vars"] == {"x": 1}


def test_error_is_scoped_to_the_catch_block() -> None:
    definition = define(
        try_catch("t", [call("c")], [assign("a", inside=expr("error.code"))]),
        assign("b", after=expr("error = null")),
    )
    assert succeed(DryRun(definition, script=[failed()]))["vars"] == {"inside": "BROKEN", "after": True}


def test_a_nested_catch_gives_back_the_outer_error() -> None:
    inner = try_catch("inner", [call("c2")], [assign("a", deep=expr("error.code"))])
    definition = define(try_catch("outer", [call("c1")], [inner, assign("b", outer=expr("error.code"))]))
    run = DryRun(definition, script=[failed(code="ONE"), failed(code="TWO")])
    assert succeed(run)["vars"] == {"deep": "TWO", "outer": "ONE"}


def test_a_failure_inside_catch_goes_to_the_next_try_outside() -> None:
    inner = try_catch("inner", [call("c1")], [call("c2")])
    definition = define(try_catch("outer", [inner], [assign("b", code=expr("error.code"))]))
    run = DryRun(definition, script=[failed(code="ONE"), failed(code="TWO")])
    assert succeed(run)["vars"] == {"code": "TWO"}


def test_a_timeout_is_caught_as_timeout_error() -> None:
    definition = define(try_catch("t", [wait_event("w", timeoutMs=10)], [assign("a", c=expr("error.category"))]))
    assert succeed(DryRun(definition, script=[TIMED_OUT]))["vars"] == {"c": "TimeoutError"}


def test_a_child_failure_is_a_child_workflow_error_that_keeps_code_message_and_category() -> None:
    definition = define(try_catch("t", [CHILD], [assign("a", seen=expr("error"))]))
    run = DryRun(definition, script=[failed(Category.ACTION)])
    seen = succeed(run)["vars"]["seen"]
    child = run.effects[0]
    assert isinstance(child, StartChild)
    assert (seen["category"], seen["code"], seen["message"]) == ("ChildWorkflowError", "BROKEN", "it broke")
    assert seen["details"] == {
        "childRunId": child.child_run_id,
        "workflowId": "other",
        "workflowVersion": 1,
        "cause": {"category": "ActionError", "code": "BROKEN", "message": "it broke"},
    }


@pytest.mark.parametrize("category", [Category.CANCELLATION, Category.CORRUPTION])
def test_the_end_of_a_child_for_any_reason_can_be_caught(category: Category) -> None:
    definition = define(try_catch("t", [CHILD], [assign("a", seen=expr("error.category"))]))
    assert succeed(DryRun(definition, script=[failed(category)]))["vars"] == {"seen": "ChildWorkflowError"}


# Loops


def test_on_item_error_continue_goes_on_with_the_next_item() -> None:
    body = [call("c", input={"x": expr("x")}), assign("a", done=expr("append(coalesce(done, []), x)"))]
    run = DryRun(define(for_each("f", "[1, 2, 3]", *body, onItemError="continue")), script=[Completed(), failed()])
    assert succeed(run)["vars"] == {"done": [1, 3]}
    assert run.rows("step")["root.steps[0]#1"]["status"] == "SUCCEEDED"


def test_on_item_error_fail_gives_the_failure_to_the_try_outside() -> None:
    loop = for_each("f", "[1, 2]", call("c"), item_var="it")
    definition = define(try_catch("t", [loop], [assign("a", code=expr("error.code"))]))
    run = DryRun(definition, script=[failed()])
    assert succeed(run)["vars"] == {"code": "BROKEN"}
    assert run.rows("step")["root.steps[0].try.steps[0]#1"]["status"] == "FAILED"


def test_the_innermost_handler_wins() -> None:
    loop = for_each("f", "[1, 2]", call("c"), assign("a", reached=expr("x")), onItemError="continue")
    assert succeed(DryRun(define(try_catch("t", [loop], [assign("b", caught=1)])), script=[failed()]))["vars"] == {
        "reached": 2
    }
    inside = try_catch("t", [call("c")], [assign("b", caught=expr("x"))])
    definition = define(for_each("f", "[1, 2]", inside, onItemError="continue"))
    assert succeed(DryRun(definition, script=[failed()]))["vars"] == {"caught": 1}


def test_a_failing_inner_loop_is_one_failed_item_of_the_outer_one() -> None:
    inner = for_each("inner", "[1, 2]", call("c"), item_var="y")
    outer = for_each("outer", "[10, 20]", inner, assign("a", last=expr("x")), onItemError="continue")
    run = DryRun(define(outer), script=[Completed(), failed()])
    assert succeed(run)["vars"] == {"last": 20}


# Quota


def test_an_action_without_quota_parks_the_run_until_the_signal_and_then_runs_again() -> None:
    run = DryRun(define(call("c", save_as="out", retry={"maxAttempts": 2, "backoffMs": 0})))
    run.step()
    run.answer(failed(Category.QUOTA, "100 of 100 used"))
    run.step()
    run.answer(failed(Category.QUOTA, "100 of 100 used"))
    wait = run.step()
    assert isinstance(wait, WaitForQuota)
    assert wait.reason == "100 of 100 used"
    assert run.rows("run")["run-1"]["status"] == "WAITING"
    run.answer(Completed())
    again = run.step()
    assert isinstance(again, CallAction)
    assert again.attempt == 3
    assert succeed(run)
    assert run.rows("wait")[wait.wait_id]["status"] == "RESOLVED"


def test_a_quota_failure_that_is_handled_parks_nothing() -> None:
    definition = define(try_catch("t", [call("c")], [assign("a", c=expr("error.category"))]))
    assert succeed(DryRun(definition, script=[failed(Category.QUOTA)]))["vars"] == {"c": "QuotaExceeded"}


# Waits


def test_a_failing_assign_after_an_event_fails_the_step_and_can_be_caught() -> None:
    wait = wait_event("w", assign={"x": expr("event.gone")})
    run = DryRun(define(try_catch("t", [wait], [assign("a", c=expr("error.category"))])), script=[event("reply", {})])
    assert succeed(run)["vars"] == {"c": "ExpressionError"}


@pytest.mark.parametrize("key", ["''", "[1]", "{}"])
def test_a_value_that_is_no_key_does_not_come_to_mean_any_key(key: str) -> None:
    failure = fail(DryRun(define(wait_event("w", key=expr(key))))).failure
    assert (failure.category, failure.code) == (Category.VALIDATION, "INVALID_CORRELATION_KEY")


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "until", "until": "next week"},
        {"mode": "until", "until": expr("null")},
        {"mode": "until", "until": "9999-12-31T23:59:59Z"},
        {"mode": "until", "until": "0001-01-01T00:00:00+14:00"},
        {"mode": "duration", "durationMs": expr("-1")},
        {"mode": "duration", "durationMs": expr("1e300")},
        {"mode": "duration", "durationMs": expr("'5'")},
    ],
)
def test_a_time_that_is_none_is_a_validation_error(config: dict[str, Any]) -> None:
    failure = fail(DryRun(define({"id": "t", "type": "time.wait", "config": config}))).failure
    assert failure.category == Category.VALIDATION


def test_data_cannot_name_a_secret() -> None:
    step = call("c", input={"auth": {"$secret": "MAIL"}, "body": expr("payload")})
    run = DryRun(define(step), payload={"deep": [{"$secret": "DATABASE"}]})
    failure = fail(run).failure
    assert (failure.category, failure.code) == (Category.VALIDATION, "SECRET_IN_DATA")
    sent = DryRun(define(step), payload={"deep": []})
    succeed(sent)
    assert isinstance(sent.effects[0], CallAction)
    assert sent.effects[0].input == {"auth": {"$secret": "MAIL"}, "body": {"deep": []}}
