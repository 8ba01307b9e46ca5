"""The examples in the repository are sound and do what they say."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.machine import DryRun

from workflow_runtime.core.actions import BUILTIN_SPECS, check_schema, effective_input, validate_json
from workflow_runtime.core.actions.transform import TRANSFORM_IDS, run_transform
from workflow_runtime.core.definition import ActionCallStep, Definition, EventTrigger, EventWaitStep, walk_steps
from workflow_runtime.core.filters import all_match
from workflow_runtime.core.machine import CallAction, Completed, Effect, Outcome, Succeeded, WaitForEvent
from workflow_runtime.core.validation import Environment, validate_document

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
NAMES = sorted(path.name.removesuffix(".run.json") for path in EXAMPLES.glob("*.run.json"))
SPECS = {spec.key: spec for spec in BUILTIN_SPECS}


def script_of(name: str) -> dict[str, Any]:
    script: dict[str, Any] = json.loads((EXAMPLES / f"{name}.run.json").read_text())
    return script


def definition_of(name: str) -> Definition:
    script = script_of(name)
    known = Environment(actions=SPECS, schemas=script["schemas"], events=script.get("eventTypes", {}))
    definition, findings = validate_document(json.loads((EXAMPLES / f"{name}.json").read_text()), known)
    assert findings == []
    assert definition is not None
    return definition


class Rehearsal(DryRun):
    """A run of an example: pure actions are really performed and waits get the example's events."""

    def __init__(self, name: str) -> None:
        script = script_of(name)
        self.events: Iterator[dict[str, Any]] = iter(script.get("events", []))
        payload = next(self.events)["payload"] if "events" in script else script["start"]
        super().__init__(definition_of(name), payload, queues={key: spec.task_queue for key, spec in SPECS.items()})

    def outcome(self, effect: Effect) -> Outcome:
        match effect:
            case CallAction():
                spec = SPECS[f"{effect.action_id}@{effect.version}"]
                assert validate_json(spec.input_schema, effect.input) == []
                if effect.action_id in TRANSFORM_IDS:
                    return Completed(value=run_transform(effect.action_id, effect.input, now_iso=self.clock.now_iso()))
                return Completed(value={"notification_ids": ["n-1"], "delivered_count": 1})
            case WaitForEvent():
                event = next(self.events)
                assert event["eventName"] == effect.event_name
                assert all_match(effect.filters, event["payload"])
                return Completed(value={"eventId": "e-2", "correlationKey": None, **event})
            case _:
                return super().outcome(effect)


def played(name: str) -> dict[str, Any]:
    end = Rehearsal(name).run()
    assert isinstance(end, Succeeded), end
    return end.result


def test_there_are_at_least_three_examples_each_of_two_files() -> None:
    assert len(NAMES) >= 3
    assert sorted(path.name for path in EXAMPLES.glob("*.json")) == sorted(
        f"{name}{suffix}" for name in NAMES for suffix in (".json", ".run.json")
    )


@pytest.mark.parametrize("name", NAMES)
def test_an_example_publishes_without_any_finding(name: str) -> None:
    definition = definition_of(name)
    assert definition.id == name
    assert definition.description


@pytest.mark.parametrize("name", NAMES)
def test_an_examples_payloads_fit_its_schemas(name: str) -> None:
    definition, script = definition_of(name), script_of(name)
    schemas = script["schemas"]
    assert all(check_schema(schema) == [] for schema in schemas.values())
    for event in script.get("events", []):
        assert validate_json(schemas[script["eventTypes"][event["eventName"]]], event["payload"]) == []
    if isinstance(definition.trigger, EventTrigger):
        assert script["events"][0]["eventName"] == definition.trigger.event_name
    else:
        assert validate_json(schemas[definition.payload_schema_ref], script["start"]) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_sends_an_event_for_every_wait(name: str) -> None:
    waits = [
        placed.step.config.event_name
        for placed in walk_steps(definition_of(name))
        if isinstance(placed.step, EventWaitStep)
    ]
    assert [event["eventName"] for event in script_of(name).get("events", [])[1:]] == waits


@pytest.mark.parametrize("name", NAMES)
def test_an_example_calls_actions_that_workers_serve(name: str) -> None:
    calls = [
        placed.step.config for placed in walk_steps(definition_of(name)) if isinstance(placed.step, ActionCallStep)
    ]
    assert calls
    assert all(effective_input(call) for call in calls)


def test_the_ticket_is_followed_up_to_the_customers_answer() -> None:
    result = played("ticket-follow-up")
    assert result["meta"] == {"state": "ANSWERED", "answeredBy": "Ada"}
    assert result["vars"]["urgent"] is True
    assert result["vars"]["summary"] == (
        'T-1042: Ada answered "The fire is out, thank you." to: Hello Ada, we look at "The printer on floor 2 is on '
        'fire" within the hour. Your ticket is T-1042.'
    )


def test_the_order_is_added_up_and_what_is_missing_is_set_aside() -> None:
    result = played("order-lines")
    assert result["vars"]["total"] == 48.75
    assert result["vars"]["backorder"] == ["2/3 TONER-BK"]
    assert result["meta"]["state"] == "PARTIAL"
    assert "line" not in result["vars"]


def test_the_reminder_waits_and_reminds() -> None:
    result = played("reminder")
    assert result["meta"] == {"state": "REMINDED"}
    assert result["vars"]["sent"]["delivered_count"] == 1
    assert result["vars"]["dueAt"] == "2026-03-31T09:00:03.000Z"
