"""Typed links between records of any systems, behind the ``links.*`` actions. Activities and processes only.

As in store.key_values, a change that names its ``operation`` happens once however often it is repeated within a week.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from redis.asyncio import Redis

from workflow_runtime.store._indexes import in_order, members
from workflow_runtime.store._labels import check_labels, check_limit, operation_mark, value_json
from workflow_runtime.store._link_rows import (
    Direction,
    Edge,
    EntityRef,
    Link,
    LinkMatch,
    LinkPage,
    Upserted,
    Way,
    check_entity,
    end_key,
    namespace_key,
    namespaces_key,
)
from workflow_runtime.store._rows import flat
from workflow_runtime.store.connection import Clock, iso, register_script, remember_tenant, utc_now
from workflow_runtime.store.errors import InvalidValueError
from workflow_runtime.store.key_values import NamespaceCount

__all__ = ["DEFAULT_RELATION", "Direction", "EntityRef", "Link", "LinkMatch", "LinkPage", "Links", "Upserted"]

DEFAULT_RELATION: Final = "related"
_PORTION: Final = 500
_WAYS: Final[dict[Direction, tuple[Way, ...]]] = {
    "forward": ("forward",),
    "reverse": ("reverse",),
    "either": ("forward", "reverse"),
}


class Links:
    """The links of all tenants. Namespaces, types, ids and relations are 1 to 256 printable characters."""

    def __init__(self, redis: Redis, *, clock: Clock = utc_now) -> None:
        self._redis = redis
        self._clock = clock
        self._upsert = register_script(redis, "_operation", "link_upsert")
        self._delete = register_script(redis, "_operation", "link_delete")

    async def upsert(
        self,
        tenant: str,
        namespace: str,
        left: EntityRef,
        right: EntityRef,
        *,
        relation: str = DEFAULT_RELATION,
        attributes: Any = None,
        operation: str | None = None,
    ) -> Upserted:
        """Make a link, or replace the attributes of the one there is.

        Raises `InvalidNameError`, and `ValueTooLargeError` for attributes above 256 KiB.
        """
        edge = Edge(namespace=namespace, left=left, right=right, relation=relation).check()
        value_json(attributes, "attributes of a link")
        mark, memory = operation_mark(tenant, "links.upsert", operation)
        names = [*edge.keys(tenant), namespace_key(tenant, namespace), namespaces_key(tenant), mark]
        values = edge.model_dump(mode="json", by_alias=True) | {"linkId": edge.link_id, "attributes": attributes}
        head = [memory, namespace, edge.forward, edge.reverse, edge.listed, iso(self._clock())]
        await remember_tenant(self._redis, tenant)
        (created,) = await self._upsert(names, [*head, *flat(Link.encode(values))])
        return Upserted(link_id=edge.link_id, created=created == 1)

    async def lookup(
        self,
        tenant: str,
        namespace: str,
        entity: EntityRef,
        *,
        direction: Direction = "forward",
        relation: str | None = None,
        other_type: str | None = None,
        limit: int = 200,
    ) -> tuple[LinkMatch, ...]:
        """What an entity is linked to: forward from left to right, reverse from right to left; ``limit`` up to 200.

        A link of an entity to itself is found once per direction.
        """
        check_labels(namespace=namespace)
        check_entity(entity)
        check_limit(limit, 200)
        found: list[tuple[Edge, Way]] = []
        for way in _WAYS[direction]:
            edges = await self._edges_at(tenant, namespace, entity, way, relation, other_type, limit=limit)
            found += [(edge, way) for edge in edges]
        links = await self._raw(tenant, [edge for edge, _ in found[:limit]])
        pairs = zip(found, links, strict=False)
        return tuple(_match(edge, way, Link.from_hash(raw)) for (edge, way), raw in pairs if raw)

    async def delete(
        self,
        tenant: str,
        namespace: str,
        *,
        left: EntityRef | None = None,
        right: EntityRef | None = None,
        relation: str | None = None,
        operation: str | None = None,
    ) -> int:
        """Remove every link with these ends and this relation; answers how many.

        Raises `InvalidValueError` when neither end is given.
        """
        edges = await self._edges_between(tenant, namespace, left, right, relation)
        mark, memory = operation_mark(tenant, "links.delete", operation)
        names = [namespace_key(tenant, namespace), namespaces_key(tenant)]
        names += [key for edge in edges for key in edge.keys(tenant)]
        labels = [label for edge in edges for label in (edge.forward, edge.reverse, edge.listed)]
        (removed,) = await self._delete([*names, mark], [memory, namespace, *labels])
        return int(removed)

    async def list_links(
        self,
        tenant: str,
        namespace: str,
        *,
        left_type: str | None = None,
        right_type: str | None = None,
        relation: str | None = None,
        limit: int = 200,
        cursor: str | None = None,
    ) -> LinkPage:
        """Links of a namespace; ``limit`` up to 200."""
        check_labels(namespace=namespace)
        check_limit(limit, 200)

        def read(member: str) -> Edge | None:
            edge = Edge.of_listed(namespace, member)
            return edge if left_type in (None, edge.left.type) and right_type in (None, edge.right.type) else None

        index, prefix = namespace_key(tenant, namespace), _prefix(relation, left_type)
        found = await self._collect(index, prefix, read, limit=limit, cursor=cursor)
        links = tuple(Link.from_hash(raw) for raw in await self._raw(tenant, found) if raw)
        return LinkPage(items=links, next_cursor=found[-1].listed if len(found) == limit else None)

    async def list_namespaces(self, tenant: str) -> tuple[NamespaceCount, ...]:
        """Namespaces that have links, in order of name."""
        namespaces = await members(self._redis, namespaces_key(tenant))
        pipe = self._redis.pipeline(transaction=False)
        for namespace in namespaces:
            pipe.zcard(namespace_key(tenant, namespace))
        counts = zip(namespaces, await pipe.execute(), strict=True)
        return tuple(NamespaceCount(namespace=namespace, count=count) for namespace, count in counts if count)

    async def _edges_at(
        self,
        tenant: str,
        namespace: str,
        entity: EntityRef,
        way: Way,
        relation: str | None,
        other_type: str | None,
        *,
        limit: int | None = None,
    ) -> list[Edge]:
        """The links of one entity in one direction."""

        def read(member: str) -> Edge | None:
            found_relation, type_, id_ = member.split("\n")
            other = EntityRef(type=type_, id=id_)
            left, right = (entity, other) if way == "forward" else (other, entity)
            edge = Edge(namespace=namespace, left=left, right=right, relation=found_relation)
            return edge if other_type in (None, type_) else None

        index = end_key(tenant, namespace, way, entity)
        return await self._collect(index, _prefix(relation, other_type), read, limit=limit)

    async def _edges_between(
        self, tenant: str, namespace: str, left: EntityRef | None, right: EntityRef | None, relation: str | None
    ) -> list[Edge]:
        if left is not None:
            edges = await self._edges_at(tenant, namespace, left, "forward", relation, right.type if right else None)
            return [edge for edge in edges if right in (None, edge.right)]
        if right is not None:
            return await self._edges_at(tenant, namespace, right, "reverse", relation, None)
        raise InvalidValueError("links cannot be deleted without an end; give left, right or both")

    async def _collect(
        self,
        key: str,
        prefix: str,
        read: Callable[[str], Edge | None],
        *,
        limit: int | None,
        cursor: str | None = None,
    ) -> list[Edge]:
        """What ``read`` makes of the members of an index with a prefix, up to ``limit``, read in portions."""
        found: list[Edge] = []
        while portion := await in_order(self._redis, key, limit=_PORTION, cursor=cursor, prefix=prefix):
            for member in portion:
                edge = read(member)
                if edge is not None:
                    found.append(edge)
                if len(found) == limit:
                    return found
            cursor = portion[-1]
        return found

    async def _raw(self, tenant: str, edges: Sequence[Edge]) -> list[dict[str, str]]:
        pipe = self._redis.pipeline(transaction=False)
        for edge in edges:
            pipe.hgetall(edge.keys(tenant)[0])
        return list(await pipe.execute())


def _prefix(relation: str | None, type_: str | None) -> str:
    """What members begin with when relation, or relation and type, are wanted."""
    if relation is None:
        return ""
    return f"{relation}\n{type_}\n" if type_ else f"{relation}\n"


def _match(edge: Edge, way: Way, link: Link) -> LinkMatch:
    other = edge.right if way == "forward" else edge.left
    return LinkMatch(
        link_id=link.link_id,
        type=other.type,
        id=other.id,
        relation=edge.relation,
        attributes=link.attributes,
        direction=way,
    )
