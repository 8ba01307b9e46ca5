"""Reading stream messages as events: what is taken, what is refused and with which words."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.store.events import MalformedEventError, event_fields, parse_fields, parse_pairs
from workflow_runtime.store.events.parsing import MAX_PAYLOAD_BYTES

GOOD: dict[str, str] = {
    "event_id": "6F9619FF-8B86-D011-B42D-00C04FC964FF",
    "event_type": "TICKET_CREATED",
    "tenant": "acme",
    "timestamp": "2026-01-31T09:30:00Z",
    "payload_json": '{"ticketId": "T-1"}',
}


def test_the_smallest_message_is_an_event_named_by_its_type() -> None:
    event = parse_fields(dict(GOOD))
    assert event.event_id == "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    assert (event.event_name, event.tenant_id, event.explicit_key) == ("TICKET_CREATED", "acme", None)
    assert event.payload == {"ticketId": "T-1"}
    assert event.fields == GOOD


def test_the_event_name_goes_before_the_type_and_unknown_fields_are_kept() -> None:
    event = parse_fields({**GOOD, "event_name": "TICKET_REOPENED", "traceparent": "00-abc"})
    assert event.event_name == "TICKET_REOPENED"
    assert event.fields["traceparent"] == "00-abc"


def test_an_empty_correlation_key_is_none() -> None:
    assert parse_fields({**GOOD, "workflow_correlation_key": ""}).explicit_key is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("event_id", "", "is missing"),
        ("event_id", "42", "is not a UUID"),
        ("event_type", "", "is missing"),
        ("event_type", "X" * 201, "limit is 200"),
        ("event_name", "A\nB", "control character"),
        ("tenant", "", "is missing"),
        ("tenant", "a{b}", "without braces"),
        ("timestamp", "yesterday", "is not an ISO 8601 time"),
        ("workflow_correlation_key", "k" * 513, "limit is 512"),
        ("payload_json", "", "is missing"),
        ("payload_json", "{", "is not JSON"),
        ("payload_json", "NaN", "NaN is no JSON number"),
        ("payload_json", "[1e999]", "larger than any number"),
        ("payload_json", f'{{"a": -{"9" * 400}}}', "larger than any number"),
        ("payload_json", "9" * 5000, "is not JSON"),
        ("payload_json", '"\\ud800"', "half of a surrogate pair"),
        ("payload_json", "[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ("payload_json", '"' + "x" * MAX_PAYLOAD_BYTES + '"', "the limit is"),
    ],
)
def test_a_wrong_field_is_named_with_its_fault(field: str, value: str, words: str) -> None:
    with pytest.raises(MalformedEventError, match=words) as caught:
        parse_fields({**GOOD, field: value})
    assert caught.value.reason.startswith(f"{field}: ")


def test_a_whole_surrogate_pair_is_text() -> None:
    assert parse_fields({**GOOD, "payload_json": '"\\ud83d\\ude00"'}).payload == "😀"


def test_bytes_that_are_no_text_are_refused_by_field() -> None:
    with pytest.raises(MalformedEventError, match="user_id: is not UTF-8"):
        parse_pairs([(b"event_id", b"x"), (b"user_id", b"\xff")])


def test_a_field_that_stands_twice_is_refused() -> None:
    with pytest.raises(MalformedEventError, match="tenant: stands in the message twice"):
        parse_pairs([(b"tenant", b"acme"), (b"tenant", b"umbrella")])


@given(st.dictionaries(st.binary(max_size=12), st.binary(max_size=40), max_size=8))
def test_whatever_stands_in_a_message_is_an_event_or_a_named_fault(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(MalformedEventError):
        parse_pairs(list(fields.items()))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_a_published_payload_is_read_back_as_it_was(payload: Any) -> None:
    fields = event_fields(
        event_id=GOOD["event_id"], event_name="E", tenant="acme", timestamp=GOOD["timestamp"], payload=payload
    )
    assert json.dumps(parse_fields(fields).payload) == json.dumps(payload)


def test_a_payload_that_is_no_json_is_refused_before_it_is_published() -> None:
    with pytest.raises(MalformedEventError, match="payload"):
        event_fields(event_id=GOOD["event_id"], event_name="E", tenant="a", timestamp=GOOD["timestamp"], payload={1j})
