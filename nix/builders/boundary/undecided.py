"""Findings about lines nobody can decide, and about what the import run saw there. Build process."""

from collections.abc import Iterable, Iterator

from boundary.closure import Closure, Place
from boundary.codes import Code
from boundary.findings import Finding
from boundary.references import Reference, Undecidable, Witness
from boundary.waivers import Waivers


def undecided_findings(closure: Closure, waivers: Waivers, run_only: Iterable[Reference]) -> Iterator[Finding]:
    """Lines without a declaration; declared lines that loaded something else; imports only the run saw."""
    for found in waivers.undecided:
        yield _undecided(closure, found)
    for reference in run_only:
        inside = closure.resolve(reference.target).place in (Place.OWN, Place.DECLARED)
        if waivers.covers(reference.spot):
            yield _undeclared(closure, reference)
        elif inside and not any(_same_line(found, reference) for found in waivers.undecided):
            yield _disagreement(closure, reference)


def _same_line(found: Undecidable, reference: Reference) -> bool:
    return found.spot.path == reference.spot.path and found.spot.line <= reference.spot.line <= found.spot.end_line


def _undecided(closure: Closure, found: Undecidable) -> Finding:
    spot = found.spot
    return Finding(
        image=closure.manifest.image,
        code=Code.UNDECIDABLE_IMPORT,
        path=spot.path,
        line=spot.line or None,
        subject=found.form,
        message=f"{spot.module} uses {found.form}: {found.reason}",
        text=spot.text,
        form=found.form,
        certainty=found.certainty,
        witness=Witness.AST,
        context=spot.context,
        remedy=(
            "name the module in a constant of this module",
            "or declare on the line what it loads:  # boundary: imports <module>[, <module>…]",
        ),
    )


def _undeclared(closure: Closure, reference: Reference) -> Finding:
    spot = reference.spot
    return Finding(
        image=closure.manifest.image,
        code=Code.STALE_DECLARATION,
        path=spot.path,
        line=spot.line,
        subject=reference.target,
        message=f"the import run saw {reference.target} loaded here, which the comment on the line does not name",
        text=spot.text,
        witness=Witness.RUN,
        remedy=(f"add it to the comment:  # boundary: imports …, {reference.target}",),
    )


def _disagreement(closure: Closure, reference: Reference) -> Finding:
    spot = reference.spot
    return Finding(
        image=closure.manifest.image,
        code=Code.WITNESS_DISAGREEMENT,
        path=spot.path,
        line=spot.line,
        subject=reference.target,
        message=f"the import run saw {reference.target} loaded here; the source does not show it",
        text=spot.text,
        witness=Witness.RUN,
        remedy=("nothing to do for the closure; a plain import would let both witnesses see it",),
    )
