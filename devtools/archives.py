"""Reading what an image archive says of itself. Host process only."""

import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from devtools import nixcli
from devtools.errors import DevError


@dataclass(frozen=True)
class Archive:
    """A built image: where its archive is, the name and content-hash tag it loads under, and its size in bytes."""

    path: Path
    name: str
    tag: str
    size: int

    @property
    def reference(self) -> str:
        """``workflow-worker:f2c205d2…``."""
        return f"{self.name}:{self.tag}"


def build_images(names: list[str]) -> dict[str, Archive]:
    """Build the named images and describe their archives."""
    built = nixcli.build([f"{name}-image" for name in names])
    return {name: read(built[f"{name}-image"]) for name in names}


def read(path: Path) -> Archive:
    """The description in ``manifest.json``, which is the archive's first file."""
    with tarfile.open(path) as archive:
        member = archive.next()
        stream = archive.extractfile(member) if member else None
        manifest = json.load(stream) if stream else None
    if not isinstance(manifest, list):
        raise DevError(f"{path} is no image archive: build it again with ./dev build")
    name, _, tag = manifest[0]["RepoTags"][0].partition(":")
    return Archive(path, name, tag, path.stat().st_size)
