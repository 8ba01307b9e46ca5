"""The check of one image, as a list of its steps. Build process."""

from collections.abc import Iterator, Sequence

from boundary.analysis import Analysis
from boundary.cache import Cache
from boundary.closure import Closure, Place, Target
from boundary.determinism import determinism_findings
from boundary.entry_points import entry_facts, entry_hop, is_entry
from boundary.findings import Finding
from boundary.graph import ImportGraph, Root
from boundary.layers import layer_findings
from boundary.manifest import Manifest
from boundary.merge import united
from boundary.references import Reference
from boundary.results import ImageResult, LastResult
from boundary.routes import with_routes
from boundary.run_findings import run_findings
from boundary.run_witness import ImportRun, Observations
from boundary.sources import load_modules, parents
from boundary.tree_findings import absent_standard_modules, compiled_modules, missing_packages, unreadable_modules
from boundary.undecided import undecided_findings
from boundary.unused import unused_findings
from boundary.verdicts import import_findings
from boundary.waivers import waive
from boundary.wheels import wheel_references


class ImageCheck:
    """The check of one image. The import run begins at once; ``result`` joins it with what the source says."""

    def __init__(self, manifest: Manifest, cache: Cache) -> None:
        self.manifest, self._cache = manifest, cache
        self.modules, self._missing = load_modules(manifest.source_root, manifest.source_prefix, manifest.first_party)
        self.closure = Closure(manifest, self.modules)
        self._last = LastResult(manifest, self.modules, self.closure, cache)
        self.known = self._last.get()
        self._run = ImportRun(self.closure) if self.known is None else None

    def result(self, analysis: Analysis) -> ImageResult:
        """Everything that either witness has to say about the image."""
        closure, modules = self.closure, self.modules
        facts = {name: analysis.facts(name) for name in modules}
        waivers = waive(closure, ((modules[name], said) for name, said in facts.items()))
        started, unclear = entry_facts(closure)
        waivers.undecided += unclear
        written = [*started, *waivers.references, *wheel_references(closure, self._cache)]
        observations = self._run.finish() if self._run is not None else Observations()
        union = united(closure, written, observations)
        resolved = list(self._resolved(analysis, union.references))
        graph = _graph(closure, resolved)
        findings = [
            *missing_packages(self.manifest, self._missing),
            *unreadable_modules(self.manifest, modules.values()),
            *compiled_modules(self.manifest),
            *waivers.findings,
            *undecided_findings(closure, waivers, union.run_only),
            *import_findings(closure, graph, resolved),
            *layer_findings(closure, resolved),
            *absent_standard_modules(closure, resolved),
            *run_findings(closure, observations),
            *determinism_findings(closure, facts, observations),
            *unused_findings(closure, graph, resolved),
        ]
        found = sorted(with_routes(closure, graph, findings), key=Finding.order)
        result = ImageResult(self.manifest.image, tuple(found), len(modules), len(union.references))
        if observations.broken is None:
            self._last.put(result)
        return result

    def _resolved(self, analysis: Analysis, references: Sequence[Reference]) -> Iterator[tuple[Reference, Target]]:
        for reference in references:
            target = self.closure.resolve(*reference.candidates)
            if self._is_absent(analysis, reference, target):
                target = self.closure.absent(reference.candidates[0])
            if not self._means_nothing(reference, target):
                yield reference, target

    def _means_nothing(self, reference: Reference, target: Target) -> bool:
        """Whether a string that might name a module names none: it is nobody's, or the wheel has no such module."""
        if reference.hint and target.place in (Place.TRANSITIVE, Place.DECLARED):
            return not any(self.closure.on_disk(name) for name in reference.candidates if "." in name)
        vague = reference.hint or reference.one_of_several
        return vague and target.place in (Place.UNKNOWN, Place.STANDARD)

    def _is_absent(self, analysis: Analysis, reference: Reference, target: Target) -> bool:
        """Whether the reference takes from one of the image's packages what the package does not have."""
        module = self.modules.get(target.name)
        if module is None or not module.is_package or reference.attribute is None or target.name != reference.target:
            return False
        return reference.attribute == "__main__" or not analysis.provides(target.name, reference.attribute)


def check_images(manifests: Sequence[Manifest], cache: Cache) -> list[ImageResult]:
    """Check several images. Their import runs go on side by side; a source file they share is read once."""
    checks = [ImageCheck(manifest, cache) for manifest in manifests]
    analyses: dict[tuple[str, str], Analysis] = {}
    for tree in {_tree_of(check.manifest) for check in checks if check.known is None}:
        analyses[tree] = _analysis(
            [check for check in checks if check.known is None and _tree_of(check.manifest) == tree]
        )
    return [check.known or check.result(analyses[_tree_of(check.manifest)]) for check in checks]


def _tree_of(manifest: Manifest) -> tuple[str, str]:
    return str(manifest.source_root), manifest.source_prefix


def _analysis(checks: list[ImageCheck]) -> Analysis:
    modules = {name: module for check in checks for name, module in check.modules.items()}
    tops = frozenset[str]().union(*(check.closure.first_party_tops for check in checks))
    known = tops.union(*(check.closure.names.known_tops() for check in checks))
    return Analysis(modules.values(), tops, known)


def _graph(closure: Closure, resolved: list[tuple[Reference, Target]]) -> ImportGraph:
    inside = [(reference, target.name) for reference, target in resolved if target.place is Place.OWN]
    roots = [Root(name, entry_hop(reference, name)) for reference, name in inside if is_entry(reference)]
    graph = ImportGraph(roots)
    for reference, name in inside:
        graph.add(reference, (part for part in (*parents(name), name) if part in closure.modules))
    return graph
