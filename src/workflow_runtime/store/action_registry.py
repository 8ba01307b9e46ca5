"""Actions registered by their owners: specs by id and version. Processes and activities only.

Built-in actions are data of ``core.actions`` and are not kept here.
"""

from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Redis

from workflow_runtime.core.actions import ActionSpec, action_key
from workflow_runtime.core.canonical import sha256_hex
from workflow_runtime.store.connection import register_script, remember_tenant, tenant_key
from workflow_runtime.store.errors import ConflictError


class ActionRegistry:
    """The registered actions of all tenants."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._register = register_script(redis, "action_register")

    async def register(self, tenant: str, spec: ActionSpec, *, replace: bool = False) -> bool:
        """Add an action, or change its queue, time limits and presentation; true when the version is new.

        Schemas and side-effectfulness of a version are what definitions were validated against: changing them raises
        `ConflictError` ACTION_EXISTS unless ``replace`` is given.
        """
        await remember_tenant(self._redis, tenant)
        contract = sha256_hex([spec.input_schema, spec.output_schema, spec.side_effectful])
        arguments: list[str | int] = [spec.key, contract, spec.model_dump_json(by_alias=True), int(replace)]
        outcome = await self._register([_registry_key(tenant)], arguments)
        if outcome == "different":
            raise ConflictError(
                f"action {spec.id!r} version {spec.version} is registered with other schemas or another "
                f"sideEffectful; register it as version {spec.version + 1}",
                code="ACTION_EXISTS",
            )
        return bool(outcome == "new")

    async def get(self, tenant: str, action_id: str, version: int) -> ActionSpec | None:
        """The spec; null when it is not registered."""
        key = action_key(action_id, version)
        entry = await cast(Awaitable[str | None], self._redis.hget(_registry_key(tenant), key))
        return None if entry is None else _spec(entry)

    async def list_actions(self, tenant: str) -> tuple[ActionSpec, ...]:
        """Every registered action in order of id and version."""
        entries = await cast(Awaitable[list[str]], self._redis.hvals(_registry_key(tenant)))
        return tuple(sorted((_spec(entry) for entry in entries), key=lambda spec: (spec.id, spec.version)))

    async def remove(self, tenant: str, action_id: str, version: int) -> bool:
        """Forget a version; definitions published with it keep its queue and go on. False when it was not there."""
        return await self._redis.hdel(_registry_key(tenant), action_key(action_id, version)) == 1


def _spec(entry: str) -> ActionSpec:
    return ActionSpec.model_validate_json(entry.partition("\n")[2])


def _registry_key(tenant: str) -> str:
    return tenant_key(tenant, "actions")
