"""The rows that records build: statuses, times, waits and what is kept out of them."""

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

from workflow_runtime.core.machine import CallAction, Completed, Sleep, StartChild, WaitForEvent, WaitForTask


def test_sequence_numbers_have_no_gap_and_go_on_through_checkpoints() -> None:
    run = DryRun(define(for_each("f", "[1, 2, 3]", call("c"), wait_event("w"))), restoring=True)
    run.run()
    assert [record.seq for record in run.records] == list(range(1, len(run.records) + 1))


def test_records_not_taken_are_in_the_checkpoint() -> None:
    definition = define(call("c"))
    run = DryRun(definition)
    effect = run.machine.next(run.clock)
    assert isinstance(effect, CallAction)
    kinds = [record["kind"] for record in run.machine.checkpoint()["records"]]
    assert kinds == ["run", "step", "run", "action"]


def test_the_run_row_tells_identity_status_and_times() -> None:
    run = DryRun(define(call("c")))
    run.step()
    row = run.rows("run")["run-1"]
    assert row["status"] == "RUNNING"
    assert row["workflowId"] == "wf"
    assert row["workflowVersion"] == 1
    assert row["definitionHash"] == run.machine.run.definition_hash
    assert row["currentStepPath"] == "root.steps[0]"
    run.clock.advance(seconds=2)
    run.answer(Completed())
    run.step()
    row = run.rows("run")["run-1"]
    assert (row["status"], row["endedAt"], row["durationMs"]) == ("SUCCEEDED", "2026-03-31T09:00:02.000Z", 2000)
    assert (row["currentStepPath"], row["stepCount"]) == (None, 1)


def test_a_failed_run_keeps_its_error_and_where_it_stood() -> None:
    run = DryRun(define(branch("i", "true", [call("c")])), script=[failed()])
    run.run()
    row = run.rows("run")["run-1"]
    assert (row["status"], row["currentStepPath"]) == ("FAILED", "root.steps[0].then.steps[0]")
    assert row["error"]["code"] == "BROKEN"


def test_a_handled_failure_leaves_the_run_running_and_the_step_failed() -> None:
    run = DryRun(define(try_catch("t", [call("c")], [wait_event("w")])), script=[failed()])
    run.step()
    run.answer(failed())
    run.step()
    step = run.rows("step")["root.steps[0].try.steps[0]#1"]
    assert (step["status"], step["error"]["code"]) == ("FAILED", "BROKEN")
    assert run.rows("step")["root.steps[0]#1"]["status"] == "STARTED"
    assert "FAILED" not in [status for _, status in run.statuses("run")]
    [log] = run.rows("log").values()
    assert (log["level"], log["error"]["code"]) == ("warning", "BROKEN")


def test_a_pure_step_is_one_record_and_an_action_two() -> None:
    run = DryRun(define(assign("a", x=1), call("c")))
    run.run()
    assert run.statuses("step") == [
        ("root.steps[0]#1", "SUCCEEDED"),
        ("root.steps[1]#1", "STARTED"),
        ("root.steps[1]#1", "SUCCEEDED"),
    ]
    row = run.rows("step")["root.steps[0]#1"]
    assert (row["stepId"], row["stepType"], row["attempt"], row["durationMs"]) == ("a", "transform.assign", 1, 0)


def test_rows_in_a_loop_carry_the_item_indexes() -> None:
    inner = for_each("in", "[1, 2]", assign("a", n=expr("y")), item_var="y")
    run = DryRun(define(for_each("out", "[1, 2]", inner)))
    run.run()
    rows = run.rows("step")
    row = rows["root.steps[0].body[1].steps[0].body[0].steps[0]#1"]
    assert row["itemIndexes"] == [1, 0]
    assert row["stepPath"] == "root.steps[0].body.steps[0].body.steps[0]"
    assert rows["root.steps[0].body[1].steps[0]#1"]["itemIndexes"] == [1]
    assert len(rows) == 1 + 2 + 4


def test_the_action_row_tells_where_the_action_ran_and_under_which_key() -> None:
    run = DryRun(define(call("c", input={"n": 1})))
    effect = run.step()
    assert isinstance(effect, CallAction)
    run.clock.advance(milliseconds=1500)
    run.answer(failed())
    run.step()
    row = run.rows("action")["root.steps[0]#1"]
    assert (row["actionId"], row["version"], row["taskQueue"]) == ("test.echo", 1, "queue-a")
    assert row["idempotencyKey"] == effect.idempotency_key
    assert (row["status"], row["durationMs"], row["error"]["code"]) == ("FAILED", 1500, "BROKEN")


