"""Checkpoints, slices and the guard: what a machine refuses, and how it ends when it cannot go on."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.machine import (
    QUEUES,
    DryRun,
    FakeClock,
    assign,
    branch,
    call,
    define,
    for_each,
    run_context,
    try_catch,
    wait_event,
)

from workflow_runtime.core import machine as package
from workflow_runtime.core.contract import RUNTIME_SEMANTICS_VERSION
from workflow_runtime.core.errors import Category, CorruptionFailure, ValidationFailure
from workflow_runtime.core.machine import (
    CallAction,
    Completed,
    Failed,
    Machine,
    Program,
    Project,
    Sleep,
    Succeeded,
    WaitForEvent,
)

EVERYTHING = define(
    assign("a", n=1),
    try_catch("t", [for_each("f", "[1, 2]", branch("i", "x > 0", [call("c"), wait_event("w")]))], [assign("b", m=2)]),
)


def checkpoint_inside() -> dict[str, Any]:
    """A checkpoint with every kind of frame, an effect under way and records not taken."""
    run = DryRun(EVERYTHING)
    run.step()
    run.machine.resume(Completed(), run.clock)
    run.machine.next(run.clock)
    checkpoint: dict[str, Any] = json.loads(json.dumps(run.machine.checkpoint()))
    return checkpoint


def restore(checkpoint: object) -> Machine:
    return Machine.restore(Program(EVERYTHING), checkpoint, action_queues=QUEUES)


def test_the_package_exports_what_shells_use_and_nothing_else() -> None:
    assert sorted(package.__all__) == [
        "CHECKPOINT_VERSION",
        "CallAction",
        "Cancelled",
        "Clock",
        "Completed",
        "DEFAULT_SLICE",
        "Effect",
        "Failed",
        "FailedOutcome",
        "Filter",
        "Machine",
        "Outcome",
        "Program",
        "Project",
        "RunContext",
        "Sleep",
        "StartChild",
        "Succeeded",
        "TimedOut",
        "WaitForEvent",
        "WaitForQuota",
        "WaitForTask",
        "published_program",
    ]


def test_next_gives_the_same_effect_until_it_is_answered() -> None:
    machine, clock = restore(checkpoint_inside()), FakeClock()
    effect = machine.next(clock)
    assert isinstance(effect, WaitForEvent)
    assert machine.next(clock) is effect
    assert machine.current_wait() is effect


def test_the_summary_tells_where_the_run_is() -> None:
    machine = restore(checkpoint_inside())
    summary = machine.summary()
    assert summary.current_step_path == "root.steps[1].try.steps[0].body.steps[0].then.steps[1]"
    assert (summary.run_id, summary.step_count, summary.frame_depth) == ("run-1", 6, 8)
    fresh = DryRun(EVERYTHING).machine.summary()
    assert (fresh.current_step_path, fresh.step_count, fresh.frame_depth) == (None, 0, 0)


def test_a_delay_before_a_retry_is_the_current_wait_and_an_action_is_none() -> None:
    run = DryRun(define(call("c", retry={"maxAttempts": 2, "backoffMs": 1000})))
    assert isinstance(run.step(), CallAction)
    assert run.machine.current_wait() is None
    run.answer(package.TimedOut())
    assert isinstance(run.step(), Sleep)
    assert isinstance(run.machine.current_wait(), Sleep)


def test_a_checkpoint_of_a_newer_worker_is_left_to_it() -> None:
    with pytest.raises(CorruptionFailure, match="run a worker at least as new") as caught:
        restore({"version": package.CHECKPOINT_VERSION + 1})
    assert caught.value.code == "CHECKPOINT_VERSION"


@pytest.mark.parametrize(
    "checkpoint", [None, 7, {}, [], {"version": "1"}, {"version": 0}, {"version": True}, {"version": 1.0}]
)
def test_what_no_worker_writes_is_no_checkpoint(checkpoint: object) -> None:
    with pytest.raises(CorruptionFailure, match="the checkpoint is damaged") as caught:
        restore(checkpoint)
    assert caught.value.code == "CHECKPOINT_DAMAGED"


@pytest.mark.parametrize("key", ["run", "startedAt", "scopes", "frames", "pending", "seq", "stepCount", "records"])
def test_a_checkpoint_with_a_part_missing_is_refused(key: str) -> None:
    checkpoint = checkpoint_inside()
    del checkpoint[key]
    with pytest.raises(CorruptionFailure) as caught:
        restore(checkpoint)
    assert caught.value.code == "CHECKPOINT_DAMAGED"


def test_a_checkpoint_is_refused_against_another_definition() -> None:
    with pytest.raises(CorruptionFailure, match="pinned to the definition") as caught:
        Machine.restore(Program(define(assign("a", n=2))), checkpoint_inside(), action_queues=QUEUES)
    assert caught.value.code == "DEFINITION_HASH"


def test_a_run_does_not_start_on_a_definition_it_is_not_pinned_to() -> None:
    run = run_context(EVERYTHING)
    with pytest.raises(CorruptionFailure):
        Machine.start(Program(define(assign("a", n=2))), run, {}, action_queues=QUEUES)


def test_a_run_of_newer_semantics_is_left_to_a_newer_worker() -> None:
    run = run_context(EVERYTHING).model_copy(update={"runtime_semantics_version": RUNTIME_SEMANTICS_VERSION + 1})
    with pytest.raises(CorruptionFailure) as caught:
        Machine.start(Program(EVERYTHING), run, {}, action_queues=QUEUES)
    assert caught.value.code == "SEMANTICS_VERSION"


def test_a_payload_that_is_no_json_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationFailure):
        Machine.start(Program(EVERYTHING), run_context(EVERYTHING), {"a": float("nan")}, action_queues=QUEUES)


def _paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [path, *(found for key in keys for found in _paths(node[key], (*path, key)))]


@settings(max_examples=max(400, settings().max_examples), deadline=None)
@given(data=st.data())
def test_a_damaged_checkpoint_is_refused_or_ends_the_run_and_never_raises_later(data: st.DataObject) -> None:
    checkpoint = checkpoint_inside()
    *parents, last = data.draw(st.sampled_from(_paths(checkpoint)[1:]))
    node: Any = checkpoint
    for key in parents:
        node = node[key]
    node[last] = data.draw(st.sampled_from([None, 0, -1, 10**9, "", "x", [], {}, [[]], {"a": 1}, True, "root", "step"]))
    try:
        machine = restore(checkpoint)
    except CorruptionFailure:
        return
    clock = FakeClock()
    for _ in range(50):
        if isinstance(machine.next(clock), Succeeded | Failed):
            break
        machine.resume(Completed(value={"payload": {}}), clock)
        machine.take_projections()
    assert machine.finished


# Slices


def test_a_long_pure_stretch_is_cut_into_slices() -> None:
    run = DryRun(define(for_each("f", "payload.items", assign("a", n=1))), {"items": list(range(500))})
    assert isinstance(run.run(), Succeeded)
    assert [effect.kind for effect in run.effects] == ["project"] * 7 + ["succeeded"]
    assert len(run.rows("step")) == 501


def test_a_loop_over_nothing_but_empty_bodies_is_cut_too() -> None:
    empty = {"id": "i", "type": "control.if", "condition": {"$expr": "false"}, "then": []}
    run = DryRun(define(for_each("f", "payload.items", empty)), {"items": list(range(1000))})
    first = run.step()
    assert isinstance(first, Project)
    assert run.machine.summary().step_count < 200


def test_a_failed_flush_ends_the_run() -> None:
    run = DryRun(define(assign("a", n=1), assign("b", n=2)), slice_size=1)
    assert isinstance(run.step(), Project)
    run.answer(package.FailedOutcome(failure=ValidationFailure("no store").to_failure()))
    end = run.step()
    assert isinstance(end, Failed)
    assert end.failure.category == Category.VALIDATION


# The guard


def test_an_outcome_for_no_effect_ends_the_run_as_corrupt() -> None:
    run = DryRun(define(assign("a", n=1)))
    run.answer(Completed())
    end = run.step()
    assert isinstance(end, Failed)
    assert (end.failure.category, end.failure.code) == (Category.CORRUPTION, "NO_EFFECT")


def test_something_that_is_no_outcome_ends_the_run_as_corrupt() -> None:
    run = DryRun(define(call("c", onError={"policy": "continue"})))
    run.step()
    run.answer("done")  # type: ignore[arg-type]
    end = run.step()
    assert isinstance(end, Failed)
    assert (end.failure.category, end.failure.code) == (Category.CORRUPTION, "INVALID_OUTCOME")
    assert run.rows("run")["run-1"]["status"] == "FAILED"
    assert run.rows("step")["root.steps[0]#1"]["status"] == "FAILED"


def test_a_clock_that_breaks_ends_the_run_as_corrupt() -> None:
    class BrokenClock(FakeClock):
        def now_iso(self) -> str:
            raise RuntimeError("no time \ud800")

    machine = DryRun(define(call("c"))).machine
    end = machine.next(BrokenClock())
    assert isinstance(end, Failed)
    assert (end.failure.category, end.failure.code) == (Category.CORRUPTION, "UNEXPECTED")
    assert end.failure.message == "RuntimeError: no time ?"


def test_an_event_that_is_none_ends_the_run_as_corrupt() -> None:
    run = DryRun(define({**wait_event("w"), "onError": {"policy": "continue"}}), script=[Completed(value=[1])])
    end = run.run()
    assert isinstance(end, Failed)
    assert end.failure.code == "INVALID_OUTCOME"


def test_an_output_that_no_scope_may_hold_is_a_failure_of_the_step() -> None:
    run = DryRun(define(call("c", onError={"policy": "continue"}), assign("z", n=1)), script=[Completed(value={1, 2})])
    end = run.run()
    assert isinstance(end, Succeeded)
    assert run.rows("action")["root.steps[0]#1"]["error"]["code"] == "NOT_JSON"


def test_what_arrives_after_the_end_is_ignored() -> None:
    run = DryRun(define(assign("a", n=1)))
    end = run.step()
    run.answer(package.Cancelled())
    run.answer(Completed())
    assert run.step() == end
    assert run.machine.finished


def test_heavy_expressions_end_a_slice_early_and_light_ones_do_not() -> None:
    numbers = {"n": list(range(3_000))}

    def projects(text: str) -> int:
        run = DryRun(define(for_each("f", "[1..60]", assign("a", x={"$expr": text}))), numbers)
        assert isinstance(run.run(), Succeeded)
        return sum(isinstance(effect, Project) for effect in run.effects)

    assert projects("1") == 0
    assert projects("len(payload.n[$ in $$.payload.n])") > 5


def test_large_mails_end_a_slice_early_as_well() -> None:
    mail = {"id": "m", "type": "email.parseBody", "config": {"html": {"$expr": "payload.m"}, "saveAs": "vars.mail"}}
    run = DryRun(define(for_each("f", "[1..20]", mail)), {"m": "<b>x</b>" * 10_000})
    assert isinstance(run.run(), Succeeded)
    assert sum(isinstance(effect, Project) for effect in run.effects) > 3
