"""From what the witnesses saw to findings about one image. Build process."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from boundary.closure import Closure, Place, Target
from boundary.codes import Code
from boundary.entry_points import is_entry
from boundary.findings import Finding, Hop
from boundary.graph import ImportGraph
from boundary.references import Reference
from boundary.remedies import for_import

_CODES = {
    Place.FORBIDDEN: Code.FORBIDDEN_IMPORT,
    Place.FOREIGN_PACKAGE: Code.UNDECLARED_IMPORT,
    Place.FOREIGN_DISTRIBUTION: Code.UNDECLARED_IMPORT,
    Place.TRANSITIVE: Code.TRANSITIVE_IMPORT,
    Place.UNKNOWN: Code.UNKNOWN_MODULE,
}


def import_findings(
    closure: Closure, graph: ImportGraph, resolved: Iterable[tuple[Reference, Target]]
) -> Iterator[Finding]:
    """One finding for each line that leaves the closure, with the shortest chain from an entry point."""
    leaving = [(reference, target) for reference, target in resolved if target.place in _CODES]
    loaded: dict[str, set[str]] = defaultdict(set)
    for reference, target in leaving:
        if not reference.hint:
            loaded[reference.spot.module].add(target.name)
    importers: dict[str, set[str]] = defaultdict(set)
    for reference, target in leaving:
        importers[target.owner].add(reference.spot.module)
    others = {owner: graph.other_chains(modules) for owner, modules in importers.items()}
    seen: set[tuple[str, int, str]] = set()
    for reference, target in leaving:
        key = (reference.spot.path, reference.spot.line, target.name)
        if key not in seen and not (reference.hint and _overlaps(target.name, loaded[reference.spot.module])):
            seen.add(key)
            yield _finding(closure, graph, reference, target, others[target.owner])


def _overlaps(name: str, loaded: Iterable[str]) -> bool:
    """Whether the module loads the thing anyway, so that merely naming it is no news."""
    return any(_within(name, other) or _within(other, name) for other in loaded)


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _finding(closure: Closure, graph: ImportGraph, reference: Reference, target: Target, other_chains: int) -> Finding:
    chain = graph.chain_to(reference.spot.module)
    last = Hop(reference.spot.path, reference.spot.line, reference.spot.text, target.name)
    return Finding(
        image=closure.manifest.image,
        code=_CODES[target.place],
        path=reference.spot.path,
        line=reference.spot.line,
        subject=target.name,
        message=_message(closure, reference, target),
        text=reference.spot.text,
        form=reference.form,
        certainty=reference.certainty,
        witness=reference.witness,
        context=reference.spot.context,
        chain=(*(chain or ()), last),
        chain_note=None if chain or is_entry(reference) else _unreached(closure, reference),
        other_chains=other_chains,
        owner=owner_of(closure, target),
        declaration=_declaration(closure, target),
        remedy=for_import(closure, reference, target),
    )


def _message(closure: Closure, reference: Reference, target: Target) -> str:
    image = closure.manifest.image
    who = f"{image}'s {reference.form} starts" if is_entry(reference) else f"{reference.spot.module} imports"
    match target.place:
        case Place.FORBIDDEN:
            said = f"which {image} may never contain"
        case Place.TRANSITIVE:
            said = f"which {image} has only as a dependency of others"
        case Place.UNKNOWN:
            said = f"which nothing in {image} or in the lock provides"
        case _:
            said = f"which {image} does not declare"
    return f"{who} {target.name}, {said}"


def _unreached(closure: Closure, reference: Reference) -> str:
    package = closure.package_of(reference.spot.module, closure.manifest.first_party) or reference.spot.module
    return f"no entry point leads here; the module is in the image because {package} is declared"


def owner_of(closure: Closure, target: Target) -> str:
    """Who owns the target, and which images declare it, in words."""
    if target.distribution is not None:
        groups = ", ".join(target.distribution.groups) or "none"
        return f"distribution {target.distribution.name}, Poetry group {groups}"
    if not closure.is_first_party(target.name):
        return "nobody: no distribution of the lock is known to provide it"
    if target.place is Place.UNKNOWN and (package := closure.package_of(target.name, closure.manifest.first_party)):
        return f"nobody: package {package} holds no such module"
    images = closure.manifest.known_first_party.get(target.owner, ())
    return f"package {target.owner}, declared by {', '.join(images) if images else 'no image'}"


def _declaration(closure: Closure, target: Target) -> str:
    if target.distribution is not None:
        return closure.manifest.pyproject.at(closure.manifest.group)
    return closure.manifest.declaration.at("packages")
