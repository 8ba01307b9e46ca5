"""Deterministic tar files: sorted, mtime 1, uid and gid 0, fixed modes. Runs inside a Nix build."""

import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from trees import walk_sorted

MTIME = 1


@dataclass(frozen=True)
class Layer:
    """One image layer on disk; ``diff_id`` is the ``sha256:`` of the uncompressed tar, ``size`` its bytes."""

    path: Path
    diff_id: str
    size: int


class TarWriter:
    """Writes entries with everything but name, content and executable bit fixed; makes parent directories once."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by close()
        self._directories: set[PurePosixPath] = set()

    def directory(self, name: PurePosixPath, *, mode: int = 0o755, owner: int = 0) -> None:
        """Add a directory and its parents unless they are there."""
        if name in self._directories or name == PurePosixPath("."):
            return
        self.directory(name.parent)
        self._directories.add(name)
        self._tar.addfile(_info(name, tarfile.DIRTYPE, mode, owner))

    def file(self, name: PurePosixPath, content: bytes, *, executable: bool = False) -> None:
        """Add a regular file from memory."""
        self.directory(name.parent)
        info = _info(name, tarfile.REGTYPE, 0o755 if executable else 0o644)
        info.size = len(content)
        self._tar.addfile(info, io.BytesIO(content))

    def link(self, name: PurePosixPath, target: str) -> None:
        """Add a symbolic link."""
        self.directory(name.parent)
        info = _info(name, tarfile.SYMTYPE, 0o777)
        info.linkname = target
        self._tar.addfile(info)

    def copy(self, name: PurePosixPath, source: Path) -> None:
        """Add a regular file from disk."""
        self.directory(name.parent)
        info = _info(name, tarfile.REGTYPE, 0o755 if source.stat().st_mode & 0o100 else 0o644)
        info.size = source.stat().st_size
        with source.open("rb") as content:
            self._tar.addfile(info, content)

    def tree(self, prefix: PurePosixPath, tree: Path) -> None:
        """Add everything below ``tree`` under ``prefix``."""
        for path in walk_sorted(tree):
            name = prefix / path.relative_to(tree)
            if path.is_symlink():
                self.link(name, str(path.readlink()))
            elif path.is_dir():
                self.directory(name)
            else:
                self.copy(name, path)

    def close(self) -> None:
        """Write the end of the archive."""
        self._tar.close()


def _info(name: PurePosixPath, kind: bytes, mode: int, owner: int = 0) -> tarfile.TarInfo:
    info = tarfile.TarInfo(str(name))
    info.type, info.mode, info.mtime = kind, mode, MTIME
    info.uid = info.gid = owner
    return info


def write_layer(tree: Path, prefix: PurePosixPath, target: Path) -> Layer:
    """Write ``tree`` as a layer that unpacks to ``prefix`` (relative to the image root)."""
    with target.open("wb") as stream:
        writer = TarWriter(stream)
        writer.tree(prefix, tree)
        writer.close()
    return describe(target)


def describe(path: Path) -> Layer:
    """The layer record of a finished tar file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Layer(path, f"sha256:{digest}", path.stat().st_size)
