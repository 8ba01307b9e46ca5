"""The payload of a run that an event starts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.ingress_values import ledger_event

from workflow_runtime.core.errors import ExpressionFailure, ValidationFailure
from workflow_worker.ingress.mapping import nest, run_payload

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}


def test_without_a_mapping_the_run_gets_the_events_payload() -> None:
    event = ledger_event(payload={"id": "T-1"})
    assert run_payload(event, None, source_schema_ref=None, schema=SCHEMA) == {"id": "T-1"}


def test_a_mapping_sees_the_event_and_dotted_targets_nest() -> None:
    mapping = {
        "ticket.id": {"$expr": "event.payload.number"},
        "ticket.key": {"$expr": "event.correlationKey"},
        "origin": {"$expr": "event.name"},
        "schema": {"$expr": "event.payloadSchemaRef"},
        "at": {"$expr": "nowIso()"},
        "fixed": [1, {"two": None}],
    }
    event = ledger_event("TICKET_CREATED", {"number": 7}, keys=["T-7", "C-1"])
    assert run_payload(event, mapping, source_schema_ref="payload.Ticket.v1", schema=None) == {
        "ticket": {"id": 7, "key": "T-7"},
        "origin": "TICKET_CREATED",
        "schema": "payload.Ticket.v1",
        "at": event.accepted_at,
        "fixed": [1, {"two": None}],
    }


def test_a_mapping_sees_nothing_but_the_event() -> None:
    with pytest.raises(ExpressionFailure):
        run_payload(
            ledger_event(payload={"id": "x"}), {"a": {"$expr": "payload.id"}}, source_schema_ref=None, schema={}
        )


def test_a_payload_of_another_shape_is_refused_with_the_places() -> None:
    with pytest.raises(ValidationFailure, match="shape of its schema") as caught:
        run_payload(ledger_event(payload={}), None, source_schema_ref=None, schema=SCHEMA)
    assert caught.value.code == "PAYLOAD_INVALID"
    assert "id" in str(caught.value.details)


@pytest.mark.parametrize("paths", [["a", "a.b"], ["a.b", "a"], ["a.b.c", "a.b"]])
def test_places_that_contain_each_other_are_refused(paths: list[str]) -> None:
    payload: dict[str, Any] = {}
    nest(payload, paths[0], 1)
    with pytest.raises(ValidationFailure, match="map each place once"):
        nest(payload, paths[1], 2)


@given(st.dictionaries(st.from_regex(r"[a-c](\.[a-c]){0,3}", fullmatch=True), st.integers(), max_size=6))
def test_every_place_that_is_accepted_holds_its_value(places: dict[str, int]) -> None:
    payload: dict[str, Any] = {}
    accepted = {}
    for path, value in places.items():
        try:
            nest(payload, path, value)
        except ValidationFailure:
            continue
        accepted[path] = value
    for path, value in accepted.items():
        found: Any = payload
        for name in path.split("."):
            found = found[name]
        assert found == value
