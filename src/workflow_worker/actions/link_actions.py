"""Performs ``links.*``. Activity code. A change repeated under one idempotency key happens once, by the store."""

from collections.abc import Mapping
from typing import Any

from workflow_runtime.service.action_dispatch import ActionCall, Handler
from workflow_runtime.store.links import DEFAULT_RELATION, EntityRef, Link, Links


def link_handlers(links: Links) -> Mapping[str, Handler]:
    """Handlers by action id; input and output as in the specs."""

    async def upsert(call: ActionCall) -> Any:
        given = call.input
        done = await links.upsert(
            call.context.tenant_id,
            given["namespace"],
            EntityRef(**given["left"]),
            EntityRef(**given["right"]),
            relation=given.get("relation", DEFAULT_RELATION),
            attributes=given.get("attributes"),
            operation=call.idempotency_key,
        )
        return {"link_id": done.link_id, "created": done.created}

    async def lookup(call: ActionCall) -> Any:
        given = call.input
        found = await links.lookup(
            call.context.tenant_id,
            given["namespace"],
            EntityRef(**given["from"]),
            direction=given.get("direction", "forward"),
            relation=given.get("relation"),
            other_type=given.get("right_type"),
            limit=given.get("limit", 100),
        )
        fields = {"link_id", "type", "id", "relation"}
        return {
            "matches": [
                {**match.model_dump(include=fields, by_alias=False), "attributes": match.attributes or {}}
                for match in found
            ]
        }

    async def delete(call: ActionCall) -> Any:
        deleted = await links.delete(
            call.context.tenant_id,
            call.input["namespace"],
            left=_entity(call.input.get("left")),
            right=_entity(call.input.get("right")),
            relation=call.input.get("relation"),
            operation=call.idempotency_key,
        )
        return {"deleted_count": deleted}

    async def list_(call: ActionCall) -> Any:
        page = await links.list_links(
            call.context.tenant_id,
            call.input["namespace"],
            left_type=call.input.get("left_type"),
            right_type=call.input.get("right_type"),
            relation=call.input.get("relation"),
            limit=call.input.get("limit", 100),
            cursor=call.input.get("cursor"),
        )
        return {"items": [_link(item) for item in page.items], "next_cursor": page.next_cursor}

    async def list_namespaces(call: ActionCall) -> Any:
        found = await links.list_namespaces(call.context.tenant_id)
        return {"namespaces": [{"namespace": item.namespace, "link_count": item.count} for item in found]}

    return {
        "links.upsert": upsert,
        "links.lookup": lookup,
        "links.delete": delete,
        "links.list": list_,
        "links.list_namespaces": list_namespaces,
    }


def _entity(given: dict[str, str] | None) -> EntityRef | None:
    return None if given is None else EntityRef(**given)


def _link(link: Link) -> dict[str, Any]:
    return {**link.model_dump(mode="json", by_alias=False), "attributes": link.attributes or {}}
