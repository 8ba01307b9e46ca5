"""Lower layers never import higher ones, and neighbours in one layer not each other. Build process."""

from collections.abc import Iterable, Iterator

from boundary.closure import Closure, Place, Target
from boundary.codes import Code
from boundary.findings import Finding
from boundary.references import Reference


def layer_findings(closure: Closure, resolved: Iterable[tuple[Reference, Target]]) -> Iterator[Finding]:
    """One finding for each line that imports upwards, inside the closure (outside it, it is reported already)."""
    rank = {package: index for index, layer in enumerate(closure.manifest.layers) for package in layer}
    packages = tuple(rank)
    seen: set[tuple[str, int, str]] = set()
    for reference, target in resolved:
        importer = closure.package_of(reference.spot.module, packages)
        imported = closure.package_of(target.name, packages) if target.place is Place.OWN else None
        key = (reference.spot.path, reference.spot.line, imported or "")
        if importer is None or imported is None or importer == imported or key in seen:
            continue
        if rank[imported] <= rank[importer]:
            seen.add(key)
            yield _finding(closure, reference, target, importer, imported)


def _finding(closure: Closure, reference: Reference, target: Target, importer: str, imported: str) -> Finding:
    spot = reference.spot
    return Finding(
        image=closure.manifest.image,
        code=Code.LAYER_IMPORT,
        path=spot.path,
        line=spot.line,
        subject=target.name,
        message=f"{spot.module} imports {target.name}: {importer} stands below or beside {imported}",
        text=spot.text,
        form=reference.form,
        certainty=reference.certainty,
        witness=reference.witness,
        context=spot.context,
        remedy=(
            f"cut {spot.place}:  {spot.text}",
            f"or move what is needed from {imported} down into {importer} or a layer below it",
        ),
    )
