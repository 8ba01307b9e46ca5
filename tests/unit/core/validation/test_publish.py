"""Every finding of publishing, each with a twin that is accepted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.core.builders import (
    TICKET_REF,
    TICKET_SCHEMA,
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
    CalledWorkflow,
    Environment,
    LoadedWorkflows,
    NoWorkflows,
    called_workflows,
    validate_document,
    validate_for_publish,
)

CALLED = LoadedWorkflows(
    {
        ("child", 1): CalledWorkflow(TICKET_SCHEMA),
        ("caller", 1): CalledWorkflow(True, (("wf", 1),)),
        ("far", 1): CalledWorkflow(True, (("caller", 1),)),
        ("loop", 1): CalledWorkflow(True, (("loop", 2),)),
        ("loop", 2): CalledWorkflow(True, (("loop", 1),)),
        ("older", 1): CalledWorkflow(True, (("wf", 7),)),
    }
)


def call(workflow_id: str, version: int = 1, **fields: Any) -> dict[str, Any]:
    return step("control.callWorkflow", workflowId=workflow_id, workflowVersion=version, **fields)


def action(action_id: str = "transform.truncate_text", version: int = 1, **config: Any) -> dict[str, Any]:
    return node("action.call", actionId=action_id, version=version, **config)


def test_a_sound_definition_has_no_findings() -> None:
    steps = (
        action(inputMapping={"text": expr("payload.ticketId"), "maxLength": 5}, saveAs="vars.short"),
        node("event.wait", "w", eventName="E", correlationKey=expr("payload.ticketId")),
        node("transform.assign", "a", assign={"payload.customer.name": expr("vars.short.text"), "/count": 1}),
    )
    assert findings_of(*steps, trigger={"type": "event", "eventName": "TICKET_CREATED"}) == []


def test_a_duplicate_step_id_names_who_has_it() -> None:
    twice = step("control.if", "b", condition=expr("true"), then=[state("a")])
    found = only(findings_of(state("a"), twice))
    assert (found.code, found.step_path) == (FindingCode.DUPLICATE_STEP_ID, "root.steps[1].then.steps[0]")
    assert "root.steps[0]" in found.message


@pytest.mark.parametrize(
    "bad",
    [
        step("control.if", condition=expr(" "), then=[]),
        step("control.forEach", items=expr(""), itemVar="i", body=[]),
        node("transform.assign", assign={"a": {"deep": [expr("")]}}),
        node("event.wait", eventName="E", correlationKey=expr("")),
        node("time.wait", mode="duration", durationMs=expr("")),
        node("human.task", taskType="t", title="x", contextData={"c": expr("")}),
        action(inputMapping={"maxLength": 1, "text": expr("")}),
        action(inputMapping={"maxLength": 1}, idempotencyKey=expr("")),
        call("child", inputMapping={"ticketId": expr("")}),
        call("child", inputMapping={"ticketId": "x"}, outputMapping={"vars.a": expr("")}),
        node("email.parseBody", text=expr(""), saveAs="vars.parsed"),
    ],
    ids=lambda value: value["type"],
)
def test_an_empty_expression_is_found_wherever_it_stands(bad: dict[str, Any]) -> None:
    assert codes(findings_of(bad, env=environment(workflows=CALLED))) == ["EMPTY_EXPRESSION"]


@pytest.mark.parametrize("text", ["$now()", "1 +", "function($x){$x}", "$unbound", "(" * 500])
def test_an_expression_that_may_not_run_is_found(text: str) -> None:
    assert codes(findings_of(step("control.if", condition=expr(text), then=[]))) == ["INVALID_EXPRESSION"]


@pytest.mark.parametrize(
    ("action_id", "version", "suggestion"),
    [
        ("transform.truncate_txt", 1, 'Did you mean "transform.truncate_text"?'),
        ("transform.truncate_text", 2, "transform.truncate_text exists in version 1."),
        ("crm.create_ticket", 1, None),
    ],
)
def test_an_unknown_action_is_found_with_the_nearest_one(action_id: str, version: int, suggestion: str | None) -> None:
    found = only(findings_of(action(action_id, version)))
    assert (found.code, found.suggestion) == (FindingCode.UNKNOWN_ACTION, suggestion)


def test_a_required_input_must_be_mapped() -> None:
    found = only(findings_of(action(inputMapping={"text": "x"})))
    assert found.code is FindingCode.MISSING_REQUIRED_MAPPING
    assert "'maxLength'" in found.message


@pytest.mark.parametrize(
    "mapping",
    [
        {"maxLength": "5"},
        {"maxLength": -1},
        {"maxLength": 5, "strategy": "sideways"},
        {"maxLength": 5, "elipsis": "~"},
        {"maxLength": expr("payload.ticketId")},
        {"maxLength": expr('"text"')},
        {"maxLength": expr("nowIso()")},
        {"maxLength": {"$secret": "API_KEY"}},
        {"maxLength": expr("payload.customer")},
    ],
)
def test_a_mapping_that_cannot_fit_is_found(mapping: dict[str, Any]) -> None:
    assert codes(findings_of(action(inputMapping=mapping))) == ["MAPPING_TYPE_INCOMPATIBLE"]


@pytest.mark.parametrize(
    "mapping",
    [
        {"maxLength": 5},
        {"maxLength": 5.0},
        {"maxLength": expr("payload.count")},
        {"maxLength": expr("payload.lines.price")},
        {"maxLength": expr("payload.ticketId & payload.count")},
        {"maxLength": expr("vars.anything")},
        {"maxLength": 5, "text": {"$secret": "API_KEY"}},
        {"maxLength": 5, "text": {"any": [1, expr("payload.count")]}},
    ],
)
def test_a_mapping_that_may_fit_is_accepted(mapping: dict[str, Any]) -> None:
    assert findings_of(action(inputMapping=mapping)) == []


def test_a_payload_that_steps_write_to_is_no_witness_of_types() -> None:
    write = node("transform.assign", "w", assign={"payload.ticketId": 7})
    assert findings_of(write, action(inputMapping={"maxLength": expr("payload.ticketId")})) == []


def test_a_misspelt_input_is_answered_with_the_right_one() -> None:
    found = only(findings_of(action(inputMapping={"maxLength": 5, "elipsis": "~"})))
    assert found.suggestion == 'Did you mean "ellipsis"?'


@pytest.mark.parametrize("path", ["", "vars", "a..b", "a.__proto__", "/", "/a~2"])
@pytest.mark.parametrize("place", ["assign", "saveAs", "outputMapping"])
def test_a_path_that_leads_nowhere_is_found(path: str, place: str) -> None:
    steps: dict[str, dict[str, Any]] = {
        "assign": node("transform.assign", assign={path or " ": 1}),
        "saveAs": action(inputMapping={"maxLength": 1}, saveAs=path or " "),
        "outputMapping": call("child", inputMapping={"ticketId": "x"}, outputMapping={path or " ": 1}),
    }
    assert codes(findings_of(steps[place], env=environment(workflows=CALLED))) == ["INVALID_ASSIGN_PATH"]


@pytest.mark.parametrize(
    ("path", "warned"),
    [
        ("payload.tiketId", True),
        ("/customer/nam", True),
        ("payload.customer.name", False),
        ("payload.lines.0", False),
        ("payload.lines.0.price", False),
        ("payload.lines.0.prize", True),
        ("vars.anything", False),
        ("meta.anything", False),
    ],
)
def test_a_payload_path_the_schema_does_not_know_is_warned_of(path: str, warned: bool) -> None:
    found = findings_of(node("transform.assign", assign={path: 1}))
    assert codes(found) == (["ASSIGN_PATH_UNKNOWN"] if warned else [])
    assert not has_errors(found)


def test_the_warning_suggests_the_property() -> None:
    found = only(findings_of(node("transform.assign", assign={"payload.tiketId": 1})))
    assert found.suggestion == 'Did you mean "ticketId"?'


@pytest.mark.parametrize(
    ("name", "code"),
    [("API_KEY", None), ("OTHER", "SECRET_NOT_FOUND"), ("a b", "INVALID_SECRET_NAME"), ("", "INVALID_SECRET_NAME")],
)
def test_secrets_must_exist_and_be_well_named(name: str, code: str | None) -> None:
    found = findings_of(action(inputMapping={"maxLength": 1, "text": {"deep": [{"$secret": name}]}}))
    assert codes(found) == ([code] if code else [])


def test_secrets_are_not_looked_for_where_they_cannot_be_listed() -> None:
    mapping = {"maxLength": 1, "text": {"$secret": "OTHER"}}
    assert findings_of(action(inputMapping=mapping), env=environment(secrets=None)) == []


@pytest.mark.parametrize(
    "bad",
    [
        node("transform.assign", assign={"a": {"$secret": "API_KEY"}}),
        node("event.wait", eventName="E", correlationKey={"$secret": "API_KEY"}),
        node("human.task", taskType="t", title="x", contextData={"k": {"$secret": "API_KEY"}}),
        call("child", inputMapping={"ticketId": {"$secret": "API_KEY"}}),
        action(inputMapping={"maxLength": 1}, idempotencyKey={"$secret": "API_KEY"}),
    ],
    ids=lambda value: value["type"],
)
def test_secrets_stand_in_action_input_only(bad: dict[str, Any]) -> None:
    assert "UNSUPPORTED_OPTION" in codes(findings_of(bad, env=environment(workflows=CALLED)))


@pytest.mark.parametrize(
    ("key", "rules", "found"),
    [
        (expr("payload.ticketId"), {"OTHER": ("a",)}, True),
        (expr("payload.ticketId"), {"E": ("a",)}, False),
        (expr("payload.ticketId"), {"*": ("a",)}, False),
        (None, {"OTHER": ("a",)}, False),
    ],
)
def test_a_wait_whose_key_no_event_can_have_is_found(key: Any, rules: dict[str, Any], found: bool) -> None:
    wait = node("event.wait", eventName="E", correlationKey=key)
    assert codes(findings_of(wait, env=environment(correlation_rules=rules))) == (
        ["EVENT_WAIT_UNCORRELATABLE"] if found else []
    )


@pytest.mark.parametrize("category", ["Cancellation", "InterpreterCorruption"])
def test_what_is_never_retried_cannot_be_asked_to_be(category: str) -> None:
    retried = {**state(), "retry": {"maxAttempts": 2, "backoffMs": 1, "retryOn": ["TransientError", category]}}
    assert codes(findings_of(retried)) == ["UNSUPPORTED_OPTION"]


def test_concurrency_is_refused_until_it_is_supported() -> None:
    loop = step("control.forEach", items=expr("payload.lines"), itemVar="i", body=[], concurrency=2)
    assert codes(findings_of(loop)) == ["UNSUPPORTED_OPTION"]
    assert findings_of({**loop, "concurrency": 1}) == []


@pytest.mark.parametrize("name", ["payload", "vars", "local", "system", "meta", "error", "constructor", "__proto__"])
def test_names_of_scopes_are_no_variables(name: str) -> None:
    loop = step("control.forEach", items=expr("payload.lines"), itemVar=name, body=[])
    blocks: dict[str, Any] = {"try": [], "catch": [], "captureErrorAs": name}
    catch = step("control.tryCatch", **blocks)
    assert codes(findings_of(loop)) == ["INVALID_CONFIG"]
    assert codes(findings_of(catch)) == ["INVALID_CONFIG"]


@pytest.mark.parametrize(
    "bad",
    [
        node("time.wait", mode="until", until="soon"),
        node("human.task", taskType="t", title=5),
        node("human.task", taskType="t", title="x", description=["y"]),
        node("email.parseBody"),
        action(inputMapping={"outputs": [], "templates": {"a": "b"}}, action_id="transform.compose_text", outputs=[]),
        action("ai.infer", inputMapping={"prompt": "p"}, aiOutputSchemaText="{"),
    ],
    ids=lambda value: str(value["config"])[:30],
)
def test_a_config_that_can_never_work_is_found(bad: dict[str, Any]) -> None:
    assert "INVALID_CONFIG" in codes(findings_of(bad))


@pytest.mark.parametrize(
    "option", [{"outputs": []}, {"aiOutputSchema": {"type": "object"}}, {"aiOutputSchemaText": "{}"}]
)
def test_options_of_one_action_are_refused_for_others(option: dict[str, Any]) -> None:
    assert codes(findings_of(action(inputMapping={"maxLength": 1}, **option))) == ["UNSUPPORTED_OPTION"]


@pytest.mark.parametrize(
    ("steps", "unreachable"),
    [
        ([step("control.return", "r"), state("a"), state("b")], ["root.steps[1]"]),
        (
            [
                step(
                    "control.if",
                    "i",
                    condition=expr("true"),
                    then=[step("control.return", "r1")],
                    **{"else": [step("control.return", "r2")]},
                ),
                state("a"),
            ],
            ["root.steps[1]"],
        ),
        ([step("control.if", "i", condition=expr("true"), then=[step("control.return", "r")]), state("a")], []),
        (
            [
                step("control.tryCatch", "t", **{"try": [step("control.return", "r")], "catch": [state("c")]}),
                state("a"),
            ],
            [],
        ),
        (
            [
                step(
                    "control.forEach",
                    "f",
                    items=expr("payload.lines"),
                    itemVar="i",
                    body=[step("control.return", "r"), state("x")],
                ),
                state("a"),
            ],
            ["root.steps[0].body.steps[1]"],
        ),
    ],
)
def test_steps_after_a_certain_end_are_warned_of(steps: list[dict[str, Any]], unreachable: list[str]) -> None:
    found = findings_of(*steps)
    assert [finding.step_path for finding in found] == unreachable
    assert all(finding.severity == "warning" for finding in found)


@pytest.mark.parametrize(
    ("workflow_id", "version", "suggestion"),
    [
        ("chidl", 1, 'Did you mean "child"?'),
        ("child", 4, "Published versions of child: 1."),
        ("nothing-like-it", 1, None),
    ],
)
def test_a_called_workflow_must_be_published(workflow_id: str, version: int, suggestion: str | None) -> None:
    found = only(findings_of(call(workflow_id, version), env=environment(workflows=CALLED)))
    assert (found.code, found.suggestion) == (FindingCode.CALL_WORKFLOW_UNKNOWN, suggestion)
    assert codes(findings_of(call("child"), env=environment(workflows=NoWorkflows()))) == ["CALL_WORKFLOW_UNKNOWN"]


@pytest.mark.parametrize(
    ("workflow_id", "path"),
    [
        ("wf", "wf@1 -> wf@1"),
        ("caller", "wf@1 -> caller@1 -> wf@1"),
        ("far", "wf@1 -> far@1 -> caller@1 -> wf@1"),
        ("loop", "wf@1 -> loop@1 -> loop@2 -> loop@1"),
    ],
)
def test_a_call_that_would_never_end_is_found_with_its_path(workflow_id: str, path: str) -> None:
    found = only(findings_of(call(workflow_id), env=environment(workflows=CALLED)))
    assert found.code is FindingCode.CALL_WORKFLOW_CYCLE
    assert path in found.message


def test_calling_an_older_version_of_oneself_is_no_cycle() -> None:
    assert findings_of(call("older"), env=environment(workflows=CALLED)) == []


def test_a_childs_payload_must_fit_its_schema() -> None:
    env = environment(workflows=CALLED)
    assert codes(findings_of(call("child"), env=env)) == ["MISSING_REQUIRED_MAPPING"]
    assert codes(findings_of(call("child", inputMapping={"ticketId": 7}), env=env)) == ["MAPPING_TYPE_INCOMPATIBLE"]
    assert findings_of(call("child", inputMapping={"ticketId": expr("payload.ticketId")}), env=env) == []


def test_called_versions_are_listed_for_loading() -> None:
    parsed = definition(call("b", 2), {**call("a", 1), "id": "x"}, {**call("b", 2), "id": "y"})
    assert called_workflows(parsed) == (("a", 1), ("b", 2))


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


@pytest.mark.parametrize("workflow_id", ["a/b", "..", ".", "a\nb", "\x00", "x" * 201])
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
