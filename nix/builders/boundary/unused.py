"""Declared and never used: distributions that nothing imports, packages that no entry point reaches. Build process."""

from collections.abc import Iterable, Iterator

from boundary.closure import Closure, Place, Target
from boundary.codes import Code
from boundary.distributions import normalized
from boundary.findings import Finding
from boundary.graph import ImportGraph
from boundary.manifest import Distribution
from boundary.references import Reference


def unused_findings(
    closure: Closure, graph: ImportGraph, resolved: Iterable[tuple[Reference, Target]]
) -> Iterator[Finding]:
    """Warnings; nothing is reported for an image that starts no first-party code."""
    used = {normalized(target.owner) for _, target in resolved if target.place in (Place.DECLARED, Place.TRANSITIVE)}
    commands = {words[0].rpartition("/")[2] for words in _command_lines(closure) if words}
    for distribution in closure.manifest.distributions:
        started = commands & set(closure.names.scripts(distribution))
        if distribution.direct and normalized(distribution.name) not in used and not started:
            yield _distribution(closure, distribution)
    reached = graph.reached()
    for package in closure.manifest.first_party if reached else ():
        held = {name for name in closure.modules if closure.package_of(name, (package,))}
        if held and not held & reached:
            yield _package(closure, package)


def _command_lines(closure: Closure) -> list[tuple[str, ...]]:
    return [entry.value for entry in closure.manifest.entry_points if isinstance(entry.value, tuple)]


def _distribution(closure: Closure, distribution: Distribution) -> Finding:
    manifest = closure.manifest
    groups = [group for group in distribution.groups if group in ("main", manifest.group)]
    at = manifest.pyproject.at(groups[0] if groups else manifest.group)
    return Finding(
        image=manifest.image,
        code=Code.UNUSED_DECLARATION,
        path=manifest.pyproject.file,
        line=None,
        subject=distribution.name,
        message=f"{manifest.image} has {distribution.name}, which nothing in it imports",
        owner=f"distribution {distribution.name}, Poetry group {', '.join(distribution.groups) or 'none'}",
        declaration=at,
        remedy=(f"remove {distribution.name} there, or move it to the group of the image that needs it",),
    )


def _package(closure: Closure, package: str) -> Finding:
    at = closure.manifest.declaration
    return Finding(
        image=closure.manifest.image,
        code=Code.UNUSED_DECLARATION,
        path=at.file,
        line=at.lines.get("packages"),
        subject=package,
        message=f"{closure.manifest.image} declares the package {package}, to which no entry point leads",
        declaration=at.at("packages"),
        remedy=(f'remove "{package}" from `packages`',),
    )
