"""What each step type does when nothing goes wrong."""

import pytest
from tests.fakes.machine import (
    DryRun,
    assign,
    branch,
    call,
    define,
    event,
    expr,
    for_each,
    try_catch,
    wait_event,
)

from workflow_runtime.core.machine import CallAction, Completed, Sleep, StartChild, Succeeded, WaitForEvent, WaitForTask


def finish(run: DryRun) -> Succeeded:
    end = run.run()
    assert isinstance(end, Succeeded), end
    return end


def test_state_set_and_assign_write_scopes_without_an_effect() -> None:
    run = DryRun(
        define(
            {"id": "s", "type": "state.set", "config": {"state": "OPEN"}},
            {
                "id": "a",
                "type": "transform.assign",
                "config": {
                    "assign": {"payload.n": expr("payload.n + 1"), "vars.a": "lit", "b.c": expr("meta.state"), "/k": 2}
                },
            },
        ),
        payload={"n": 1},
    )
    result = finish(run).result
    assert result["payload"] == {"n": 2, "k": 2}
    assert result["vars"] == {"a": "lit", "b": {"c": "OPEN"}}
    assert result["meta"] == {"state": "OPEN"}
    assert len(run.effects) == 1


def test_assignments_run_in_the_order_of_their_sorted_paths_and_see_each_other() -> None:
    result = finish(DryRun(define(assign("a", b=expr("a + 1"), a=1)))).result
    assert result["vars"] == {"a": 1, "b": 2}


@pytest.mark.parametrize(("flag", "taken"), [(True, "then"), (False, "else")])
def test_if_takes_the_branch_its_condition_names(flag: bool, taken: str) -> None:
    step = branch("i", "payload.flag", [assign("t", took="then")], [assign("e", took="else")])
    assert finish(DryRun(define(step), payload={"flag": flag})).result["vars"] == {"took": taken}


def test_if_without_else_goes_on() -> None:
    assert finish(DryRun(define(branch("i", "false", [assign("t", took=1)]), assign("z", end=1)))).result["vars"] == {
        "end": 1
    }


def test_action_call_sends_its_input_on_the_pinned_queue_and_saves_the_output() -> None:
    run = DryRun(
        define(call("c", input={"n": expr("payload.n"), "lit": [1]}, save_as="payload.answer")), payload={"n": 3}
    )
    result = finish(run).result
    effect = run.effects[0]
    assert isinstance(effect, CallAction)
    assert effect.task_queue == "queue-a"
    assert effect.input == {"n": 3, "lit": [1]}
    assert (effect.step_path, effect.item_path, effect.attempt) == ("root.steps[0]", "root.steps[0]", 1)
    assert result["payload"] == {"n": 3, "answer": {"n": 3, "lit": [1]}}


def test_save_as_keeps_meta_and_error() -> None:
    definition = define(
        {"id": "s", "type": "state.set", "config": {"state": "OPEN"}},
        try_catch(
            "t",
            [assign("bad", x=expr("payload.missing"))],
            [call("c", input={"a": 1}, save_as="vars.out"), assign("after", message=expr("error.category"))],
        ),
    )
    result = finish(DryRun(definition)).result
    assert result["meta"] == {"state": "OPEN"}
    assert result["vars"] == {"out": {"a": 1}, "message": "ExpressionError"}


def test_event_wait_sets_event_and_name_and_then_assigns() -> None:
    run = DryRun(
        define(
            wait_event(
                "w",
                key=expr("payload.ticketId"),
                filters=[{"path": "kind", "op": "=", "value": "answer"}],
                timeoutMs=60_000,
                since="wait",
                assign={"vars.text": expr("event.text"), "payload.seen": expr("eventName")},
            )
        ),
        payload={"ticketId": 42},
        script=[event("reply", {"text": "hello"})],
    )
    result = finish(run).result
    effect = run.effects[0]
    assert isinstance(effect, WaitForEvent)
    assert (effect.event_name, effect.correlation_key, effect.since) == ("reply", "42", "wait")
    assert effect.timeout_at == "2026-03-31T09:01:00.000Z"
    assert [(item.path, item.op, item.value) for item in effect.filters] == [("kind", "=", "answer")]
    assert result["vars"] == {"event": {"text": "hello"}, "eventName": "reply", "text": "hello"}
    assert result["payload"]["seen"] == "reply"


