"""Performs ``store.*``. Activity code. A change repeated under one idempotency key happens once, by the store."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from workflow_runtime.service.action_dispatch import ActionCall, Handler
from workflow_runtime.store.key_values import KeyValue, KeyValues


def store_handlers(values: KeyValues) -> Mapping[str, Handler]:
    """Handlers by action id; input and output as in the specs."""

    async def get(call: ActionCall) -> Any:
        found = await values.get(call.context.tenant_id, call.input["namespace"], call.input["key"])
        if found is None:
            return {"found": False, "value": None, "value_type": None, "revision": None, "expires_at": None}
        return {
            "found": True,
            "value": found.value,
            "value_type": found.value_type,
            "revision": found.revision,
            "expires_at": found.expires_at,
        }

    async def set_(call: ActionCall) -> Any:
        given, seconds = call.input, call.input.get("ttl_seconds")
        written = await values.set(
            call.context.tenant_id,
            given["namespace"],
            given["key"],
            given["value"],
            value_type=given.get("value_type"),
            ttl=None if seconds is None else timedelta(seconds=seconds),
            if_revision=given.get("if_revision"),
            operation=call.idempotency_key,
        )
        return {"revision": written.revision, "created": written.created}

    async def delete(call: ActionCall) -> Any:
        deleted = await values.delete(
            call.context.tenant_id,
            call.input["namespace"],
            call.input["key"],
            if_revision=call.input.get("if_revision"),
            operation=call.idempotency_key,
        )
        return {"deleted": deleted}

    async def increment(call: ActionCall) -> Any:
        sum_ = await values.increment(
            call.context.tenant_id,
            call.input["namespace"],
            call.input["key"],
            by=call.input.get("by", 1),
            initial=call.input.get("initial", 0),
            operation=call.idempotency_key,
        )
        return {"value": sum_.value, "revision": sum_.revision}

    async def list_(call: ActionCall) -> Any:
        page = await values.list_entries(
            call.context.tenant_id,
            call.input["namespace"],
            prefix=call.input.get("prefix", ""),
            limit=call.input.get("limit", 100),
            cursor=call.input.get("cursor"),
        )
        items = [_entry(call.input["namespace"], item) for item in page.items]
        return {"items": items, "next_cursor": page.next_cursor}

    async def list_namespaces(call: ActionCall) -> Any:
        found = await values.list_namespaces(call.context.tenant_id)
        return {"namespaces": [{"namespace": item.namespace, "key_count": item.count} for item in found]}

    return {
        "store.get": get,
        "store.set": set_,
        "store.delete": delete,
        "store.increment": increment,
        "store.list": list_,
        "store.list_namespaces": list_namespaces,
    }


def _entry(namespace: str, item: KeyValue) -> dict[str, Any]:
    return {"namespace": namespace, **item.model_dump(mode="json", by_alias=False)}
