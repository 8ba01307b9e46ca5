"""From what the witnesses saw to findings about one image. Build process."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from boundary.ast_dynamic import ATTRIBUTE
from boundary.closure import Closure, Place, Target, within
from boundary.codes import Code
from boundary.entry_points import is_entry
from boundary.findings import Finding
from boundary.graph import ImportGraph
from boundary.references import Certainty, Reference
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
    """One finding for each line that leaves the closure; other chains are counted over all lines to one owner."""
    leaving = [(reference, target) for reference, target in resolved if target.place in _CODES]
    importers: dict[str, set[str]] = defaultdict(set)
    for reference, target in leaving:
        importers[target.owner].add(reference.spot.module)
    others = {owner: graph.other_chains(modules) for owner, modules in importers.items()}
    told = _Told(leaving)
    for reference, target in leaving:
        if told.is_news(reference, target):
            yield _finding(closure, reference, target, others[target.owner])


class _Told:
    """Which lines are news: each target once a line, and a mere name only where nothing loads what it names."""

    def __init__(self, leaving: Iterable[tuple[Reference, Target]]) -> None:
        self._seen: set[tuple[str, int, str]] = set()
        self._imported: dict[str, set[str]] = defaultdict(set)
        self._loaded: dict[str, set[str]] = defaultdict(set)
        for reference, target in leaving:
            if not reference.hint:
                self._imported[reference.spot.module].add(target.name)
                if reference.certainty is Certainty.DYNAMIC:
                    self._loaded[reference.spot.module].add(target.name)

    def is_news(self, reference: Reference, target: Target) -> bool:
        """Whether this line was not told of; asking counts as telling."""
        key = (reference.spot.path, reference.spot.line, target.name)
        reasons = self._imported if reference.form == ATTRIBUTE else self._loaded
        follows = reference.hint and any(
            within(target.name, name) or within(name, target.name) for name in reasons[reference.spot.module]
        )
        if key in self._seen or follows:
            return False
        self._seen.add(key)
        return True


def _finding(closure: Closure, reference: Reference, target: Target, other_chains: int) -> Finding:
    return Finding(
        image=closure.manifest.image,
        code=_CODES[target.place],
        path=reference.spot.path,
        line=reference.spot.line or None,
        subject=target.name,
        message=_message(closure, reference, target),
        text=reference.spot.text,
        form=reference.form,
        certainty=reference.certainty,
        witness=reference.witness,
        context=reference.spot.context,
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