def test_event_wait_with_a_null_key_waits_for_any_key() -> None:
    run = DryRun(define(wait_event("w", key=None)))
    finish(run)
    assert isinstance(run.effects[0], WaitForEvent)
    assert run.effects[0].correlation_key is None


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "duration", "durationMs": 90_000},
        {"mode": "duration", "durationMs": expr("payload.ms")},
        {"mode": "until", "until": "2026-03-31T11:01:30+02:00"},
        {"mode": "until", "until": expr("'2026-03-31T09:01:30'")},
    ],
)
def test_time_wait_sleeps_until_it_is_due(config: dict[str, object]) -> None:
    config = {**config, "assign": {"at": expr("timeWait.dueAt")}}
    run = DryRun(define({"id": "t", "type": "time.wait", "config": config}), payload={"ms": 90_000})
    result = finish(run).result
    effect = run.effects[0]
    assert isinstance(effect, Sleep)
    assert (effect.until, effect.reason) == ("2026-03-31T09:01:30.000Z", "time")
    due = "2026-03-31T09:01:30.000Z"
    assert result["vars"] == {"timeWait": {"mode": config["mode"], "dueAt": due, "resumedAt": due}, "at": due}


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "duration", "durationMs": 0},
        {"mode": "until", "until": "2026-03-31T09:00:00Z"},
        {"mode": "until", "until": "1999-01-01"},
    ],
)
def test_a_time_wait_that_is_due_already_needs_no_timer(config: dict[str, object]) -> None:
    run = DryRun(define({"id": "t", "type": "time.wait", "config": config}))
    assert finish(run).result["vars"]["timeWait"]["resumedAt"] == "2026-03-31T09:00:00.000Z"
    assert run.rows("wait") == {}


def test_human_task_opens_a_task_and_takes_the_response() -> None:
    config = {
        "taskType": "approval",
        "title": expr("'Approve ' & payload.what"),
        "contextData": {"what": expr("payload.what")},
        "timeoutMs": 1000,
        "assign": {"approved": expr("event.approved")},
    }
    run = DryRun(
        define({"id": "h", "type": "human.task", "config": config}),
        payload={"what": "budget"},
        script=[Completed(value={"eventName": "APPROVED", "payload": {"approved": True}})],
    )
    result = finish(run).result
    effect = run.effects[0]
    assert isinstance(effect, WaitForTask)
    assert (effect.task_type, effect.title, effect.context_data) == ("approval", "Approve budget", {"what": "budget"})
    assert effect.timeout_at == "2026-03-31T09:00:01.000Z"
    assert effect.task_id != effect.wait_id
    assert result["vars"] == {"event": {"approved": True}, "eventName": "APPROVED", "approved": True}


def test_call_workflow_starts_a_child_and_maps_its_result() -> None:
    step = {
        "id": "c",
        "type": "control.callWorkflow",
        "workflowId": "other",
        "workflowVersion": 4,
        "inputMapping": {"n": expr("payload.n")},
        "outputMapping": {"vars.sum": expr("childRun.payload.sum"), "vars.v": expr("childRun.vars.v")},
    }
    child = {"payload": {"sum": 9}, "vars": {"v": 1}, "local": {}, "system": {}, "meta": {}}
    run = DryRun(define(step), payload={"n": 2}, script=[Completed(value=child)])
    result = finish(run).result
    effect = run.effects[0]
    assert isinstance(effect, StartChild)
    assert (effect.workflow_id, effect.workflow_version, effect.payload) == ("other", 4, {"n": 2})
    assert result["vars"] == {"sum": 9, "v": 1}


def test_a_child_run_id_is_the_same_on_replay_and_another_for_every_run_and_item() -> None:
    step = {"id": "c", "type": "control.callWorkflow", "workflowId": "other", "workflowVersion": 1}
    definition = define(for_each("f", "[1, 2]", step))

    def child_ids(run_id: str) -> list[str]:
        run = DryRun(definition, run_id=run_id)
        finish(run)
        return [effect.child_run_id for effect in run.effects if isinstance(effect, StartChild)]

    assert child_ids("r1") == child_ids("r1")
    assert len(set(child_ids("r1") + child_ids("r2"))) == 4


def test_return_ends_the_run_from_inside_blocks() -> None:
    inner = branch("i", "x == 2", [{"id": "r", "type": "control.return"}])
    definition = define(
        try_catch("t", [for_each("f", "[1, 2, 3]", assign("a", last=expr("x")), inner)], [assign("c", caught=True)]),
        assign("never", after=True),
    )
    run = DryRun(definition)
    result = finish(run).result
    assert result["vars"] == {"last": 2}
    assert result["local"]["index"] == 1
    assert {row["status"] for row in run.rows("step").values()} == {"SUCCEEDED"}


def test_email_steps_are_pure_and_save_their_result() -> None:
    definition = define(
        {"id": "p", "type": "email.parseBody", "config": {"text": expr("payload.text")}},
        {"id": "r", "type": "email.renderCommentBlocks", "config": {"text": expr("payload.parsedEmail.sanitizedText")}},
    )
    run = DryRun(definition, payload={"text": "All good.\n\n> is it?"})
    result = finish(run).result
    assert result["payload"]["parsedEmail"]["sanitizedText"] == "All good."
    assert result["payload"]["commentBlocks"][0]["content"][0]["text"] == "All good."
    assert len(run.effects) == 1


def test_an_empty_definition_succeeds_at_once() -> None:
    assert finish(DryRun(define(), payload={"a": 1})).result["payload"] == {"a": 1}
