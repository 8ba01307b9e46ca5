"""Links: one per typed edge, found from both ends, deleted by pattern."""

import asyncio

import pytest
from redis.asyncio import Redis
from tests.integration.store.builders import TENANT

from workflow_runtime.store.errors import InvalidNameError, InvalidValueError, ValueTooLargeError
from workflow_runtime.store.links import EntityRef, Links

pytestmark = pytest.mark.also_on_valkey

NS = "mirror"


@pytest.fixture
def links(redis_client: Redis) -> Links:
    return Links(redis_client)


def ref(text: str) -> EntityRef:
    """``task/1`` as a reference."""
    type_, _, id_ = text.partition("/")
    return EntityRef(type=type_, id=id_)


async def link(links: Links, left: str, right: str, relation: str = "mirrors", **options: object) -> str:
    made = await links.upsert(TENANT, NS, ref(left), ref(right), relation=relation, **options)  # type: ignore[arg-type]
    return made.link_id


async def ends(links: Links, entity: str, **options: object) -> list[str]:
    found = await links.lookup(TENANT, NS, ref(entity), **options)  # type: ignore[arg-type]
    return [f"{match.direction[0]} {match.relation} {match.type}/{match.id}" for match in found]


async def test_a_link_is_found_from_both_ends(links: Links) -> None:
    link_id = await link(links, "task/a", "ticket/b", attributes={"since": 1, "tags": []})
    (match,) = await links.lookup(TENANT, NS, ref("task/a"))
    assert (match.link_id, match.type, match.id, match.attributes) == (link_id, "ticket", "b", {"since": 1, "tags": []})
    assert await ends(links, "ticket/b") == []
    assert await ends(links, "ticket/b", direction="reverse") == ["r mirrors task/a"]
    assert await ends(links, "task/a", direction="either") == ["f mirrors ticket/b"]


async def test_the_same_edge_is_one_link_and_takes_new_attributes(links: Links) -> None:
    first = await links.upsert(TENANT, NS, ref("t/1"), ref("t/2"), attributes={"a": 1})
    again = await links.upsert(TENANT, NS, ref("t/1"), ref("t/2"))
    assert (first.created, again.created, first.link_id) == (True, False, again.link_id)
    (match,) = await links.lookup(TENANT, NS, ref("t/1"))
    assert (match.attributes, match.relation) == (None, "related")


async def test_many_upserts_at_once_make_one_link(links: Links) -> None:
    made = await asyncio.gather(*(links.upsert(TENANT, NS, ref("t/1"), ref("t/2")) for _ in range(20)))
    assert sum(outcome.created for outcome in made) == 1
    assert (await links.list_namespaces(TENANT))[0].count == 1


async def test_relation_direction_and_namespace_tell_links_apart(links: Links) -> None:
    made = {
        await link(links, "t/1", "t/2"),
        await link(links, "t/1", "t/2", "blocks"),
        await link(links, "t/2", "t/1"),
        (await links.upsert(TENANT, "other", ref("t/1"), ref("t/2"), relation="mirrors")).link_id,
    }
    assert len(made) == 4
    assert await ends(links, "t/1", direction="either") == ["f blocks t/2", "f mirrors t/2", "r mirrors t/2"]


async def test_lookups_filter_by_relation_and_type(links: Links) -> None:
    for right in ("ticket/1", "task/2", "ticket/3"):
        await link(links, "client/c", right)
        await link(links, "client/c", right, "owns")
    assert await ends(links, "client/c", relation="owns") == ["f owns task/2", "f owns ticket/1", "f owns ticket/3"]
    assert await ends(links, "client/c", relation="owns", other_type="ticket") == ["f owns ticket/1", "f owns ticket/3"]
    assert await ends(links, "client/c", other_type="task") == ["f mirrors task/2", "f owns task/2"]
    assert await ends(links, "client/c", limit=2) == ["f mirrors task/2", "f mirrors ticket/1"]
    assert await ends(links, "client/c", relation="own") == []


async def test_the_limit_counts_both_directions(links: Links) -> None:
    for number in range(3):
        await link(links, "t/0", f"t/{number + 1}")
        await link(links, f"t/{number + 1}", "t/0")
    assert len(await ends(links, "t/0", direction="either", limit=4)) == 4


async def test_a_link_to_itself_is_found_once_per_direction(links: Links) -> None:
    await link(links, "t/1", "t/1")
    assert await ends(links, "t/1", direction="either") == ["f mirrors t/1", "r mirrors t/1"]


async def test_lookups_read_beyond_one_portion(links: Links) -> None:
    for number in range(620):
        await link(links, "hub/h", f"spoke/{number:03}")
    await link(links, "hub/h", "zebra/z")
    assert await ends(links, "hub/h", other_type="zebra") == ["f mirrors zebra/z"]


