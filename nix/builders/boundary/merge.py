"""The union of both witnesses: which references each saw, and where they disagree. Build process."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from boundary.closure import Closure, Place
from boundary.references import Certainty, Reference, Spot, Witness
from boundary.run_witness import Observations, SeenImport
from boundary.sources import Module, decoded


@dataclass(frozen=True, slots=True)
class Union:
    """All references, each with its witness; ``run_only`` are those that the AST witness does not have."""

    references: tuple[Reference, ...]
    run_only: tuple[Reference, ...]


def united(closure: Closure, references: Sequence[Reference], observations: Observations) -> Union:
    """Match what was seen on a line with what is written there."""
    written: dict[str, list[int]] = defaultdict(list)
    for index, reference in enumerate(references):
        written[reference.spot.path].append(index)
    by_path = {str(module.path): module for module in closure.modules.values()}
    both: set[int] = set()
    run_only: dict[tuple[str, int, str], Reference] = {}
    for seen in observations.imports:
        spot = _spot(closure, by_path, seen)
        if spot is None:
            continue
        matching = [index for index in written[spot.path] if _matches(references[index], seen)]
        both.update(matching)
        if not matching:
            unseen = Reference(spot, seen.name, "seen in the import run", Certainty.RUNTIME, witness=Witness.RUN)
            run_only.setdefault((spot.path, spot.line, seen.name), unseen)
    shown = [replace(r, witness=Witness.BOTH) if index in both else r for index, r in enumerate(references)]
    outermost = _outermost(run_only.values())
    return Union((*shown, *outermost), tuple(outermost))


def _matches(reference: Reference, seen: SeenImport) -> bool:
    """Whether the reference's line is the seen one and loading its target asks for the seen module."""
    if not reference.spot.line <= seen.line <= reference.spot.end_line:
        return False
    return any(name == seen.name or name.startswith(seen.name + ".") for name in reference.candidates)


def _spot(closure: Closure, by_path: dict[str, Module], seen: SeenImport) -> Spot | None:
    """Where the seen import stands; a wheel's counts only when it asks for first-party code outside the closure."""
    if module := by_path.get(seen.path):
        return Spot(module.name, module.display, seen.line, seen.line, module.source_line(seen.line), "import run")
    path = Path(seen.path)
    site = next((site for site in closure.manifest.site_packages if path.is_relative_to(site)), None)
    if site is None or closure.resolve(seen.name).place is Place.OWN:
        return None
    inside = path.relative_to(site)
    name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
    text = _line(path, seen.line)
    return Spot(name, f"site-packages/{inside.as_posix()}", seen.line, seen.line, text, "import run")


@cache
def _line(path: Path, line: int) -> str:
    lines = decoded(path.read_bytes()).split("\n") if path.is_file() else []
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


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
