"""Wheels that name first-party code. Build process.

A wheel may try its own optional imports, never our packages outside the closure. Only files that import or quote one of
our names are read as Python.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from boundary.analysis import Analysis
from boundary.cache import Cache, key_of
from boundary.closure import Closure
from boundary.references import Reference
from boundary.sources import Module, decoded

_USE: Final = rb"""(?:\bimport\b[^\n]*|\bfrom\s+|['"])\b(?:%s)\b"""


def wheel_references(closure: Closure, cache: Cache) -> Iterator[Reference]:
    """References from the files of the image's wheels to first-party names."""
    for name, record in closure.names.records():
        for file in _naming(name, record, closure.first_party_tops, cache):
            yield from _references(closure, _module(record.parent.parent, file))


def _naming(name: str, record: Path, tops: frozenset[str], cache: Cache) -> list[Path]:
    """The Python files of one wheel that hold a first-party name."""
    status = record.stat()
    key = key_of([str(record), str(status.st_mtime_ns), str(status.st_size), *sorted(tops)])
    kept = cache.get(f"wheel-{name}", key)
    if kept is None:
        site = str(record.parent.parent)
        wanted = [top.encode() for top in sorted(tops)]
        kept = [path for path in _files(record) if _names(f"{site}/{path}", wanted)]
        cache.put(f"wheel-{name}", key, kept)
    return [record.parent.parent / path for path in kept]


def _files(record: Path) -> Iterator[str]:
    for line in record.read_text(encoding="utf-8").splitlines():
        path = line.rpartition(",")[0].rpartition(",")[0].strip('"')
        if path.endswith(".py"):
            yield path


def _names(file: str, wanted: list[bytes]) -> bool:
    """Whether a file imports or quotes one of the names; looking for the bare bytes first is what makes it fast."""
    try:
        with open(file, "rb") as stream:
            data = stream.read()
    except OSError:
        return False
    held = [name for name in wanted if name in data]
    return bool(held) and re.search(_USE % b"|".join(held), data) is not None


def _module(directory: Path, file: Path) -> Module:
    relative = file.relative_to(directory)
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    display = f"site-packages/{relative.as_posix()}"
    return Module(name, file, display, file.name == "__init__.py", decoded(file.read_bytes()))


def _references(closure: Closure, module: Module) -> Iterable[Reference]:
    if not isinstance(module.tree, ast.Module):
        return ()
    analysis = Analysis([module], closure.first_party_tops, closure.first_party_tops)
    return [found for found in analysis.facts(module.name).references if closure.is_first_party(found.target)]
