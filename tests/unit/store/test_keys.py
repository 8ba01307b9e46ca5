"""Key names: one hash tag per tenant, never one key for two things."""

import itertools
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_runtime.store._run_keys import STATUSES, RunKeys
from workflow_runtime.store.connection import iso, millis, tenant_key
from workflow_runtime.store.errors import InvalidNameError

tenants = st.from_regex(r"\A[A-Za-z0-9._@-]{1,20}\Z")


def hash_tag(key: str) -> str:
    """What decides the slot of a key on a cluster."""
    start = key.index("{") + 1
    return key[start : key.index("}", start)]


def test_keys_look_as_documented() -> None:
    assert tenant_key("acme", "run", 42) == "wf:{acme}:run:42"


@given(tenants, st.lists(st.text(), min_size=1, max_size=4))
def test_whatever_the_parts_the_tenant_decides_the_slot(tenant: str, parts: list[str]) -> None:
    assert hash_tag(tenant_key(tenant, *parts)) == tenant


@given(st.lists(st.text(alphabet="a:%3A", max_size=4), min_size=1, max_size=3), st.data())
def test_different_parts_never_share_a_key(parts: list[str], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.text(alphabet="a:%3A", max_size=4), min_size=1, max_size=3))
    assert (tenant_key("t", *parts) == tenant_key("t", *others)) == (parts == others)


@pytest.mark.parametrize("tenant", ["", "a{b", "a}b", "a b", "a\nb", "\x00", "x" * 201])
def test_a_tenant_that_cannot_be_a_hash_tag_is_refused(tenant: str) -> None:
    with pytest.raises(InvalidNameError, match="invalid tenant id"):
        tenant_key(tenant, "run", "1")


def test_all_keys_of_a_run_are_different_and_in_one_slot() -> None:
    declared = RunKeys("acme", "r1", "w1", parent_run_id="r0").declared()
    assert {hash_tag(key) for key in declared} == {"acme"}
    assert len(set(declared)) == len(declared) == 14 + 2 * len(STATUSES)


def test_runs_and_workflows_of_any_name_do_not_collide() -> None:
    names = ["a", "a:payload", "payload", "status", "ended", "queues", "a%3Apayload"]
    runs = [{*RunKeys("t", run_id, "w").declared()[:5]} for run_id in names]
    workflows = [{*RunKeys("t", "r", workflow_id).declared()[7:8]} for workflow_id in names]
    groups = [*runs, *workflows, set(RunKeys("t", "r", "w").declared()[8:10])]
    assert all(left.isdisjoint(right) for left, right in itertools.combinations(groups, 2))


def test_times_are_written_in_utc_with_milliseconds() -> None:
    moment = datetime(2026, 1, 31, 10, 30, 0, 123456, tzinfo=timezone(timedelta(hours=1)))
    assert iso(moment) == "2026-01-31T09:30:00.123Z"
    assert millis("2026-01-31T09:30:00.123Z") == millis("2026-01-31T10:30:00.123+01:00") == 1769851800123


def test_a_time_without_a_zone_is_utc() -> None:
    assert millis("2026-01-31T09:30:00") == millis(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
