"""Shapes and index members of links. Private to the stores (exported by store.links); pure."""

import hashlib
from typing import Any, Literal

from workflow_runtime.core.wire import WireModel
from workflow_runtime.store._labels import check_labels
from workflow_runtime.store._rows import HashRow
from workflow_runtime.store.connection import tenant_key

Way = Literal["forward", "reverse"]
Direction = Literal["forward", "reverse", "either"]


class EntityRef(WireModel):
    """A record of any system: what kind it is, and its id there."""

    type: str
    id: str


class Link(HashRow):
    """A directed, typed link: ``left`` relation ``right``. Its id follows from namespace, ends and relation."""

    link_id: str
    namespace: str
    left: EntityRef
    right: EntityRef
    relation: str
    attributes: Any = None
    created_at: str
    updated_at: str


class LinkMatch(WireModel):
    """The other end of a link that `Links.lookup` found, and the direction in which it was followed."""

    link_id: str
    type: str
    id: str
    relation: str
    attributes: Any = None
    direction: Way


class LinkPage(WireModel):
    """Links in order of relation, left end and right end; ``next_cursor`` continues the list and is null at its end."""

    items: tuple[Link, ...]
    next_cursor: str | None


class Upserted(WireModel):
    """The id of a link after `Links.upsert`, and whether it is new."""

    link_id: str
    created: bool


class Edge(WireModel):
    """What makes a link the one it is, with the keys and index members that follow from it.

    Members join labels with a line feed, which no label has: a prefix of whole labels selects exactly.
    """

    namespace: str
    left: EntityRef
    right: EntityRef
    relation: str

    def check(self) -> "Edge":
        """This edge; raises `InvalidNameError` for a label it cannot have."""
        check_labels(namespace=self.namespace, relation=self.relation)
        check_entity(self.left)
        check_entity(self.right)
        return self

    @property
    def link_id(self) -> str:
        """32 hex digits."""
        return hashlib.sha256(f"{self.namespace}\n{self.listed}".encode()).hexdigest()[:32]

    @property
    def forward(self) -> str:
        """Member of the index of the left end."""
        return f"{self.relation}\n{self.right.type}\n{self.right.id}"

    @property
    def reverse(self) -> str:
        """Member of the index of the right end."""
        return f"{self.relation}\n{self.left.type}\n{self.left.id}"

    @property
    def listed(self) -> str:
        """Member of the index of the namespace."""
        return f"{self.relation}\n{self.left.type}\n{self.left.id}\n{self.right.type}\n{self.right.id}"

    def keys(self, tenant: str) -> list[str]:
        """Link, index of the left end, index of the right end."""
        left = end_key(tenant, self.namespace, "forward", self.left)
        right = end_key(tenant, self.namespace, "reverse", self.right)
        return [link_key(tenant, self.namespace, self.link_id), left, right]

    @classmethod
    def of_listed(cls, namespace: str, member: str) -> "Edge":
        """The edge of a member of the namespace's index."""
        relation, left_type, left_id, right_type, right_id = member.split("\n")
        left, right = EntityRef(type=left_type, id=left_id), EntityRef(type=right_type, id=right_id)
        return cls(namespace=namespace, left=left, right=right, relation=relation)


def check_entity(entity: EntityRef) -> None:
    """Raises `InvalidNameError`."""
    check_labels(entity_type=entity.type, entity_id=entity.id)


def link_key(tenant: str, namespace: str, link_id: str) -> str:
    """Hash: the link."""
    return tenant_key(tenant, "link", namespace, link_id)


def end_key(tenant: str, namespace: str, direction: Way, entity: EntityRef) -> str:
    """Sorted set: the links of one entity in one direction."""
    return tenant_key(tenant, "links", namespace, direction, entity.type, entity.id)


def namespace_key(tenant: str, namespace: str) -> str:
    """Sorted set: all links of a namespace."""
    return tenant_key(tenant, "links", namespace)


def namespaces_key(tenant: str) -> str:
    """Sorted set: namespaces that have links."""
    return tenant_key(tenant, "link-namespaces")
