"""Findings about files and declarations as such: missing, unreadable, compiled, not in this Python. Build process."""

import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache

from boundary.closure import Closure, Place, Target
from boundary.codes import Code
from boundary.findings import Finding
from boundary.manifest import Manifest
from boundary.references import Reference
from boundary.sources import Module, compiled_files


def missing_packages(manifest: Manifest, missing: Iterable[str]) -> Iterator[Finding]:
    """Declared packages of which no file exists."""
    at = manifest.declaration
    for package in missing:
        yield Finding(
            image=manifest.image,
            code=Code.STALE_DECLARATION,
            path=at.file,
            line=at.lines.get("packages"),
            subject=package,
            message=f"{manifest.image} declares the package {package}, of which no file exists",
            declaration=at.at("packages"),
            remedy=(f'remove "{package}" from `packages`',),
        )


def unreadable_modules(manifest: Manifest, modules: Iterable[Module]) -> Iterator[Finding]:
    """Modules that do not parse."""
    for module in modules:
        if isinstance(error := module.tree, SyntaxError):
            yield Finding(
                image=manifest.image,
                code=Code.IMPORT_FAILURE,
                path=module.display,
                line=error.lineno,
                subject=module.name,
                message=f"{module.name} does not parse: {error.msg}",
                text=(error.text or "").strip(),
                remedy=("correct the syntax",),
            )


def compiled_modules(manifest: Manifest) -> Iterator[Finding]:
    """Modules without source: nobody can say what they load."""
    for package in manifest.first_party:
        for file in compiled_files(manifest.source_root, package):
            yield Finding(
                image=manifest.image,
                code=Code.UNDECIDABLE_IMPORT,
                path=f"{manifest.source_prefix}/{file.as_posix()}",
                line=None,
                subject=file.name,
                message=f"{package} holds {file.name}, a compiled module whose source is not there",
                remedy=("keep its source in the package instead, or make it a distribution of its own",),
            )


def absent_standard_modules(closure: Closure, resolved: Iterable[tuple[Reference, Target]]) -> Iterator[Finding]:
    """Modules of the standard library which this Python, the image's own, does not have."""
    for reference, target in resolved:
        top = target.name.partition(".")[0]
        if target.place is Place.STANDARD and not reference.hint and not _has(top):
            yield Finding(
                image=closure.manifest.image,
                code=Code.UNKNOWN_MODULE,
                path=reference.spot.path,
                line=reference.spot.line or None,
                subject=top,
                message=f"{reference.spot.module} imports {top}, which the image's Python does not contain",
                text=reference.spot.text,
                form=reference.form,
                certainty=reference.certainty,
                witness=reference.witness,
                remedy=("do without it, or add the Debian package that holds it to the base",),
            )


@cache
def _has(top: str) -> bool:
    return top in ("__main__", "_typeshed") or importlib.util.find_spec(top) is not None
