"""Nothing secret is shown."""

from typing import Any

import pytest

from workflow_runtime.core.redaction import REDACTED, REDACTED_SECRET, redact, redact_field


def test_secret_references_are_replaced_wherever_they_stand() -> None:
    assert redact([{"a": {"$secret": "K"}}, {"$secret": "K"}]) == [{"a": REDACTED_SECRET}, REDACTED_SECRET]


@pytest.mark.parametrize(
    "key",
    ["secret", "clientSecret", "TOKEN", "accessToken", "password", "apiKey", "api_key", "api-key", "Authorization"],
)
@pytest.mark.parametrize("value", ["x", 1, None, {"deep": 1}, ["x"]])
def test_values_under_telling_keys_are_replaced(key: str, value: Any) -> None:
    assert redact({"headers": {key: value}}) == {"headers": {key: REDACTED}}


def test_everything_else_stays_and_the_value_itself_is_untouched() -> None:
    value = {"name": "n", "list": [1, {"k": None}], "password": "p"}
    assert redact(value) == {"name": "n", "list": [1, {"k": None}], "password": REDACTED}
    assert value["password"] == "p"


def test_a_secret_reference_under_a_telling_key_is_named_as_one() -> None:
    assert redact({"password": {"$secret": "K"}}) == {"password": REDACTED_SECRET}


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("payload_json", '{"token": "t", "n": 1}', '{"token": "[REDACTED]", "n": 1}'),
        ("x_api_key", "k", REDACTED),
        ("note", "the token is late", "the token is late"),
        ("payload_json", '{"name": "n", "pass', '{"name": "n", "pass'),
        ("payload_json", ' [1, {"Secret_1": "s"', ' [1, {"[REDACTED]'),
        ("payload_json", "[" * 100_000 + '"token"', "[" * 100_000 + '"[REDACTED]'),
    ],
)
def test_a_field_shows_no_secret_whether_or_not_it_is_json(name: str, text: str, shown: str) -> None:
    assert redact_field(name, text) == shown
