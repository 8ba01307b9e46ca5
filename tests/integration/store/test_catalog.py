"""The catalog: drafts that do not overwrite each other, versions that never change, triggers of the latest version."""

import asyncio

import pytest
from redis.asyncio import Redis
from tests.fakes.clock import HandClock
from tests.integration.store.builders import TENANT, definition

from workflow_runtime.core.actions import ActionPin
from workflow_runtime.core.canonical import sha256_hex
from workflow_runtime.core.errors import Category, ValidationFailure
from workflow_runtime.store.catalog import Catalog, WorkflowSettings
from workflow_runtime.store.connection import tenant_key
from workflow_runtime.store.errors import (
    ArchivedError,
    ConflictError,
    HashMismatchError,
    InvalidNameError,
    InvalidValueError,
    NotFoundError,
    RevisionMismatchError,
)

pytestmark = pytest.mark.also_on_valkey

ON_TICKET = {"type": "event", "eventName": "TicketCreated"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def catalog(redis_client: Redis, clock: HandClock) -> Catalog:
    return Catalog(redis_client, clock=clock)


async def triggered(catalog: Catalog, event_name: str) -> list[tuple[str, int]]:
    return [(found.workflow_id, found.version) for found in await catalog.triggers_for_event(TENANT, event_name)]


async def publish(catalog: Catalog, workflow_id: str, version: int = 1, **fields: object) -> None:
    await catalog.publish(TENANT, workflow_id, version, definition(workflow_id, **fields), action_queues={})


async def test_a_draft_is_kept_as_it_is_even_when_invalid(catalog: Catalog) -> None:
    broken = {"name": 7, "steps": "later", "order": {"b": 1, "a": []}}
    row = await catalog.save_draft(TENANT, "w", broken)
    assert (row.status, row.draft_version, row.name, row.latest_version) == ("draft", 1, "", None)
    draft = await catalog.get_draft(TENANT, "w")
    assert draft is not None
    assert list(draft.definition["order"]) == ["b", "a"]
    assert draft.definition == broken


async def test_saving_counts_and_describes(catalog: Catalog, clock: HandClock) -> None:
    await catalog.save_draft(TENANT, "w", definition(description="old", name="A"))
    clock.advance(hours=1)
    row = await catalog.save_draft(TENANT, "w", definition(name="B"))
    assert (row.draft_version, row.name, row.description) == (2, "B", None)
    assert (row.created_at, row.updated_at) == ("2026-01-01T00:00:00.000Z", "2026-01-01T01:00:00.000Z")


async def test_of_two_editors_the_second_is_told(catalog: Catalog) -> None:
    await catalog.save_draft(TENANT, "w", definition(), expected_draft_version=0)
    saves = (catalog.save_draft(TENANT, "w", definition(name=name), expected_draft_version=1) for name in "ab")
    outcomes = await asyncio.gather(*saves, return_exceptions=True)
    (refused,) = (outcome for outcome in outcomes if isinstance(outcome, BaseException))
    assert isinstance(refused, RevisionMismatchError)
    assert "draft of workflow 'w' is at revision 2, not 1" in str(refused)


async def test_an_import_sets_the_draft_version(catalog: Catalog) -> None:
    row = await catalog.save_draft(TENANT, "w", definition(), draft_version=17)
    assert row.draft_version == 17


async def test_a_key_belongs_to_one_workflow(catalog: Catalog) -> None:
    await catalog.save_draft(TENANT, "w", definition(), key="follow-up")
    with pytest.raises(ConflictError, match="belongs to workflow 'w'") as refused:
        await catalog.save_draft(TENANT, "other", definition(), key="follow-up")
    assert refused.value.code == "WORKFLOW_KEY_CONFLICT"
    assert await catalog.find_workflow(TENANT, "other") is None
    await catalog.save_draft(TENANT, "w", definition(), key="renamed")
    assert await catalog.workflow_id_of_key(TENANT, "follow-up") is None
    assert await catalog.workflow_id_of_key(TENANT, "renamed") == "w"


@pytest.mark.parametrize("key", ["", "Upper", "-x", "a b", "ü"])
async def test_a_key_that_no_bundle_could_hold_is_refused(catalog: Catalog, key: str) -> None:
    with pytest.raises(InvalidNameError):
        await catalog.save_draft(TENANT, "w", definition(), key=key)


async def test_a_version_is_read_back_with_everything_pinned(catalog: Catalog) -> None:
    source = definition(steps=[{"id": "a", "type": "control.return"}], order={"z": 1.0, "a": []})
    schema = {"type": "object", "properties": {}}
    queues = {"mail.send@1": "mail-queue"}
    pins = {"mail.send@1": ActionPin(input_schema={"type": "object"}, output_schema=True, timeout_ms=500)}
    stored = await catalog.publish(
        TENANT, "w", 3, source, action_queues=queues, pinned_actions=pins, payload_schema=schema
    )
    assert await catalog.get_version(TENANT, "w", 3) == stored
    assert (stored.definition, stored.action_queues, stored.payload_schema_json) == (source, queues, schema)
    assert stored.pinned_actions == pins
    assert stored.hash == sha256_hex(source)
    row = await catalog.get_workflow(TENANT, "w")
    assert (row.status, row.latest_version, row.name) == ("published", 3, "Follow up")


async def test_a_version_older_than_pinned_actions_is_read_without_any(catalog: Catalog, redis_client: Redis) -> None:
    await publish(catalog, "w")
    assert await redis_client.hdel(tenant_key(TENANT, "workflow", "w", "version", 1), "pinnedActions") == 1
    assert (await catalog.get_version(TENANT, "w", 1)).pinned_actions == {}


async def test_publishing_the_same_again_answers_what_is_there(catalog: Catalog, clock: HandClock) -> None:
    first = await catalog.publish(TENANT, "w", 1, definition(), action_queues={"a@1": "q1"})
    clock.advance(hours=1)
    again = await catalog.publish(TENANT, "w", 1, definition(), action_queues={"a@1": "q2"})
    assert again == first


async def test_a_published_version_never_changes(catalog: Catalog) -> None:
    await publish(catalog, "w", name="A")
    with pytest.raises(ConflictError, match="published versions never change") as refused:
        await publish(catalog, "w", name="B")
    assert refused.value.code == "VERSION_EXISTS"
    assert (await catalog.get_version(TENANT, "w", 1)).definition["name"] == "A"


async def test_of_two_publishers_of_one_version_one_wins(catalog: Catalog) -> None:
    outcomes = await asyncio.gather(*(publish(catalog, "w", name=name) for name in "abcdef"), return_exceptions=True)
    assert sum(isinstance(outcome, ConflictError) for outcome in outcomes) == 5


async def test_what_is_not_json_cannot_be_published(catalog: Catalog) -> None:
    with pytest.raises(ValidationFailure):
        await publish(catalog, "w", steps=[float("nan")])


async def test_a_changed_definition_is_an_error_that_names_it(catalog: Catalog, redis_client: Redis) -> None:
    await publish(catalog, "w", 2)
    await redis_client.hset(tenant_key(TENANT, "workflow", "w", "version", 2), "definition", '{"name":"Forged"}')
    with pytest.raises(HashMismatchError, match="workflow 'w' version 2") as refused:
        await catalog.get_version(TENANT, "w")
    assert refused.value.to_failure().category is Category.CORRUPTION


async def test_missing_things_are_named(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="workflow 'w' of tenant 'acme' does not exist"):
        await catalog.get_version(TENANT, "w")
    await catalog.save_draft(TENANT, "w", definition())
    with pytest.raises(NotFoundError, match="a published version of workflow 'w'"):
        await catalog.get_version(TENANT, "w")
    with pytest.raises(NotFoundError, match="version 9 of workflow 'w'"):
        await catalog.get_version(TENANT, "w", 9)
    for change in (
        catalog.archive(TENANT, "no"),
        catalog.restore(TENANT, "no"),
        catalog.set_paused(TENANT, "no", True),
        catalog.save_settings(TENANT, "no", WorkflowSettings()),
    ):
        with pytest.raises(NotFoundError, match="workflow 'no'"):
            await change
    assert await catalog.find_workflow(TENANT, "no") is None


async def test_the_latest_version_is_the_highest_not_the_last_published(catalog: Catalog) -> None:
    for version in (5, 10, 9):
        await publish(catalog, "w", version, trigger={"type": "event", "eventName": f"E{version}"})
    assert await catalog.list_versions(TENANT, "w") == (5, 9, 10)
    assert (await catalog.get_version(TENANT, "w")).version == 10
    assert [await triggered(catalog, f"E{version}") for version in (5, 9, 10)] == [[], [], [("w", 10)]]


async def test_an_event_finds_the_workflows_it_triggers(catalog: Catalog) -> None:
    await publish(catalog, "b", trigger=ON_TICKET | {"payloadMapping": {"id": {"$expr": "event.payload.id"}}})
    await publish(catalog, "a", trigger=ON_TICKET)
    await publish(catalog, "other", trigger={"type": "event", "eventName": "TicketCreatedLater"})
    await publish(catalog, "manual")
    await catalog.publish("stranger", "x", 1, definition("x", trigger=ON_TICKET), action_queues={})
    found = await catalog.triggers_for_event(TENANT, "TicketCreated")
    assert [target.workflow_id for target in found] == ["a", "b"]
    assert found[1].trigger["payloadMapping"] == {"id": {"$expr": "event.payload.id"}}
    assert found[1].definition_hash == (await catalog.get_version(TENANT, "b")).hash
    assert found[1].payload_schema_ref == "payload.Empty.v1"
    assert await triggered(catalog, "Ticket") == []


async def test_a_new_version_moves_or_drops_the_trigger(catalog: Catalog) -> None:
    await publish(catalog, "w", 1, trigger=ON_TICKET)
    await publish(catalog, "w", 2, trigger={"type": "recurring", "cron": "0 9 * * 1", "timezone": "Europe/Prague"})
    assert await triggered(catalog, "TicketCreated") == []
    (schedule,) = await catalog.all_triggers(TENANT)
    assert (schedule.version, schedule.trigger["cron"]) == (2, "0 9 * * 1")
    await publish(catalog, "w", 3)
    assert await catalog.all_triggers(TENANT) == ()


async def test_an_archived_workflow_triggers_nothing_until_it_is_restored(catalog: Catalog) -> None:
    await publish(catalog, "w", trigger=ON_TICKET)
    await catalog.archive(TENANT, "w")
    assert await triggered(catalog, "TicketCreated") == []
    assert (await catalog.get_workflow(TENANT, "w")).status == "archived"
    with pytest.raises(ArchivedError):
        await publish(catalog, "w", 2)
    await catalog.restore(TENANT, "w")
    assert await triggered(catalog, "TicketCreated") == [("w", 1)]
    assert (await catalog.get_workflow(TENANT, "w")).status == "published"


async def test_a_draft_can_be_archived_and_restored(catalog: Catalog) -> None:
    await catalog.save_draft(TENANT, "w", definition(trigger=ON_TICKET))
    await catalog.archive(TENANT, "w")
    await catalog.restore(TENANT, "w")
    assert (await catalog.get_workflow(TENANT, "w")).status == "draft"
    assert await triggered(catalog, "TicketCreated") == []


async def test_settings_are_kept_apart_from_drafts_and_versions(catalog: Catalog) -> None:
    await catalog.save_draft(TENANT, "w", definition())
    settings = WorkflowSettings(
        is_visible=False,
        is_paused=True,
        concurrency_limit=4,
        payload_schema_mode="pinned",
        pinned_payload_schema_ref="payload.X.v1",
        failure_rate_threshold=0.25,
        retention_policy_override={"days": 7},
    )
    await catalog.save_settings(TENANT, "w", settings)
    await catalog.save_draft(TENANT, "w", definition())
    row = await catalog.get_workflow(TENANT, "w")
    assert row.model_dump() | settings.model_dump() == row.model_dump()
    await catalog.set_concurrency_limit(TENANT, "w", None)
    await catalog.set_paused(TENANT, "w", False)
    row = await catalog.get_workflow(TENANT, "w")
    assert (row.concurrency_limit, row.is_paused, row.is_visible) == (None, False, False)


async def test_a_limit_below_one_is_refused(catalog: Catalog) -> None:
    await catalog.save_draft(TENANT, "w", definition())
    with pytest.raises(InvalidValueError, match="pause the workflow"):
        await catalog.set_concurrency_limit(TENANT, "w", 0)


async def test_lists_come_in_pages_in_order_of_id(catalog: Catalog) -> None:
    for workflow_id in ("c", "a", "b", "d"):
        await catalog.save_draft(TENANT, workflow_id, definition(workflow_id))
    await catalog.archive(TENANT, "b")
    first = await catalog.list_workflows(TENANT, limit=3)
    rest = await catalog.list_workflows(TENANT, limit=3, cursor=first.next_cursor)
    assert [row.workflow_id for row in (*first.workflows, *rest.workflows)] == ["a", "b", "c", "d"]
    assert rest.next_cursor is None
