"""How the image's entry point leads to a finding. Build process."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from boundary.closure import Closure
from boundary.findings import Finding, Hop
from boundary.graph import ImportGraph

_WHEELS = "site-packages/"


def with_routes(closure: Closure, graph: ImportGraph, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings with the shortest chain to each line; one that brings its own chain keeps it."""
    modules = {module.display: module.name for module in closure.modules.values()}
    for finding in findings:
        if finding.chain or finding.line is None:
            yield finding
        elif finding.path in modules:
            yield _routed(closure, graph, finding, modules[finding.path])
        else:
            yield replace(finding, chain=(_last(finding),), chain_note=_outside(closure, finding))


def _routed(closure: Closure, graph: ImportGraph, finding: Finding, module: str) -> Finding:
    chain = graph.chain_to(module)
    others = graph.other_chains([module]) if finding.other_chains is None else finding.other_chains
    package = closure.package_of(module, closure.manifest.first_party) or module
    note = f"no entry point leads here; the module is in the image because {package} is declared"
    return replace(
        finding,
        chain=(*(chain or ()), _last(finding)),
        chain_note=None if chain else note,
        other_chains=others,
    )


def _last(finding: Finding) -> Hop:
    return Hop(finding.path, finding.line, finding.text, finding.subject)


def _outside(closure: Closure, finding: Finding) -> str | None:
    """What to say of a line that is not first-party code: a declaration starts the chain, a wheel has none."""
    if not finding.path.startswith(_WHEELS):
        return None
    name = finding.path.removeprefix(_WHEELS).removesuffix(".py").replace("/", ".")
    distribution = closure.names.inside(name)
    return f"the file belongs to the distribution {distribution.name if distribution else 'that provides it'}"