def test_a_retry_shows_when_the_next_attempt_begins() -> None:
    retry = {"maxAttempts": 2, "backoffMs": 1000, "jitter": False}
    run = DryRun(define(call("c", retry=retry)), script=[failed()])
    run.run()
    rows = run.rows("step")
    assert rows["root.steps[0]#1"]["status"] == "RETRY_SCHEDULED"
    assert rows["root.steps[0]#1"]["nextAttemptAt"] == "2026-03-31T09:00:01.000Z"
    assert rows["root.steps[0]#2"]["startedAt"] == "2026-03-31T09:00:01.000Z"
    assert rows["root.steps[0]#2"]["status"] == "SUCCEEDED"
    assert run.rows("wait") == {}


def test_an_event_wait_is_a_row_and_the_run_waits_meanwhile() -> None:
    filters = [{"path": "kind", "op": "=", "value": "a"}]
    run = DryRun(define(wait_event("w", timeoutMs=1000, filters=filters)))
    effect = run.step()
    assert isinstance(effect, WaitForEvent)
    row = run.rows("wait")[effect.wait_id]
    assert (row["type"], row["status"], row["eventName"], row["correlationKey"]) == ("event", "WAITING", "reply", "k")
    assert (row["timeoutAt"], row["since"], row["filters"]) == ("2026-03-31T09:00:01.000Z", "run", filters)
    assert run.rows("run")["run-1"]["status"] == "WAITING"
    assert run.rows("run")["run-1"]["currentWait"] == effect.wait_id
    run.answer(event("reply", {}, event_id="e-9"))
    assert run.rows("wait")[effect.wait_id]["status"] == "RESOLVED"
    assert run.rows("wait")[effect.wait_id]["eventId"] == "e-9"
    assert run.rows("run")["run-1"]["status"] == "RUNNING"
    assert run.rows("run")["run-1"]["currentWait"] is None


def test_a_wait_that_timed_out_says_so() -> None:
    run = DryRun(define(wait_event("w", timeoutMs=1)), script=[TIMED_OUT])
    run.run()
    assert [row["status"] for row in run.rows("wait").values()] == ["TIMED_OUT"]


def test_time_and_human_waits_are_rows_of_their_type() -> None:
    run = DryRun(
        define(
            {"id": "t", "type": "time.wait", "config": {"mode": "duration", "durationMs": 5}},
            {"id": "h", "type": "human.task", "config": {"taskType": "approval", "title": "Approve"}},
        )
    )
    run.run()
    timer, task = run.effects[:2]
    assert isinstance(timer, Sleep)
    assert isinstance(task, WaitForTask)
    rows = run.rows("wait")
    assert (rows[timer.wait_id]["type"], rows[timer.wait_id]["dueAt"]) == ("time", timer.until)
    assert (rows[task.wait_id]["type"], rows[task.wait_id]["taskId"]) == ("human", task.task_id)
    assert {row["status"] for row in rows.values()} == {"RESOLVED"}


def test_the_row_of_a_call_names_the_child_run() -> None:
    run = DryRun(define({"id": "c", "type": "control.callWorkflow", "workflowId": "o", "workflowVersion": 1}))
    effect = run.step()
    assert isinstance(effect, StartChild)
    assert run.rows("step")["root.steps[0]#1"]["childRunId"] == effect.child_run_id


@pytest.mark.parametrize("details", [{"password": "hunter2"}, {"list": [{"apiKey": "hunter2"}]}])
def test_no_record_shows_a_secret(details: dict[str, Any]) -> None:
    definition = define(
        try_catch("t", [call("c", input={"auth": {"$secret": "MAIL"}})], [wait_event("w", key="k")]),
        call("d", input={"password": "hunter2"}),
    )
    broken = failed()
    broken = broken.model_copy(update={"failure": broken.failure.model_copy(update={"details": details})})
    run = DryRun(definition, script=[broken, Completed(value={"payload": {}}), broken])
    run.run()
    text = " ".join(record.model_dump_json() for record in run.records)
    assert "[REDACTED]" in text
    assert "hunter2" not in text
    assert "$secret" not in text


def test_the_action_itself_sees_the_details_that_rows_do_not_show() -> None:
    definition = define(try_catch("t", [call("c")], [assign("a", d=expr("error.details.password"))]))
    broken = failed()
    broken = broken.model_copy(update={"failure": broken.failure.model_copy(update={"details": {"password": "p"}})})
    run = DryRun(definition, script=[broken])
    end = run.run()
    assert end.kind == "succeeded"
    assert end.result["vars"] == {"d": "p"}
