"""The union of both witnesses: which references each saw, and where they disagree. Build process."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from boundary.closure import Closure
from boundary.references import Certainty, Reference, Spot, Witness
from boundary.run_witness import Observations, SeenImport
from boundary.sources import Module


@dataclass(frozen=True, slots=True)
class Union:
    """All references, each with its witness; ``run_only`` are those that the AST witness does not have."""

    references: tuple[Reference, ...]
    run_only: tuple[Reference, ...]


def united(closure: Closure, references: Sequence[Reference], observations: Observations) -> Union:
    """Match what was seen on a line with what is written there."""
    by_path = {str(module.path): module for module in closure.modules.values()}
    written: dict[str, list[int]] = defaultdict(list)
    for index, reference in enumerate(references):
        written[reference.spot.path].append(index)
    both: set[int] = set()
    run_only: dict[tuple[str, int, str], Reference] = {}
    for seen in observations.imports:
        module = by_path.get(seen.path)
        if module is None:
            continue
        matching = [index for index in written[module.display] if _matches(references[index], seen)]
        both.update(matching)
        if not matching:
            run_only.setdefault((module.display, seen.line, seen.name), _from_run(module, seen))
    shown = [replace(r, witness=Witness.BOTH) if index in both else r for index, r in enumerate(references)]
    outermost = _outermost(run_only.values())
    return Union((*shown, *outermost), tuple(outermost))


def _matches(reference: Reference, seen: SeenImport) -> bool:
    """Whether the reference's line is the seen one and loading its target asks for the seen module."""
    if not reference.spot.line <= seen.line <= reference.spot.end_line:
        return False
    return any(name == seen.name or name.startswith(seen.name + ".") for name in reference.candidates)


def _from_run(module: Module, seen: SeenImport) -> Reference:
    spot = Spot(module.name, module.display, seen.line, seen.line, module.source_line(seen.line), "import run")
    return Reference(spot, seen.name, "seen in the import run", Certainty.RUNTIME, witness=Witness.RUN)


def _outermost(references: Iterable[Reference]) -> list[Reference]:
    """Without the parents that loading a module asks for first: of one line only the deepest names count."""
    kept = []
    by_line: dict[tuple[str, int], list[Reference]] = defaultdict(list)
    for reference in references:
        by_line[reference.spot.path, reference.spot.line].append(reference)
    for together in by_line.values():
        names = [reference.target for reference in together]
        kept += [r for r in together if not any(name.startswith(r.target + ".") for name in names)]
    return kept
