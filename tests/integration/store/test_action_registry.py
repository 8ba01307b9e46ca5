"""Registered actions: a version keeps what definitions were validated against."""

from typing import Any

import pytest
from redis.asyncio import Redis
from tests.integration.store.builders import TENANT

from workflow_runtime.core.actions import ActionSpec
from workflow_runtime.store.action_registry import ActionRegistry
from workflow_runtime.store.errors import ConflictError

pytestmark = pytest.mark.also_on_valkey


@pytest.fixture
def registry(redis_client: Redis) -> ActionRegistry:
    return ActionRegistry(redis_client)


def spec(**fields: Any) -> ActionSpec:
    known: dict[str, Any] = {"id": "crm.find", "version": 1, "task_queue": "crm", "side_effectful": False}
    return ActionSpec(**(known | {"input_schema": {"type": "object"}, "output_schema": True} | fields))


async def test_a_registered_action_is_read_back_as_it_was(registry: ActionRegistry) -> None:
    full = spec(ui={"label": "Find"}, examples=({"input": {}, "output": []},))
    assert await registry.register(TENANT, full)
    assert await registry.get(TENANT, "crm.find", 1) == full
    assert await registry.get(TENANT, "crm.find", 2) is None
    assert await registry.get("other", "crm.find", 1) is None


async def test_queue_and_presentation_may_change(registry: ActionRegistry) -> None:
    await registry.register(TENANT, spec())
    moved = spec(task_queue="crm-2", ui={"label": "Search"})
    assert not await registry.register(TENANT, moved)
    assert await registry.get(TENANT, "crm.find", 1) == moved


@pytest.mark.parametrize(
    "change", [{"input_schema": {"type": "array"}}, {"output_schema": {}}, {"side_effectful": True}]
)
async def test_what_definitions_rely_on_does_not_change_by_accident(
    registry: ActionRegistry, change: dict[str, Any]
) -> None:
    await registry.register(TENANT, spec())
    with pytest.raises(ConflictError, match="register it as version 2") as refused:
        await registry.register(TENANT, spec(**change))
    assert refused.value.code == "ACTION_EXISTS"
    assert await registry.get(TENANT, "crm.find", 1) == spec()
    assert not await registry.register(TENANT, spec(**change), replace=True)
    assert await registry.get(TENANT, "crm.find", 1) == spec(**change)


async def test_lists_are_in_order_of_id_and_version(registry: ActionRegistry) -> None:
    for id_, version in (("b", 1), ("a", 10), ("a", 9)):
        await registry.register(TENANT, spec(id=id_, version=version))
    assert [each.key for each in await registry.list_actions(TENANT)] == ["a@9", "a@10", "b@1"]


async def test_a_removed_version_is_gone_and_may_come_back_different(registry: ActionRegistry) -> None:
    await registry.register(TENANT, spec())
    assert await registry.remove(TENANT, "crm.find", 1)
    assert not await registry.remove(TENANT, "crm.find", 1)
    assert await registry.register(TENANT, spec(side_effectful=True))
