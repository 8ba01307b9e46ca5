"""Which undecidable lines declare what they load, and which declarations are stale. Build process."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from boundary.analysis import ModuleFacts
from boundary.closure import Closure, Place
from boundary.codes import Code
from boundary.comments import Comment
from boundary.findings import Finding
from boundary.references import Reference, Spot, Undecidable
from boundary.sources import Module

DECLARED_FORM = "declared by comment"


@dataclass(slots=True)
class Waivers:
    """``references`` with those that comments add and without those they excuse; ``undecided`` lines that remain."""

    references: list[Reference] = field(default_factory=list)
    undecided: list[Undecidable] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    lines: dict[str, list[Spot]] = field(default_factory=dict)

    def covers(self, spot: Spot) -> bool:
        """Whether a comment declares what this line loads."""
        return any(other.line <= spot.line <= other.end_line for other in self.lines.get(spot.path, ()))


def waive(closure: Closure, facts: Iterable[tuple[Module, ModuleFacts]]) -> Waivers:
    """Apply every boundary comment of the modules to what their source says."""
    waivers = Waivers()
    for module, said in facts:
        references = list(said.references)
        undecided = _once(said.undecidable)
        for comment in said.comments:
            _apply(closure, module, comment, references, undecided, waivers)
        waivers.references += references
        waivers.undecided += undecided
    return waivers


def _once(undecidable: Iterable[Undecidable]) -> list[Undecidable]:
    """One for each line: the first says enough."""
    first: dict[tuple[int, str], Undecidable] = {}
    for found in undecidable:
        first.setdefault((found.spot.line, found.form), found)
    return list(first.values())


def _apply(
    closure: Closure,
    module: Module,
    comment: Comment,
    references: list[Reference],
    undecided: list[Undecidable],
    waivers: Waivers,
) -> None:
    if comment.problem:
        waivers.findings.append(_stale(closure, module, comment, comment.problem))
        return
    covered = [found for found in undecided if found.spot.line <= comment.line <= found.spot.end_line]
    excused = [] if comment.targets else [r for r in references if _excusable(closure, r, comment)]
    if not covered and not excused:
        waivers.findings.append(_stale(closure, module, comment, "no line of this statement needs a declaration"))
        return
    undecided[:] = [found for found in undecided if found not in covered]
    references[:] = [reference for reference in references if reference not in excused]
    spots = [*(found.spot for found in covered), *(reference.spot for reference in excused)]
    waivers.lines.setdefault(module.display, []).extend(spots)
    for target in comment.targets:
        if closure.resolve(target).place is Place.UNKNOWN:
            waivers.findings.append(_stale(closure, module, comment, f"{target} does not exist"))
        else:
            found = covered[0]
            spot = replace(found.spot, text=module.source_line(found.spot.line))
            references.append(Reference(spot, target, f"{found.form}, {DECLARED_FORM}", found.certainty))


def _excusable(closure: Closure, reference: Reference, comment: Comment) -> bool:
    """A string that only looks like a module; one that names a forbidden package is refused all the same."""
    on_line = reference.spot.line <= comment.line <= reference.spot.end_line
    return reference.hint and on_line and closure.resolve(*reference.candidates).place is not Place.FORBIDDEN


def _stale(closure: Closure, module: Module, comment: Comment, problem: str) -> Finding:
    return Finding(
        image=closure.manifest.image,
        code=Code.STALE_DECLARATION,
        path=module.display,
        line=comment.line,
        subject=comment.text,
        message=f"the comment “boundary: {comment.text}” declares what is not so: {problem}",
        text=module.source_line(comment.line),
        remedy=("correct the comment, or remove it",),
    )
