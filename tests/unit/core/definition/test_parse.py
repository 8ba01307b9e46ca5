"""Reading definitions from untrusted data."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import definition, document, expr, node, state, step, without

from workflow_runtime.core.canonical import definition_hash
from workflow_runtime.core.definition import (
    STEP_TYPES,
    FindingCode,
    ForEachStep,
    IfStep,
    ParseBodyStep,
    RetryPolicy,
    StateSetStep,
    TimeWaitStep,
    parse_definition,
    walk_steps,
)

EVERY_STEP: tuple[dict[str, Any], ...] = (
    step("control.if", "if", condition=expr("true"), then=[state("t")], **{"else": [state("e")]}),
    step("control.forEach", "each", items=expr("payload.lines"), itemVar="line", body=[state("b")], concurrency=1),
    step("control.tryCatch", "try", **{"try": [state("y")], "catch": [state("c")]}, captureErrorAs="problem"),
    step("control.callWorkflow", "call", workflowId="x", workflowVersion=2, inputMapping={"a": 1}, outputMapping={}),
    node("event.wait", "ev", eventName="E", correlationKey=expr("payload.ticketId"), timeoutMs=5, since="wait"),
    node("time.wait", "tw", mode="until", until="2030-01-01T00:00:00Z"),
    node("human.task", "ht", taskType="review", title="Look", contextData={"t": expr("payload.ticketId")}),
    state("st"),
    node("transform.assign", "as", assign={"vars.a": expr("1"), "b": [1, {"c": None}]}),
    node("action.call", "ac", actionId="transform.trim_text", version=1, inputMapping={"text": {"$secret": "K"}}),
    node("email.parseBody", "pb", text=expr("payload.ticketId")),
    node("email.renderCommentBlocks", "rc", html=expr("payload.ticketId"), saveAs="vars.blocks"),
    step("control.return", "ret"),
)


def broken(*steps: dict[str, Any], **fields: Any) -> list[tuple[str, str | None, str]]:
    parsed, findings = parse_definition(document(*steps, **fields))
    assert parsed is None
    assert all(finding.severity == "error" for finding in findings)
    return [(finding.code.value, finding.step_id, finding.step_path) for finding in findings]


def test_every_step_type_reads_and_writes_back_what_was_written() -> None:
    parsed = definition(*EVERY_STEP, trigger={"type": "event", "eventName": "E"}, description="d")
    assert {placed.step.type for placed in walk_steps(parsed)} == set(STEP_TYPES)
    assert parsed.to_wire() == document(*EVERY_STEP, trigger={"type": "event", "eventName": "E"}, description="d")


def test_a_definition_keeps_its_hash_whatever_the_order_of_its_keys() -> None:
    written = document(*EVERY_STEP)
    shuffled = json.loads(json.dumps(written, sort_keys=True))
    first, second = parse_definition(written)[0], parse_definition(shuffled)[0]
    assert first is not None
    assert second is not None
    assert definition_hash(first) == definition_hash(second)
    assert len(definition_hash(first)) == 64


def test_a_whole_number_written_as_a_float_is_an_integer() -> None:
    assert definition(state(), version=2.0).version == 2


def test_every_error_is_told_at_once_with_its_step() -> None:
    found = broken(
        node("state.set", "a", state=1, extra=True),
        step("control.if", "b", condition=expr("true"), then=[node("no.such", "c")], retry={}),
        id="",
    )
    assert ("INVALID_WORKFLOW_DEFINITION", None, "root") in found
    assert ("INVALID_CONFIG", "a", "root.steps[0]") in found
    assert ("UNSUPPORTED_OPTION", "b", "root.steps[1]") in found
    assert ("UNKNOWN_NODE_TYPE", "c", "root.steps[1].then.steps[0]") in found
    assert found.count(("INVALID_CONFIG", "a", "root.steps[0]")) == 2


@pytest.mark.parametrize("block", ["then", "else", "body", "try", "catch"])
def test_paths_name_the_block(block: str) -> None:
    bad = {"id": "bad", "type": "nope"}
    outer: dict[str, dict[str, Any]] = {
        "then": step("control.if", "o", condition=expr("true"), then=[bad]),
        "else": step("control.if", "o", condition=expr("true"), then=[], **{"else": [bad]}),
        "body": step("control.forEach", "o", items=expr("[]"), itemVar="i", body=[bad]),
        "try": step("control.tryCatch", "o", **{"try": [bad], "catch": []}),
        "catch": step("control.tryCatch", "o", **{"try": [], "catch": [bad]}),
    }
    assert broken(outer[block]) == [("UNKNOWN_NODE_TYPE", "bad", f"root.steps[0].{block}.steps[0]")]


def test_a_misspelt_step_type_is_answered_with_the_right_one() -> None:
    _, findings = parse_definition(document(node("state.sett", state="x")))
    assert findings[0].suggestion == 'Did you mean "state.set"?'


@pytest.mark.parametrize("kind", ["control.if", "control.forEach", "control.tryCatch", "control.return"])
@pytest.mark.parametrize("option", ["retry", "onError"])
def test_options_that_control_steps_cannot_honour_are_refused(kind: str, option: str) -> None:
    fields: dict[str, dict[str, Any]] = {
        "control.if": {"condition": expr("true"), "then": []},
        "control.forEach": {"items": expr("[]"), "itemVar": "i", "body": []},
        "control.tryCatch": {"try": [], "catch": []},
        "control.return": {},
    }
    assert broken(step(kind, **{**fields[kind], option: {}})) == [("UNSUPPORTED_OPTION", "s", "root.steps[0]")]


@pytest.mark.parametrize(
    "config",
    [
        {"mode": "duration"},
        {"mode": "duration", "until": "2030-01-01T00:00:00Z"},
        {"mode": "until", "durationMs": 1, "until": "2030-01-01T00:00:00Z"},
        {"mode": "duration", "durationMs": -1},
        {"mode": "duration", "durationMs": 1.5},
        {"mode": "duration", "durationMs": True},
        {"mode": "duration", "durationMs": 10**15},
        {"mode": "until", "until": 5},
        {"mode": "sometime"},
        {},
    ],
)
def test_a_time_wait_takes_exactly_what_its_mode_needs(config: dict[str, Any]) -> None:
    assert ("INVALID_CONFIG", "s", "root.steps[0]") in broken(node("time.wait", **config))


def test_a_time_wait_may_compute_its_duration() -> None:
    parsed = definition(node("time.wait", mode="duration", durationMs=expr("payload.count * 1000")))
    wait = parsed.steps[0]
    assert isinstance(wait, TimeWaitStep)
    assert wait.config.duration_ms == expr("payload.count * 1000")


@pytest.mark.parametrize(
    "filter_",
    [
        {"path": "a", "op": "in", "value": 1},
        {"path": "a", "op": "in"},
        {"path": "a", "op": "not_in", "value": [[1]]},
        {"path": "a", "op": "exists", "value": None},
        {"path": "a", "op": ">", "value": "1"},
        {"path": "a", "op": "<", "value": True},
        {"path": "a", "op": "contains", "value": 1},
        {"path": "a", "op": "=", "value": {"x": 1}},
        {"path": "a", "op": "="},
        {"path": "", "op": "exists"},
        {"path": "a", "op": "like", "value": "x"},
        {"path": "a", "op": "=", "value": {"$expr": "x"}},
    ],
)
def test_a_filter_value_must_fit_its_operator(filter_: dict[str, Any]) -> None:
    wait = node("event.wait", eventName="E", correlationKey=None, filters=[filter_])
    assert {code for code, _, _ in broken(wait)} == {"INVALID_CONFIG"}


@pytest.mark.parametrize("value", [{"$expr": 1}, {"$expr": "a", "b": 1}, {"$secret": None}, [{"$expr": "a", "x": 1}]])
def test_references_have_an_exact_shape(value: Any) -> None:
    assert broken(node("transform.assign", assign={"a": value})) == [("INVALID_CONFIG", "s", "root.steps[0]")]


@pytest.mark.parametrize("name", ["a b", "1a", "", "a.b", "$x"])
def test_loop_variables_are_plain_names(name: str) -> None:
    loop = step("control.forEach", items=expr("[]"), itemVar=name, body=[])
    assert broken(loop) == [("INVALID_CONFIG", "s", "root.steps[0]")]


@pytest.mark.parametrize(
    "data",
    [None, 1, "x", [], {}, {"steps": {}}, {"steps": [[]]}, {"steps": [None]}, b"x", {1: 2}, float("nan"), "\ud800"],
)
def test_anything_else_is_refused_and_never_raises(data: object) -> None:
    parsed, findings = parse_definition(data)
    assert parsed is None
    assert findings


def test_nesting_without_end_is_refused() -> None:
    data: Any = document(state())
    for _ in range(100_000):
        data = [data]
    parsed, findings = parse_definition(data)
    assert parsed is None
    assert "levels deep" in findings[0].message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(STEP_TYPES),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["id", "type", "config", "steps", "then", "try", "body", "$expr", "version", "trigger"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_no_data_can_make_the_reader_raise(data: object) -> None:
    parsed, findings = parse_definition(data)
    assert (parsed is None) == bool(findings)


@given(st.integers(0, len(EVERY_STEP) - 1), st.data())
def test_a_damaged_step_is_named_by_its_path(index: int, data: st.DataObject) -> None:
    steps = [dict(item) for item in EVERY_STEP]
    key = data.draw(st.sampled_from(sorted(without(steps[index], "id"))))
    steps[index][key] = data.draw(st.sampled_from([-7, [7]]))
    parsed, findings = parse_definition(document(*steps))
    assert parsed is None
    assert all(finding.step_path.startswith(f"root.steps[{index}]") for finding in findings)


def test_findings_cover_every_code_of_the_contract() -> None:
    assert len(FindingCode) == 25


def test_defaults_are_what_the_contract_says_and_are_not_written_back() -> None:
    retry = {"maxAttempts": 3, "backoffMs": 10}
    parsed = definition(
        step("control.forEach", "a", items=expr("[]"), itemVar="i", body=[]),
        step("control.if", "b", condition=expr("true"), then=[]),
        node("email.parseBody", "c", text=expr("x")),
        {**state("d"), "retry": retry},
    )
    loop, choice, parse, retried = parsed.steps
    assert isinstance(loop, ForEachStep)
    assert loop.on_item_error == "fail"
    assert isinstance(choice, IfStep)
    assert choice.else_ == ()
    assert isinstance(parse, ParseBodyStep)
    assert parse.config.save_as == "payload.parsedEmail"
    assert isinstance(retried, StateSetStep)
    assert retried.retry == RetryPolicy(max_attempts=3, backoff_ms=10, backoff_multiplier=2, jitter=True)
    assert parsed.to_wire()["steps"][2]["config"] == {"text": {"$expr": "x"}}
    assert parsed.to_wire()["steps"][3]["retry"] == retry