@pytest.mark.parametrize(
    ("pattern", "left_over"),
    [
        ({"left": "t/1"}, {"t/2 mirrors t/3", "t/3 blocks t/2"}),
        ({"right": "t/2"}, {"t/1 mirrors t/3", "t/2 mirrors t/3"}),
        ({"right": "t/2", "relation": "blocks"}, {"t/1 mirrors t/2", "t/1 mirrors t/3", "t/2 mirrors t/3"}),
        ({"left": "t/1", "right": "t/3"}, {"t/1 mirrors t/2", "t/2 mirrors t/3", "t/3 blocks t/2"}),
        ({"left": "t/9"}, {"t/1 mirrors t/2", "t/1 mirrors t/3", "t/2 mirrors t/3", "t/3 blocks t/2"}),
    ],
)
async def test_deleting_takes_what_fits_the_pattern(links: Links, pattern: dict[str, str], left_over: set[str]) -> None:
    for left, relation, right in (
        ("1", "mirrors", "2"),
        ("1", "mirrors", "3"),
        ("2", "mirrors", "3"),
        ("3", "blocks", "2"),
    ):
        await link(links, f"t/{left}", f"t/{right}", relation)
    entities = {end: ref(text) for end, text in pattern.items() if end != "relation"}
    removed = await links.delete(TENANT, NS, relation=pattern.get("relation"), **entities)  # type: ignore[arg-type]
    page = await links.list_links(TENANT, NS)
    kept = {f"t/{found.left.id} {found.relation} t/{found.right.id}" for found in page.items}
    assert (removed, kept) == (4 - len(left_over), left_over)
    either = [end for number in "123" for end in await ends(links, f"t/{number}", direction="either")]
    assert len(either) == 2 * len(left_over)


async def test_deleting_everything_leaves_no_key(links: Links, redis_client: Redis) -> None:
    await link(links, "t/1", "t/2")
    assert await links.delete(TENANT, NS, left=ref("t/1")) == 1
    assert await redis_client.keys("wf:{acme}:*") == []
    assert await links.list_namespaces(TENANT) == ()


async def test_deleting_without_an_end_is_refused(links: Links) -> None:
    with pytest.raises(InvalidValueError, match="give left, right or both"):
        await links.delete(TENANT, NS, relation="mirrors")


async def test_a_repeated_operation_answers_the_same(links: Links) -> None:
    first = await links.upsert(TENANT, NS, ref("t/1"), ref("t/2"), operation="op-1")
    assert await links.upsert(TENANT, NS, ref("t/1"), ref("t/2"), operation="op-1") == first
    assert first.created
    assert await links.delete(TENANT, NS, left=ref("t/1"), operation="op-2") == 1
    await links.upsert(TENANT, NS, ref("t/1"), ref("t/3"))
    assert await links.delete(TENANT, NS, left=ref("t/1"), operation="op-2") == 1
    assert await ends(links, "t/1") == ["f related t/3"]


async def test_lists_filter_and_come_in_pages(links: Links) -> None:
    for left, right in (("a/1", "b/1"), ("a/2", "c/1"), ("b/1", "c/2"), ("a/3", "c/3")):
        await link(links, left, right)
        await link(links, left, right, "owns")

    async def listed(**filters: object) -> list[str]:
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = await links.list_links(TENANT, NS, limit=2, cursor=cursor, **filters)  # type: ignore[arg-type]
            found += [f"{each.left.type}{each.left.id} {each.right.type}{each.right.id}" for each in page.items]
            cursor = page.next_cursor
            if cursor is None:
                return found

    assert len(await listed()) == 8
    assert await listed(relation="owns") == ["a1 b1", "a2 c1", "a3 c3", "b1 c2"]
    assert await listed(relation="owns", left_type="a") == ["a1 b1", "a2 c1", "a3 c3"]
    assert await listed(relation="mirrors", left_type="a", right_type="c") == ["a2 c1", "a3 c3"]
    assert await listed(right_type="b") == ["a1 b1", "a1 b1"]


async def test_namespaces_are_counted(links: Links) -> None:
    await link(links, "t/1", "t/2")
    await link(links, "t/1", "t/3")
    await links.upsert(TENANT, "another", ref("t/1"), ref("t/2"))
    assert [(each.namespace, each.count) for each in await links.list_namespaces(TENANT)] == [("another", 1), (NS, 2)]


async def test_labels_and_attributes_have_limits(links: Links) -> None:
    with pytest.raises(InvalidNameError, match="invalid entity type"):
        await links.upsert(TENANT, NS, EntityRef(type="", id="1"), ref("t/1"))
    with pytest.raises(InvalidNameError):
        await link(links, "t/1", "t/2", "two\nlines")
    with pytest.raises(ValueTooLargeError):
        await link(links, "t/1", "t/2", attributes="x" * 300_000)
    with pytest.raises(InvalidValueError):
        await links.lookup(TENANT, NS, ref("t/1"), limit=500)
