"""Wheels that name first-party code: they may try their own optional imports, never ours outside the closure. Build process."""

import ast
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from boundary.analysis import Analysis
from boundary.closure import Closure
from boundary.references import Reference
from boundary.sources import Module


def wheel_references(closure: Closure) -> Iterator[Reference]:
    """References from the files of the image's wheels to first-party names. Only files whose bytes hold one are read."""
    names = [top.encode() for top in sorted(closure.first_party_tops)]
    for directory in closure.manifest.site_packages:
        for file in _files(directory):
            data = file.read_bytes()
            if any(name in data for name in names):
                yield from _references(closure, _module(directory, file, data.decode("utf-8", errors="replace")))


def _files(directory: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".py"))


def _module(directory: Path, file: Path, text: str) -> Module:
    relative = file.relative_to(directory)
    name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
    return Module(name, file, f"site-packages/{relative.as_posix()}", file.name == "__init__.py", text)


def _references(closure: Closure, module: Module) -> Iterable[Reference]:
    if not isinstance(module.tree, ast.Module):
        return ()
    analysis = Analysis([module], closure.first_party_tops, closure.first_party_tops)
    return [found for found in analysis.facts(module.name).references if closure.is_first_party(found.target)]
