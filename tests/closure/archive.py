"""An image archive taken apart: descriptions, layers, and the file system they add up to. For tests."""

import hashlib
import json
import posixpath
import tarfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One entry of a layer; ``content`` is kept for regular files only."""

    name: str
    kind: bytes
    mode: int
    uid: int
    gid: int
    mtime: int
    target: str
    content: bytes = field(repr=False)

    @property
    def is_file(self) -> bool:
        return self.kind == tarfile.REGTYPE

    @property
    def is_link(self) -> bool:
        return self.kind == tarfile.SYMTYPE


class ImageArchive:
    """One built image."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path

    @cached_property
    def files(self) -> dict[str, tuple[int, int]]:
        """Offset and size of every file in the archive, by name."""
        with tarfile.open(self.path) as archive:
            return {entry.name: (entry.offset_data, entry.size) for entry in archive if entry.isfile()}

    def read(self, name: str) -> bytes:
        """The content of a file of the archive."""
        offset, size = self.files[name]
        with self.path.open("rb") as stream:
            stream.seek(offset)
            return stream.read(size)

    def json(self, name: str) -> Any:
        """A JSON file of the archive."""
        return json.loads(self.read(name))

    def digest(self, name: str) -> str:
        """The ``sha256:…`` of a file of the archive."""
        return f"sha256:{hashlib.sha256(self.read(name)).hexdigest()}"

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What docker reads."""
        [manifest] = self.json("manifest.json")
        return dict(manifest)

    @cached_property
    def config(self) -> dict[str, Any]:
        """How the image runs."""
        return dict(self.json(self.manifest["Config"])["config"])

    @cached_property
    def layers(self) -> list[list[Entry]]:
        """The entries of each layer, in their order."""
        return [self._entries(name) for name in self.manifest["Layers"]]

    def _entries(self, layer: str) -> list[Entry]:
        offset, _ = self.files[layer]
        with self.path.open("rb") as stream:
            stream.seek(offset)
            with tarfile.open(fileobj=stream, mode="r|") as tar:
                return [_entry(tar, info) for info in tar]

    @cached_property
    def tree(self) -> dict[str, Entry]:
        """The file system: later layers over earlier ones, without a leading slash."""
        return {entry.name: entry for layer in self.layers for entry in layer}

    def resolve(self, path: str) -> Entry | None:
        """What an absolute path leads to inside the image, links followed in every component; None when nothing."""
        return self._resolve(path.strip("/").split("/"), "", 0)

    def _resolve(self, parts: list[str], at: str, links: int) -> Entry | None:
        if links > 40:
            return None
        if not parts:
            return self.tree.get(at)
        here = posixpath.normpath(posixpath.join(at, parts[0])).removeprefix("../")
        entry = self.tree.get(here)
        if entry is not None and entry.is_link:
            base = "" if entry.target.startswith("/") else at
            return self._resolve([*entry.target.strip("/").split("/"), *parts[1:]], base, links + 1)
        if entry is None and here not in ("", "."):
            return None
        return self._resolve(parts[1:], "" if here == "." else here, links)


def _entry(tar: tarfile.TarFile, info: tarfile.TarInfo) -> Entry:
    stream = tar.extractfile(info) if info.isfile() else None
    content = stream.read() if stream else b""
    return Entry(info.name, info.type, info.mode, info.uid, info.gid, int(info.mtime), info.linkname, content)
