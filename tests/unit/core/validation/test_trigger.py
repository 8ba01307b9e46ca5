"""Triggers and payload schemas at publish."""

from typing import Any

import pytest
from tests.unit.core.builders import TICKET_REF, codes, environment, expr, findings_of, only, state

from workflow_runtime.core.definition import Finding
from workflow_runtime.core.payload_schema import CLOCK_TRIGGER_REF

NOW = "2026-05-04T03:02:01.000Z"


def judged(trigger: dict[str, Any] | None, **fields: Any) -> list[Finding]:
    env = environment(now_iso=NOW)
    return findings_of(state(), env=env, **({"trigger": trigger} if trigger else {}), **fields)


def event(**fields: Any) -> dict[str, Any]:
    return {"type": "event", "eventName": "TICKET_CREATED", **fields}


def recurring(**fields: Any) -> dict[str, Any]:
    return {"type": "recurring", "cron": "0 9 * * MON-FRI", "timezone": "Europe/Berlin", **fields}


ANY: dict[str, Any] = {"payloadSchemaRef": "payload.Other.v1"}


@pytest.mark.parametrize("trigger", [None, event(), event(payloadMapping={"ticketId": expr("event.payload.ticketId")})])
def test_sound_triggers_have_no_findings(trigger: dict[str, Any] | None) -> None:
    assert judged(trigger) == []


def test_an_unknown_payload_schema_is_found_with_the_nearest_one() -> None:
    found = only(judged(None, payloadSchemaRef="payload.Tiket.v1"))
    assert (found.code.value, found.suggestion) == ("UNKNOWN_PAYLOAD_SCHEMA_REF", f'Did you mean "{TICKET_REF}"?')
    source = event(sourcePayloadSchemaRef="payload.Nope.v9", payloadMapping={"ticketId": "x"})
    assert codes(judged(source)) == ["UNKNOWN_PAYLOAD_SCHEMA_REF"]


def test_an_event_outside_the_catalogue_is_found() -> None:
    found = only(judged(event(eventName="TICKET_CREATE")))
    assert (found.code.value, found.suggestion) == ("UNKNOWN_TRIGGER_EVENT", 'Did you mean "TICKET_CREATED"?')


@pytest.mark.parametrize("trigger", [event(eventName="OTHER"), event(sourcePayloadSchemaRef="payload.Other.v1")])
def test_a_mapping_is_required_when_the_schemas_differ(trigger: dict[str, Any]) -> None:
    assert codes(judged(trigger)) == ["TRIGGER_MAPPING_REQUIRED"]
    assert judged({**trigger, "payloadMapping": {"ticketId": expr("event.payload.id")}}) == []


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"ticketId": expr("event.payload.count")}, "MAPPING_TYPE_INCOMPATIBLE"),
        ({"ticketId": 7}, "MAPPING_TYPE_INCOMPATIBLE"),
        ({"ticketId": "x", "tiket": 1}, "MAPPING_TYPE_INCOMPATIBLE"),
        ({"ticketId": "x", "customer.nam": "y"}, "MAPPING_TYPE_INCOMPATIBLE"),
        ({"count": 1}, "MISSING_REQUIRED_MAPPING"),
        ({"ticketId": expr("")}, "EMPTY_EXPRESSION"),
        ({"ticketId": expr("$now()")}, "INVALID_EXPRESSION"),
        ({"ticketId": {"$secret": "API_KEY"}}, "UNSUPPORTED_OPTION"),
        ({"ticketId": "x", "customer": {"name": "n"}, "customer.name": "m"}, "INVALID_CONFIG"),
        ({"ticketId": "x", "customer..name": "m"}, "INVALID_CONFIG"),
    ],
)
def test_a_mapping_that_cannot_build_the_payload_is_found(mapping: dict[str, Any], code: str) -> None:
    assert codes(judged(event(payloadMapping=mapping))) == [code]


@pytest.mark.parametrize(
    ("text", "name", "remedy"),
    [
        ("payload.ticketId", "'payload'", "Write event.payload."),
        ('"T-" & toString(payload.ticketId)', "'payload'", "Write event.payload."),
        ("coalesce(vars.ticketId, event.payload.ticketId)", "'vars'", "vars begins with the run"),
        ("event.payload.items[$$.meta.state = state].id", "'meta'", "meta begins with the run"),
        ("ticketId", "'ticketId'", "event.payload.ticketId"),
        ("event.ticketId", "'event.ticketId'", "event.payload.ticketId"),
        ("event.paylod.ticketId", "'event.paylod'", 'Did you mean "payload"?'),
    ],
)
def test_a_mapping_that_reads_what_it_does_not_see_is_found_with_the_remedy(text: str, name: str, remedy: str) -> None:
    found = only(judged(event(payloadMapping={"ticketId": {"$expr": text}})))
    assert found.code.value == "INVALID_EXPRESSION"
    assert f"trigger.payloadMapping.ticketId reads {name}, but a trigger's mapping sees event" in found.message
    assert found.suggestion is not None
    assert remedy in found.suggestion


