"""What publishing says of single steps, each finding with a twin that is accepted."""

from typing import Any

import pytest
from tests.unit.core.builders import (
    CALLED,
    action,
    call,
    codes,
    environment,
    expr,
    findings_of,
    node,
    only,
    state,
    step,
)

from workflow_runtime.core.findings import FindingCode, has_errors


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


@pytest.mark.parametrize(
    ("path", "warned"),
    [("local.item", True), ("system", True), ("vars.local.item", False), ("locals.item", False)],
)
def test_a_variable_named_like_a_scope_that_cannot_be_written_is_warned_of(path: str, warned: bool) -> None:
    found = findings_of(node("transform.assign", assign={path: 1}))
    assert codes(found) == (["ASSIGN_PATH_UNKNOWN"] if warned else [])
    if warned:
        assert f"vars.{path}" in (found[0].suggestion or "")


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


def test_a_moment_beyond_the_longest_wait_is_found_where_the_time_is_known() -> None:
    def found(until: str, **known: Any) -> list[str]:
        return codes(findings_of(node("time.wait", mode="until", until=until), env=environment(**known)))

    assert found("2036-05-03T00:00:00Z", now_iso="2026-05-04T03:02:01.000Z") == []
    assert found("2036-06-01T00:00:00Z", now_iso="2026-05-04T03:02:01.000Z") == ["INVALID_CONFIG"]
    assert found("9999-12-31T23:59:59Z") == []


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
