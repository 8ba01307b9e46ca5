"""Published versions as this process has read them before: they never change. Activity code; built by main."""

from collections import OrderedDict
from typing import Final

from workflow_runtime.store.catalog import Catalog, PublishedVersion

_KEPT: Final = 128
"""Versions a process keeps; those asked for least recently go first."""


class PinnedVersions:
    """Reads a version once, verified, and again only for a run that is pinned to another hash than it had then."""

    def __init__(self, catalog: Catalog, *, kept: int = _KEPT) -> None:
        self._catalog = catalog
        self._kept = kept
        self._versions: OrderedDict[tuple[str, str, int], PublishedVersion] = OrderedDict()

    async def get(self, tenant: str, workflow_id: str, version: int, pinned_hash: str) -> PublishedVersion:
        """The version, whose hash the caller compares. Raises what `Catalog.get_version` raises."""
        key = (tenant, workflow_id, version)
        found = self._versions.get(key)
        if found is None or found.hash != pinned_hash:
            found = await self._catalog.get_version(tenant, workflow_id, version)
        self._versions[key] = found
        self._versions.move_to_end(key)
        if len(self._versions) > self._kept:
            self._versions.popitem(last=False)
        return found
