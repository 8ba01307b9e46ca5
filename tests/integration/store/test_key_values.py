"""The key-value store: revisions, expiry, increments that happen once, lists without ghosts."""

import asyncio
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT

from workflow_runtime.core.errors import Category
from workflow_runtime.store.connection import utc_now
from workflow_runtime.store.errors import (
    InvalidNameError,
    InvalidValueError,
    RevisionMismatchError,
    ValueTooLargeError,
)
from workflow_runtime.store.key_values import KeyValues

pytestmark = pytest.mark.also_on_valkey

NS = "counters"


@pytest.fixture
def store(redis_client: Redis) -> KeyValues:
    return KeyValues(redis_client)


async def value(store: KeyValues, key: str, namespace: str = NS) -> object:
    found = await store.get(TENANT, namespace, key)
    return None if found is None else found.value


async def keys(store: KeyValues, namespace: str = NS, **options: object) -> list[str]:
    page = await store.list_entries(TENANT, namespace, **options)  # type: ignore[arg-type]
    return [item.key for item in page.items]


@pytest.mark.parametrize("written", [None, [], {}, {"a": [1, {}]}, "", "žluť", 0, False, 1.5, 2**60])
async def test_any_json_is_read_back(store: KeyValues, written: object) -> None:
    outcome = await store.set(TENANT, NS, "k", written, value_type="sample")
    assert (outcome.revision, outcome.created) == (1, True)
    found = await store.get(TENANT, NS, "k")
    assert found is not None
    assert (found.value, found.value_type, found.revision, found.expires_at) == (written, "sample", 1, None)


async def test_revisions_count_and_times_tell(redis_client: Redis) -> None:
    clock = HandClock()
    store = KeyValues(redis_client, clock=clock)
    await store.set(TENANT, NS, "k", 1)
    clock.advance(minutes=1)
    outcome = await store.set(TENANT, NS, "k", 2)
    assert (outcome.revision, outcome.created) == (2, False)
    found = await store.get(TENANT, NS, "k")
    assert found is not None
    assert (found.created_at, found.updated_at) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:01:00.000Z")


async def test_of_many_writers_of_one_revision_one_wins(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", "start")
    writes = (store.set(TENANT, NS, "k", number, if_revision=1) for number in range(10))
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(outcome, RevisionMismatchError) for outcome in outcomes) == 9
    found = await store.get(TENANT, NS, "k")
    assert found is not None
    assert found.revision == 2