def test_a_name_inside_a_value_of_a_mapping_is_found_where_it_stands() -> None:
    mapping = {"ticketId": "x", "customer": {"name": expr("payload.name")}}
    assert "trigger.payloadMapping.customer.name reads" in only(judged(event(payloadMapping=mapping))).message


@pytest.mark.parametrize(
    "text",
    [
        "toString(event)",
        "toString(event.payload.items[vars = 1].payload)",
        'event.payload.(vars & meta & "")',
        "($found := event.payload; toString($found.payload))",
        "toString(event.*.payload)",
        "toString(*)",
        '"payload"',
    ],
)
def test_names_inside_the_event_are_its_own(text: str) -> None:
    assert judged(event(payloadMapping={"ticketId": expr(text)})) == []


def test_dotted_targets_nest() -> None:
    mapping = {"ticketId": expr("event.name"), "customer.name": expr("event.payload.customer.name")}
    assert judged(event(payloadMapping=mapping)) == []


@pytest.mark.parametrize(
    ("run_at", "code"),
    [
        ("2030-01-31T09:00:00Z", None),
        ("2030-01-31T09:00:00+01:00", None),
        ("2030-01-31", None),
        ("", "TIME_TRIGGER_RUN_AT_REQUIRED"),
        (" ", "TIME_TRIGGER_RUN_AT_REQUIRED"),
        ("soon", "TIME_TRIGGER_INVALID_RUN_AT"),
        ("2030-02-31T09:00:00Z", "TIME_TRIGGER_INVALID_RUN_AT"),
        ("2020-01-31T09:00:00Z", "TIME_TRIGGER_INVALID_RUN_AT"),
        (NOW, "TIME_TRIGGER_INVALID_RUN_AT"),
        (" 2030-01-31T09:00:00Z", "TIME_TRIGGER_INVALID_RUN_AT"),
        ("2101-01-01T00:00:00Z", "TIME_TRIGGER_INVALID_RUN_AT"),
        ("9999-12-31T23:59:59Z", "TIME_TRIGGER_INVALID_RUN_AT"),
    ],
)
def test_a_one_time_trigger_needs_an_instant_to_come(run_at: str, code: str | None) -> None:
    assert codes(judged({"type": "schedule", "runAt": run_at}, **ANY)) == ([code] if code else [])


def test_a_one_time_trigger_without_an_instant_is_found() -> None:
    assert codes(judged({"type": "schedule"}, **ANY)) == ["TIME_TRIGGER_RUN_AT_REQUIRED"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"cron": "0 9 * *"}, "TIME_TRIGGER_INVALID_CRON"),
        ({"cron": "0 0 31 2 *"}, "TIME_TRIGGER_INVALID_CRON"),
        ({"timezone": "Europe/Berln"}, "TIME_TRIGGER_INVALID_TIMEZONE"),
        ({"timezone": ""}, "TIME_TRIGGER_INVALID_TIMEZONE"),
    ],
)
def test_a_recurring_trigger_needs_a_cron_and_a_time_zone(change: dict[str, Any], code: str | None) -> None:
    assert codes(judged(recurring(**change), **ANY)) == ([code] if code else [])


def test_a_misspelt_time_zone_is_answered_with_the_right_one() -> None:
    assert only(judged(recurring(timezone="Europe/Berln"), **ANY)).suggestion == 'Did you mean "Europe/Berlin"?'


def test_time_zones_are_not_judged_where_they_cannot_be_listed() -> None:
    env = environment(timezones=None)
    assert findings_of(state(), env=env, trigger=recurring(timezone="Mars/Olympus"), **ANY) == []


@pytest.mark.parametrize("trigger", [recurring(), {"type": "schedule", "runAt": "2030-01-31T09:00:00Z"}])
def test_a_firing_must_fit_the_payload_schema(trigger: dict[str, Any]) -> None:
    found = only(judged(trigger))
    assert found.code.value == "MAPPING_TYPE_INCOMPATIBLE"
    assert CLOCK_TRIGGER_REF in (found.suggestion or "")
