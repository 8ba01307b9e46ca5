"""What publishing says of whole documents: several findings at once, nothing known, nonsense, sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import (
    TICKET_REF,
    action,
    call,
    codes,
    definition,
    document,
    environment,
    expr,
    findings_of,
    node,
    only,
    state,
    step,
)

from workflow_runtime.core.findings import FindingCode, has_errors
from workflow_runtime.core.validation import (
    Environment,
    validate_document,
    validate_for_publish,
)


def test_one_answer_carries_findings_of_shape_and_of_meaning() -> None:
    data = document(
        node("state.sett", "bad-type", state="X"),
        step("control.if", "bad-expression", condition=expr("$now()"), then=[node("state.set", "bad-config")]),
        action("no.such_action"),
        step("control.return", "bad-option", retry={}),
        trigger={"type": "event", "eventName": "NO_SUCH_EVENT"},
    )
    parsed, findings = validate_document(data, environment())
    assert parsed is None
    assert {finding.code.value for finding in findings} == {
        "UNKNOWN_NODE_TYPE",
        "INVALID_CONFIG",
        "INVALID_EXPRESSION",
        "UNKNOWN_ACTION",
        "UNSUPPORTED_OPTION",
        "UNKNOWN_TRIGGER_EVENT",
    }
    assert {finding.step_path for finding in findings if finding.code is FindingCode.UNKNOWN_ACTION} == {
        "root.steps[2]"
    }


def test_a_document_with_a_broken_head_still_has_its_steps_judged() -> None:
    data = {"steps": [action("no.such_action")], "version": 0, "trigger": 5}
    _, findings = validate_document(data, environment())
    found = {finding.code.value for finding in findings}
    assert found == {"INVALID_WORKFLOW_DEFINITION", "UNKNOWN_ACTION"}


def test_a_step_that_does_not_read_keeps_its_id_its_blocks_and_what_is_sound_in_it() -> None:
    """Nothing that is wrong waits for a second answer because something else is wrong beside it."""
    data = document(
        node("state.sett", "twice", state="X"),
        step("control.if", "twice", condition=5, then=[action("no.such_action") | {"id": "in-if"}]),
        step("control.forEach", "loop", items=expr("1"), itemVar="i", onError={}, body=[action("no.such_action")]),
        step("control.tryCatch", "try", catch=[action("no.such_action") | {"id": "in-catch"}], bogus=1) | {"try": 5},
        node("time.wait", "wait", mode="until", until="tomorrow", bogus=1),
        node("human.task", "task", taskType="t", title=5) | {"retry": {"maxAttempts": 0}, "name": 7},
    )
    parsed, findings = validate_document(data, environment())
    assert parsed is None
    found = {(finding.code.value, finding.step_path) for finding in findings}
    assert found >= {
        ("DUPLICATE_STEP_ID", "root.steps[1]"),
        ("UNKNOWN_ACTION", "root.steps[1].then.steps[0]"),
        ("UNSUPPORTED_OPTION", "root.steps[2]"),
        ("UNKNOWN_ACTION", "root.steps[2].body.steps[0]"),
        ("UNKNOWN_ACTION", "root.steps[3].catch.steps[0]"),
        ("INVALID_CONFIG", "root.steps[4]"),
        ("INVALID_CONFIG", "root.steps[5]"),
    }
    told = " ".join(finding.message for finding in findings)
    assert "'tomorrow' is no ISO 8601 instant" in told
    assert "title must be text" in told
    assert "invalid" not in " ".join(finding.step_id or "" for finding in findings)


def test_a_sound_document_gives_its_definition() -> None:
    parsed, findings = validate_document(document(state()), environment())
    assert parsed == definition(state())
    assert findings == []


def test_an_empty_environment_knows_nothing_and_breaks_nothing() -> None:
    found = validate_for_publish(definition(action(), call("x")), Environment())
    assert set(codes(found)) == {
        "UNKNOWN_PAYLOAD_SCHEMA_REF",
        "UNKNOWN_ACTION",
        "CALL_WORKFLOW_UNKNOWN",
        "DUPLICATE_STEP_ID",
    }


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["control.if", "action.call", TICKET_REF]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "type", "config", "steps", "then", "condition", "$expr", "version", "trigger"]),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_no_document_can_make_validation_raise(data: object) -> None:
    parsed, findings = validate_document(data, environment())
    assert parsed is not None or has_errors(findings)


@pytest.mark.parametrize("workflow_id", ["a/b", "..", ".", " ", "a\nb", "\x00", "x" * 201])
def test_an_id_that_no_address_could_hold_is_refused(workflow_id: str) -> None:
    found = only(findings_of(state(), id=workflow_id))
    assert (found.code, found.step_path) == (FindingCode.INVALID_WORKFLOW_DEFINITION, "root")
    assert "cannot stand in an address" in found.message


@pytest.mark.parametrize("workflow_id", ["a b", "ticket: follow-up", "é", "a.b", "x" * 200])
def test_any_other_id_may_be_published(workflow_id: str) -> None:
    assert findings_of(state(), id=workflow_id) == []


def test_a_definition_too_large_to_be_read_in_one_task_is_refused_with_a_way_out() -> None:
    steps = [state(f"s{number}") for number in range(12_000)]
    assert findings_of(*steps) == []
    found = only(findings_of(*steps, *(state(f"t{number}") for number in range(12_000))))
    assert found.code is FindingCode.INVALID_WORKFLOW_DEFINITION
    assert "control.callWorkflow" in found.message
