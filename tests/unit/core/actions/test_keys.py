"""Idempotency keys."""

from typing import Any

import pytest

from workflow_runtime.core.actions import idempotency_key
from workflow_runtime.core.canonical import sha256_hex
from workflow_runtime.core.errors import ValidationFailure

USUAL: dict[str, Any] = {
    "tenant_id": "acme",
    "run_id": "r1",
    "item_path": "root.steps[1].body[3].steps[0]",
    "action_id": "store.set",
    "version": 1,
    "input": {"b": 1, "a": 2},
}


def test_the_key_is_made_of_everything_that_tells_calls_apart() -> None:
    digest = sha256_hex({"a": 2, "b": 1})
    assert idempotency_key(**USUAL) == f"acme:r1:root.steps[1].body[3].steps[0]:store.set:1:{digest}"


@pytest.mark.parametrize(
    "change",
    [
        {"tenant_id": "other"},
        {"run_id": "r2"},
        {"item_path": "root.steps[1].body[4].steps[0]"},
        {"action_id": "store.get"},
        {"version": 2},
        {"input": {"b": 1, "a": 3}},
    ],
)
def test_another_call_has_another_key(change: dict[str, Any]) -> None:
    assert idempotency_key(**USUAL) != idempotency_key(**{**USUAL, **change})


def test_the_order_of_the_inputs_keys_and_the_spelling_of_numbers_do_not_matter() -> None:
    assert idempotency_key(**USUAL) == idempotency_key(**{**USUAL, "input": {"a": 2.0, "b": 1}})


def test_an_authored_key_is_shared_between_runs_but_never_between_tenants() -> None:
    authored = {**USUAL, "authored": "invoice-7"}
    assert idempotency_key(**authored) == "acme:invoice-7"
    assert idempotency_key(**{**authored, "run_id": "r2"}) == "acme:invoice-7"
    assert idempotency_key(**{**authored, "tenant_id": "b"}) == "b:invoice-7"


def test_an_empty_authored_key_is_refused() -> None:
    with pytest.raises(ValidationFailure) as caught:
        idempotency_key(**USUAL, authored=" ")
    assert caught.value.code == "EMPTY_IDEMPOTENCY_KEY"