async def test_revision_zero_means_not_there(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", 1, if_revision=0)
    with pytest.raises(RevisionMismatchError, match="at revision 1, not 0") as refused:
        await store.set(TENANT, NS, "k", 2, if_revision=0)
    failure = refused.value.to_failure()
    assert (failure.category, failure.code, failure.details) == (
        Category.ACTION,
        "CONFLICT",
        {"expected": 0, "actual": 1},
    )
    with pytest.raises(RevisionMismatchError):
        await store.delete(TENANT, NS, "k", if_revision=7)
    assert await value(store, "k") == 1


async def test_values_above_the_limit_are_refused(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", "x" * (256 * 1024 - 2))
    with pytest.raises(ValueTooLargeError, match="262145 bytes"):
        await store.set(TENANT, NS, "k", "x" * (256 * 1024 - 1))
    with pytest.raises(ValueTooLargeError):
        await store.set(TENANT, NS, "k", "ž" * (128 * 1024))
    with pytest.raises(InvalidValueError, match="not JSON"):
        await store.set(TENANT, NS, "k", float("inf"))


@pytest.mark.parametrize("name", ["", "   ", "x" * 257, "a\nb", "\x00"])
async def test_names_nobody_could_type_are_refused(store: KeyValues, name: str) -> None:
    with pytest.raises(InvalidNameError, match="invalid namespace"):
        await store.set(TENANT, name, "k", 1)
    with pytest.raises(InvalidNameError, match="invalid key"):
        await store.get(TENANT, NS, name)


async def test_colons_do_not_mix_namespaces(store: KeyValues) -> None:
    await store.set(TENANT, "a", "b:c", 1)
    await store.set(TENANT, "a:b", "c", 2)
    assert (await value(store, "b:c", "a"), await value(store, "c", "a:b")) == (1, 2)


async def test_an_entry_with_a_time_to_live_goes_and_leaves_no_ghost(redis_client: Redis) -> None:
    clock = HandClock(utc_now())
    store = KeyValues(redis_client, clock=clock)
    for namespace, key in ((NS, "short"), (NS, "long"), ("gone", "only")):
        await store.set(TENANT, namespace, key, 1, ttl=timedelta(hours=1))
    for key in ("wf:{acme}:kv:counters:short", "wf:{acme}:kv:gone:only"):
        await redis_client.pexpireat(key, 1)
    clock.advance(hours=2)
    assert await value(store, "short") is None
    assert await keys(store) == ["long"]
    assert [(found.namespace, found.count) for found in await store.list_namespaces(TENANT)] == [(NS, 1)]
    again = await store.set(TENANT, NS, "short", "new")
    assert (again.revision, again.created) == (1, True)


async def test_the_time_of_expiry_is_told_and_ends_with_the_next_write(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", 1, ttl=timedelta(hours=1))
    await store.increment(TENANT, NS, "k")
    found = await store.get(TENANT, NS, "k")
    assert found is not None
    assert found.expires_at is not None
    await store.set(TENANT, NS, "k", 1)
    found = await store.get(TENANT, NS, "k")
    assert found is not None
    assert found.expires_at is None


async def test_a_write_after_expiry_survives_the_cleaning_of_the_index(redis_client: Redis) -> None:
    clock = HandClock(utc_now())
    store = KeyValues(redis_client, clock=clock)
    await store.set(TENANT, NS, "k", 1, ttl=timedelta(hours=1))
    clock.advance(hours=2)
    assert await keys(store) == ["k"], "our clock alone does not decide that an entry expired"


async def test_a_time_to_live_of_nothing_is_refused(store: KeyValues) -> None:
    with pytest.raises(InvalidValueError, match="delete the key"):
        await store.set(TENANT, NS, "k", 1, ttl=timedelta())


async def test_deleting_answers_whether_there_was_something(store: KeyValues, redis_client: Redis) -> None:
    await store.set(TENANT, NS, "k", 1)
    assert await store.delete(TENANT, NS, "k")
    assert not await store.delete(TENANT, NS, "k")
    assert await store.list_namespaces(TENANT) == ()
    assert await redis_client.keys("wf:{acme}:*") == []


async def test_many_increments_at_once_all_count(store: KeyValues) -> None:
    await asyncio.gather(*(store.increment(TENANT, NS, "k", by=2, initial=10) for _ in range(25)))
    assert await value(store, "k") == 60


@pytest.mark.parametrize(
    ("start", "by", "expected"),
    [
        (1, 0.5, 1.5),
        (0.1, 0.2, 0.1 + 0.2),
        (5, -5, 0),
        (-1, 1, 0),
        (2**52, 1, 2**52 + 1),
        (1e300, 1, 1e300),
        (-3, 1, -2),
    ],
)
async def test_increments_are_those_of_doubles(store: KeyValues, start: float, by: float, expected: float) -> None:
    await store.set(TENANT, NS, "k", start)
    outcome = await store.increment(TENANT, NS, "k", by=by)
    assert (outcome.value, outcome.revision) == (expected, 2)
    assert await value(store, "k") == expected


@pytest.mark.parametrize("held", ["7", None, True, [], {"n": 1}])
async def test_what_is_no_number_is_not_incremented(store: KeyValues, held: object) -> None:
    await store.set(TENANT, NS, "k", held)
    with pytest.raises(InvalidValueError, match="not a number"):
        await store.increment(TENANT, NS, "k")
    assert await value(store, "k") == held


async def test_only_finite_numbers_are_added(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", 1e308)
    with pytest.raises(InvalidValueError, match="more than a number can hold"):
        await store.increment(TENANT, NS, "k", by=1e308)
    for by in (True, float("nan"), "1"):
        with pytest.raises(InvalidValueError):
            await store.increment(TENANT, NS, "k", by=by)  # type: ignore[arg-type]


async def test_a_repeated_operation_happens_once_and_answers_the_same(store: KeyValues) -> None:
    first = await store.increment(TENANT, NS, "k", by=5, operation="op-1")
    await store.increment(TENANT, NS, "k", by=1)
    assert await store.increment(TENANT, NS, "k", by=5, operation="op-1") == first
    assert await value(store, "k") == 6
    written = await store.set(TENANT, NS, "s", "a", if_revision=0, operation="op-2")
    await store.set(TENANT, NS, "s", "b")
    assert await store.set(TENANT, NS, "s", "a", if_revision=0, operation="op-2") == written
    assert await value(store, "s") == "b"
    assert await store.delete(TENANT, NS, "s", operation="op-3")
    assert await store.delete(TENANT, NS, "s", operation="op-3")


async def test_one_operation_may_make_changes_of_different_kinds(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", 1, operation="op")
    assert (await store.increment(TENANT, NS, "k", operation="op")).value == 2
    assert await store.delete(TENANT, NS, "k", operation="op")


async def test_a_refused_operation_may_be_tried_again(store: KeyValues) -> None:
    with pytest.raises(RevisionMismatchError):
        await store.set(TENANT, NS, "k", 1, if_revision=1, operation="op")
    await store.set(TENANT, NS, "k", 0)
    assert (await store.set(TENANT, NS, "k", 1, if_revision=1, operation="op")).revision == 2


async def test_lists_select_by_prefix_and_come_in_pages(store: KeyValues) -> None:
    for key in ("b1", "a", "b", "b2", "bž", "c"):
        await store.set(TENANT, NS, key, key)
    first = await store.list_entries(TENANT, NS, prefix="b", limit=3)
    assert [item.value for item in first.items] == ["b", "b1", "b2"]
    rest = await store.list_entries(TENANT, NS, prefix="b", limit=3, cursor=first.next_cursor)
    assert ([item.key for item in rest.items], rest.next_cursor) == (["bž"], None)
    assert await keys(store) == ["a", "b", "b1", "b2", "bž", "c"]
    assert await keys(store, "empty") == []


@pytest.mark.parametrize("limit", [0, 201])
async def test_limits_of_lists_are_checked(store: KeyValues, limit: int) -> None:
    with pytest.raises(InvalidValueError, match="not between 1 and 200"):
        await store.list_entries(TENANT, NS, limit=limit)


async def test_tenants_see_their_own(store: KeyValues) -> None:
    await store.set(TENANT, NS, "k", 1, operation="op")
    assert (await store.set("other", NS, "k", 2, operation="op")).created
    assert await value(store, "k") == 1
