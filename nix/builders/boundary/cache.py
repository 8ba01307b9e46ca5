"""What an earlier run of this program may leave for the next: one file a subject, valid for one key. Build process.

Only ``./dev check`` uses it; a Nix build has no earlier run. A file that cannot be read counts as absent, so the cache
may be deleted at any time.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any


class Cache:
    """JSON values under a directory, or nowhere when there is none."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    @property
    def is_kept(self) -> bool:
        """Whether there is a place to keep anything."""
        return self._directory is not None

    def get(self, subject: str, key: str) -> Any | None:
        """The value kept for the subject, if it was kept under the same key."""
        if self._directory is None:
            return None
        try:
            kept = json.loads((self._directory / f"{subject}.json").read_text(encoding="utf-8"))
            return kept["value"] if kept["key"] == key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, subject: str, key: str, value: Any) -> None:
        """Keep a value in place of the subject's last one; a directory that cannot be written keeps nothing."""
        if self._directory is None:
            return
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            unfinished = self._directory / f"{subject}.json.new"
            unfinished.write_text(json.dumps({"key": key, "value": value}), encoding="utf-8")
            unfinished.replace(self._directory / f"{subject}.json")
        except OSError:
            return


def key_of(parts: Iterable[str]) -> str:
    """A key over the parts, this program's own source and the Python that runs it."""
    digest = hashlib.sha256(f"{_program()}\0{sys.version}".encode())
    for part in parts:
        digest.update(b"\0" + part.encode())
    return digest.hexdigest()


@cache
def _program() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
