"""What steps see and what they leave behind: names, local scopes, loop variables, sharing of large values."""

from typing import Any

import pytest
from tests.fakes.machine import DryRun, assign, branch, call, define, expr, failed, for_each, try_catch

from workflow_runtime.core.machine import CallAction, Completed, Succeeded


def finish(run: DryRun) -> dict[str, Any]:
    end = run.run()
    assert isinstance(end, Succeeded), end
    return end.result


def test_the_loop_variable_and_the_local_scope_describe_the_item() -> None:
    seen = "{'i': item, 'x': x, 'v': vars.x, 'n': index, 'of': length, 'f': isFirst, 'l': isLast, 'lx': local.x}"
    definition = define(for_each("f", "['a', 'b']", assign("s", all=expr(f"append(coalesce(all, []), [{seen}])"))))
    assert finish(DryRun(definition))["vars"]["all"] == [
        {"i": "a", "x": "a", "v": "a", "n": 0, "of": 2, "f": True, "l": False, "lx": "a"},
        {"i": "b", "x": "b", "v": "b", "n": 1, "of": 2, "f": False, "l": True, "lx": "b"},
    ]


@pytest.mark.parametrize(("before", "after"), [({"x": "mine"}, {"x": "mine"}), ({}, {})])
def test_the_loop_variable_is_restored_after_the_loop(before: dict[str, Any], after: dict[str, Any]) -> None:
    steps = [assign("a", **before)] if before else []
    assert finish(DryRun(define(*steps, for_each("f", "[1, 2]", assign("b", x="changed")))))["vars"] == after


def test_the_loop_variable_is_restored_when_a_failure_leaves_the_loop() -> None:
    loop = for_each("f", "[1, 2]", call("c"), item_var="x")
    definition = define(assign("a", x="mine"), try_catch("t", [loop], [assign("b", seen=expr("x"))]))
    assert finish(DryRun(definition, script=[failed()]))["vars"] == {"x": "mine", "seen": "mine"}


def test_loops_nest_and_the_inner_local_scope_covers_the_outer_one() -> None:
    inner = for_each("in", "[1, 2]", assign("a", out=expr("append(coalesce(out, []), x * 10 + y)")), item_var="y")
    after = assign("b", outer=expr("local.index"))
    assert finish(DryRun(define(for_each("out", "[3, 4]", inner, after))))["vars"] == {
        "out": [31, 32, 41, 42],
        "outer": 1,
    }


def test_the_same_loop_variable_in_a_nested_loop_is_the_outer_one_again_afterwards() -> None:
    inner = for_each("in", "[1]", assign("a", n=1))
    definition = define(for_each("out", "[7]", inner, assign("b", after=expr("x"))))
    assert finish(DryRun(definition))["vars"] == {"n": 1, "after": 7}


def test_a_loop_over_nothing_runs_nothing() -> None:
    assert finish(DryRun(define(for_each("f", "[]", assign("a", x=1)))))["vars"] == {}


def test_system_and_meta_can_be_read() -> None:
    definition = define(
        {"id": "s", "type": "state.set", "config": {"state": "NEW"}},
        assign("a", run=expr("system.runId"), tenant=expr("system.tenantId"), state=expr("meta.state")),
    )
    assert finish(DryRun(definition))["vars"] == {"run": "run-1", "tenant": "acme", "state": "NEW"}


def test_scope_names_win_over_variables_of_the_same_name() -> None:
    definition = define(
        {"id": "a", "type": "transform.assign", "config": {"assign": {"vars.payload": "shadow"}}},
        assign("b", seen=expr("payload.n"), kept=expr("vars.payload")),
    )
    assert finish(DryRun(definition, payload={"n": 1}))["vars"] == {"payload": "shadow", "seen": 1, "kept": "shadow"}


def test_error_can_be_assigned_and_is_lost_with_its_catch_block() -> None:
    note = {
        "id": "n",
        "type": "transform.assign",
        "config": {"assign": {"error.note": "seen", "vars.n": expr("error")}},
    }
    definition = define(try_catch("t", [call("c")], [note]), assign("z", after=expr("error = null")))
    variables = finish(DryRun(definition, script=[failed()]))["vars"]
    assert variables["n"]["note"] == "seen"
    assert variables["after"] is True


def test_idempotency_keys_differ_by_item_and_not_by_attempt() -> None:
    step = call("c", input={"n": 1}, retry={"maxAttempts": 2, "backoffMs": 0})
    run = DryRun(define(for_each("f", "[1, 2]", step)), script=[failed()])
    finish(run)
    keys = [effect.idempotency_key for effect in run.effects if isinstance(effect, CallAction)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0].startswith("acme:run-1:root.steps[0].body[0].steps[0]:test.echo:1:")
    assert keys[2].startswith("acme:run-1:root.steps[0].body[1].steps[0]:test.echo:1:")


def test_an_authored_idempotency_key_is_prefixed_with_the_tenant() -> None:
    run = DryRun(define(call("c", idempotencyKey=expr("'order-' & payload.id"))), payload={"id": "7"})
    finish(run)
    assert isinstance(run.effects[0], CallAction)
    assert run.effects[0].idempotency_key == "acme:order-7"


def test_steps_share_the_payload_instead_of_copying_it() -> None:
    payload = {"big": [{"n": n} for n in range(1000)]}
    run = DryRun(define(call("c", input={"n": 1}, save_as="payload.answer"), assign("a", x=1)), payload=payload)
    run.step()
    before = run.machine.checkpoint()["scopes"]["payload"]["big"]
    run.answer(Completed(value={}))
    end = run.step()
    assert isinstance(end, Succeeded)
    assert end.result["payload"]["big"] is before
    assert end.result["payload"]["answer"] == {}


def test_a_value_that_wraps_itself_in_every_turn_of_a_loop_is_stopped() -> None:
    definition = define(for_each("f", "payload.turns", assign("a", deep=expr("{'d': coalesce(deep, 1)}"))))
    end = DryRun(definition, payload={"turns": list(range(300))}).run()
    assert end.kind == "failed"
    assert end.failure.code == "TOO_DEEP"


def test_nesting_of_blocks_costs_no_python_stack() -> None:
    step: dict[str, Any] = assign("leaf", reached=True)
    for level in range(60):
        step = branch(f"i{level}", "true", [step])
    run = DryRun(define(step))
    assert run.step().kind == "succeeded"
    assert run.rows("run")["run-1"]["stepCount"] == 61


def test_saving_and_assigning_drop_no_other_scope() -> None:
    definition = define(
        {"id": "open", "type": "state.set", "config": {"state": "OPEN"}},
        try_catch(
            "t",
            [call("c", input={"p": expr("nothing")})],
            [call("d", save_as="vars.saved"), assign("e", seen=expr("error.category"), state=expr("meta.state"))],
        ),
    )
    result = finish(DryRun(definition, {"kept": 1}))
    assert result["meta"] == {"state": "OPEN"}
    assert result["payload"] == {"kept": 1}
    assert (result["vars"]["seen"], result["vars"]["state"], "saved" in result["vars"]) == (
        "ExpressionError",
        "OPEN",
        True,
    )
