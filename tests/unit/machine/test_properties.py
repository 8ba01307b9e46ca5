"""What holds for every definition and every course of events: hypothesis writes both."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.machine import DryRun, FakeClock, define, run_context
from tests.unit.machine.strategies import JSON, PAYLOADS, SCRIPTS, STEPS, numbered

from workflow_runtime.core.errors import Category, Failure
from workflow_runtime.core.machine import (
    CallAction,
    Cancelled,
    Completed,
    Failed,
    FailedOutcome,
    Machine,
    Program,
    Succeeded,
    TimedOut,
)

# A profile with more examples (--hypothesis-profile) makes the search longer, none makes it shorter.
SETTINGS = settings(
    max_examples=max(300, settings().max_examples),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def course(run: DryRun) -> list[Any]:
    """Everything that can be seen of a run from outside."""
    run.run()
    return [*(effect.model_dump(mode="json") for effect in run.effects), *(item.model_dump() for item in run.records)]


@SETTINGS
@given(steps=STEPS, payload=PAYLOADS, script=SCRIPTS, slice_size=st.sampled_from([1, 3, 200]))
def test_a_checkpoint_at_every_point_changes_nothing(
    steps: list[dict[str, Any]], payload: Any, script: list[Any], slice_size: int
) -> None:
    definition = define(*numbered(steps))
    straight = DryRun(definition, payload, script, slice_size=slice_size)
    restored = DryRun(definition, payload, script, slice_size=slice_size, restoring=True)
    assert course(straight) == course(restored)
    assert straight.clock.now_iso() == restored.clock.now_iso()


@SETTINGS
@given(steps=STEPS, payload=PAYLOADS, script=SCRIPTS)
def test_every_run_ends_and_its_rows_say_how(steps: list[dict[str, Any]], payload: Any, script: list[Any]) -> None:
    run = DryRun(define(*numbered(steps)), payload, script)
    end = run.run()
    if isinstance(end, Succeeded):
        expected = "SUCCEEDED"
    else:
        expected = "CANCELED" if end.failure.category is Category.CANCELLATION else "FAILED"
    assert run.rows("run")["run-1"]["status"] == expected
    assert not {row["status"] for row in run.rows("step").values()} & {"STARTED"}
    assert not {row["status"] for row in run.rows("action").values()} & {"STARTED"}
    assert not {row["status"] for row in run.rows("wait").values()} & {"WAITING"}
    assert [record.seq for record in run.records] == list(range(1, len(run.records) + 1))
    if not any(isinstance(item, FailedOutcome) for item in script):
        assert not (isinstance(end, Failed) and end.failure.code in ("UNEXPECTED", "NO_EFFECT", "NO_STEP"))


@SETTINGS
@given(steps=STEPS, payload=PAYLOADS, script=SCRIPTS)
def test_scopes_never_lose_a_key_but_the_variables_of_loops(
    steps: list[dict[str, Any]], payload: Any, script: list[Any]
) -> None:
    run = DryRun(define(*numbered(steps)), payload, script, slice_size=1)
    loops = {"x", "y", "a"}
    before = run.machine.checkpoint()["scopes"]
    while not isinstance(effect := run.step(), Succeeded | Failed):
        run.answer(run.outcome(effect))
        scopes = run.machine.checkpoint()["scopes"]
        assert set(scopes) == {"payload", "vars", "meta", "error"}
        assert set(before["vars"]) - loops <= set(scopes["vars"])
        assert set(before["meta"]) <= set(scopes["meta"])
        assert set(before["payload"]) <= set(scopes["payload"])
        before = scopes


@SETTINGS
@given(steps=STEPS, payload=PAYLOADS, script=SCRIPTS)
def test_item_paths_wait_ids_and_child_ids_are_unique(
    steps: list[dict[str, Any]], payload: Any, script: list[Any]
) -> None:
    run = DryRun(define(*numbered(steps)), payload, script)
    run.run()
    started = [record.key for record in run.records if record.kind == "step" and "stepId" in record.fields]
    assert len(started) == len(set(started))
    calls = [(item.item_path, item.attempt) for item in run.effects if isinstance(item, CallAction)]
    assert len(calls) == len(set(calls))
    for name in ("wait_id", "child_run_id"):
        ids = [getattr(effect, name) for effect in run.effects if hasattr(effect, name)]
        assert len(ids) == len(set(ids))


class Thing:
    """No outcome, no JSON, and unwilling to be shown."""

    def __repr__(self) -> str:
        raise ValueError("\ud800")


WRONG_VALUES = st.one_of(
    JSON,
    st.just(float("nan")),
    st.just("\ud800"),
    st.just({1: 2}),
    st.just({"a", "b"}),
    st.builds(Thing),
    st.just(10**400),
    st.just({"eventId": 5, "payload": {"$secret": "X"}, "eventName": ["\ud800"]}),
    st.integers(150, 400).map(lambda depth: json.loads("[" * depth + "]" * depth)),
)
WRONG_OUTCOMES = st.one_of(
    st.builds(lambda value: Completed(value=value), WRONG_VALUES),
    st.builds(
        lambda value, category: FailedOutcome(failure=Failure(category=category, message="m", details=value)),
        WRONG_VALUES,
        st.sampled_from(sorted(Category)),
    ),
    st.just(TimedOut()),
    st.just(Cancelled()),
    st.just(None),
    st.builds(Thing),
)


@SETTINGS
@given(steps=STEPS, payload=PAYLOADS, outcomes=st.lists(WRONG_OUTCOMES, max_size=8), order=st.randoms())
def test_nothing_raises_out_of_the_machine_and_it_always_ends(
    steps: list[dict[str, Any]], payload: Any, outcomes: list[Any], order: Any
) -> None:
    definition = define(*numbered(steps))
    machine = Machine.start(Program(definition), run_context(definition), payload, action_queues={})
    clock = FakeClock()
    for outcome in outcomes:
        if order.random() < 0.8:
            machine.next(clock)
        machine.resume(outcome, clock)
        json.dumps(machine.checkpoint(), allow_nan=False)
    machine.resume(Cancelled(), clock)
    end = machine.next(clock)
    assert isinstance(end, Succeeded | Failed)
    machine.resume(Completed(value=1), clock)
    assert machine.next(clock) == end
    json.dumps([record.model_dump(mode="json") for record in machine.take_projections()], allow_nan=False)
