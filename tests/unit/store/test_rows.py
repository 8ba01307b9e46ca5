"""Rows as hashes: exact round trips, and tolerance of what newer processes wrote."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from workflow_runtime.store._rows import HashRow, dump
from workflow_runtime.store.errors import InvalidValueError
from workflow_runtime.store.runs import RunRow

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class Sample(HashRow):
    plain_text: str
    maybe_text: str | None = None
    number: int = 0
    flag: bool = False
    anything: Any = None
    table: dict[str, Any] = Field(default_factory=dict)


@given(
    st.text(), st.none() | st.text(), st.integers(), st.booleans(), json_values, st.dictionaries(st.text(), json_values)
)
def test_a_row_is_read_back_as_it_was(
    plain: str, maybe: str | None, number: int, flag: bool, anything: Any, table: dict[str, Any]
) -> None:
    row = Sample(plain_text=plain, maybe_text=maybe, number=number, flag=flag, anything=anything, table=table)
    stored = row.to_hash()
    assert all(isinstance(value, str) for value in stored.values())
    assert Sample.from_hash(stored) == row


def test_text_is_kept_plain_and_nulls_are_left_out() -> None:
    assert Sample(plain_text='7"', number=7).to_hash() == {
        "plainText": '7"',
        "number": "7",
        "flag": "false",
        "table": "{}",
    }


def test_fields_of_newer_processes_are_ignored() -> None:
    assert Sample.from_hash({"plainText": "a", "addedLater": "x"}) == Sample(plain_text="a")


def test_a_run_keeps_its_status_readable_for_scripts() -> None:
    row = RunRow(run_id="1", tenant_id="t", workflow_id="w", workflow_version=3, definition_hash="h")
    assert row.to_hash()["status"] == "RUNNING"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), b"bytes"])
def test_what_is_not_json_is_named(value: object) -> None:
    with pytest.raises(InvalidValueError, match="payload of run 'r1' is not JSON"):
        dump({"a": value}, "payload of run 'r1'")


def test_endless_nesting_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(InvalidValueError):
        dump(endless, "value")


def test_half_a_surrogate_pair_is_sent_escaped() -> None:
    assert dump("\ud800ž", "value").isascii()
    assert dump("ž", "value") == '"ž"'
