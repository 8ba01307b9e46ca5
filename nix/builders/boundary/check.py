"""The check of one image, as a list of its steps. Build process."""

from dataclasses import dataclass

from boundary.ast_imports import import_references
from boundary.ast_sites import sites
from boundary.closure import Closure, Place, Target
from boundary.codes import Code
from boundary.entry_points import entry_hop, entry_references
from boundary.findings import Finding
from boundary.graph import ImportGraph, Root
from boundary.manifest import Manifest
from boundary.references import Reference
from boundary.sources import Module, load_modules, parents
from boundary.verdicts import import_findings


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What the check found in one image, sorted, and how much it looked at."""

    image: str
    findings: tuple[Finding, ...]
    modules: int
    references: int


def check_image(manifest: Manifest) -> ImageResult:
    """Read the image's modules, resolve every reference, and say what leaves the closure."""
    modules, missing = load_modules(manifest.source_root, manifest.source_prefix, manifest.first_party)
    closure = Closure(manifest, modules)
    references = [*entry_references(closure)]
    findings = [_missing_package(manifest, package) for package in missing]
    for module in modules.values():
        if isinstance(module.tree, SyntaxError):
            findings.append(_unreadable(manifest, module, module.tree))
        else:
            references += [found for site in sites(module.tree) for found in import_references(module, site)]
    resolved = [(reference, closure.resolve(*reference.candidates)) for reference in references]
    findings += import_findings(closure, _graph(closure, resolved), resolved)
    return ImageResult(manifest.image, tuple(sorted(findings, key=Finding.order)), len(modules), len(references))


def _graph(closure: Closure, resolved: list[tuple[Reference, Target]]) -> ImportGraph:
    inside = [(reference, target.name) for reference, target in resolved if target.place is Place.OWN]
    roots = [Root(name, entry_hop(reference, name)) for reference, name in inside if reference.importer.startswith("<")]
    graph = ImportGraph(roots)
    for reference, name in inside:
        graph.add(reference, (part for part in (*parents(name), name) if part in closure.modules))
    return graph


def _missing_package(manifest: Manifest, package: str) -> Finding:
    at = manifest.declaration
    return Finding(
        image=manifest.image,
        code=Code.STALE_DECLARATION,
        path=at.file,
        line=at.lines.get("packages"),
        subject=package,
        message=f"{manifest.image} declares the package {package}, of which no file exists",
        declaration=at.at("packages"),
        remedy=(f'remove "{package}" from `packages`',),
    )


def _unreadable(manifest: Manifest, module: Module, error: SyntaxError) -> Finding:
    return Finding(
        image=manifest.image,
        code=Code.IMPORT_FAILURE,
        path=module.display,
        line=error.lineno,
        subject=module.name,
        message=f"{module.name} does not parse: {error.msg}",
        text=(error.text or "").strip(),
        remedy=("correct the syntax",),
    )
