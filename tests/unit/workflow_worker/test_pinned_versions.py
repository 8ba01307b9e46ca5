"""Published versions are read once, and again only when a run is pinned to something else."""

from typing import cast

from workflow_runtime.store.catalog import Catalog, PublishedVersion
from workflow_worker.pinned_versions import PinnedVersions


class CountingCatalog:
    """Every version exists, with the hash it has at the moment."""

    def __init__(self) -> None:
        self.hash = "h1"
        self.reads: list[int] = []

    async def get_version(self, tenant: str, workflow_id: str, version: int) -> PublishedVersion:
        self.reads.append(version)
        return PublishedVersion(
            workflow_id=workflow_id,
            version=version,
            definition={},
            hash=self.hash,
            action_queues={},
            published_at="now",
        )


def _versions(catalog: CountingCatalog, kept: int = 8) -> PinnedVersions:
    return PinnedVersions(cast(Catalog, catalog), kept=kept)


async def test_a_version_is_read_once() -> None:
    catalog = CountingCatalog()
    versions = _versions(catalog)
    assert [(await versions.get("acme", "w", 1, "h1")).hash for _ in range(3)] == ["h1"] * 3
    assert catalog.reads == [1]


async def test_another_hash_is_looked_up_again() -> None:
    catalog = CountingCatalog()
    versions = _versions(catalog)
    await versions.get("acme", "w", 1, "h1")
    catalog.hash = "h2"
    assert (await versions.get("acme", "w", 1, "h2")).hash == "h2"
    assert catalog.reads == [1, 1]


async def test_tenants_do_not_share_versions() -> None:
    catalog = CountingCatalog()
    versions = _versions(catalog)
    await versions.get("acme", "w", 1, "h1")
    await versions.get("umbrella", "w", 1, "h1")
    assert catalog.reads == [1, 1]


async def test_what_was_asked_for_least_recently_goes_first() -> None:
    catalog = CountingCatalog()
    versions = _versions(catalog, kept=2)
    for version in (1, 2, 1, 3, 1, 2):
        await versions.get("acme", "w", version, "h1")
    assert catalog.reads == [1, 2, 3, 2]
