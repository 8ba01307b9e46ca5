"""Keys by which events reach waits."""

from typing import Any

import pytest

from workflow_runtime.core.contract import DEFAULT_CORRELATION_PATHS
from workflow_runtime.core.correlation import (
    EXPLICIT_PATH,
    KeyOrigin,
    correlation_key,
    correlation_keys,
    correlation_paths,
    parse_rules,
)
from workflow_runtime.core.errors import ValidationFailure

RULES = {"*": ("ticketId", "clientId"), "INVOICE_PAID": ("invoice.id",)}


def test_an_explicit_key_wins_over_everything_in_the_payload() -> None:
    found = correlation_keys("X", {"ticketId": "T"}, "mine", RULES)
    assert found == (KeyOrigin("mine", EXPLICIT_PATH),)


def test_every_value_under_the_paths_is_a_key_those_of_the_event_first() -> None:
    payload = {"ticketId": "T", "clientId": 7, "invoice": {"id": "I"}}
    assert correlation_keys("INVOICE_PAID", payload, None, RULES) == (
        KeyOrigin("I", "invoice.id"),
        KeyOrigin("T", "ticketId"),
        KeyOrigin("7", "clientId"),
    )


def test_an_empty_explicit_key_is_none() -> None:
    for explicit in ("", " "):
        assert correlation_keys("X", {"ticketId": "T"}, explicit, RULES) == (KeyOrigin("T", "ticketId"),)


def test_an_explicit_key_is_spelled_as_a_wait_spells_it() -> None:
    assert correlation_keys("X", {}, " mine ", RULES) == (KeyOrigin("mine", EXPLICIT_PATH),)


def test_one_key_found_twice_is_told_once() -> None:
    assert correlation_keys("X", {"ticketId": "7", "clientId": 7}, None, RULES) == (KeyOrigin("7", "ticketId"),)


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"ticketId": None, "clientId": {"id": 1}}, {"ticketId": " "}])
def test_a_payload_without_values_gives_no_key(payload: Any) -> None:
    assert correlation_keys("X", payload, None, RULES) == ()


@pytest.mark.parametrize(
    ("value", "key"), [("a", "a"), (" a ", "a"), (7, "7"), (7.0, "7"), (1.5, "1.5"), (True, "true"), ("7", "7")]
)
def test_waits_and_events_spell_a_value_alike(value: Any, key: str) -> None:
    assert correlation_key(value) == key


@pytest.mark.parametrize("value", [None, "", [], {}, "x" * 513])
def test_what_cannot_be_a_key_is_none(value: Any) -> None:
    assert correlation_key(value) is None


def test_an_event_without_paths_has_none() -> None:
    assert correlation_paths("X", {"PING": ("a",)}) == ()
    assert correlation_paths("X", DEFAULT_CORRELATION_PATHS)[0] == "ticketId"


@pytest.mark.parametrize("data", [None, [], {"*": "ticketId"}, {"*": [1]}, {"*": [""]}])
def test_wrong_rules_are_refused(data: object) -> None:
    with pytest.raises(ValidationFailure) as caught:
        parse_rules(data)
    assert caught.value.code == "INVALID_CORRELATION_RULES"


def test_rules_are_read_from_json() -> None:
    assert parse_rules({"*": ["a"], "X": []}) == {"*": ("a",), "X": ()}
