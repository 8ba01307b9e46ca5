"""What commands, health checks and console scripts of an image start. Build process."""

from dataclasses import replace
from pathlib import Path

from boundary.analysis import Analysis
from boundary.closure import Closure
from boundary.findings import Hop
from boundary.manifest import EntryPoint, Manifest
from boundary.references import Certainty, Reference, Spot, Undecidable
from boundary.sources import Module


def entry_facts(closure: Closure) -> tuple[list[Reference], list[Undecidable]]:
    """The modules that declarations outside Python start, and those commands that do not say what they start.

    A command line is read as the list it would be in Python, so that it means the same in both places.
    """
    references: list[Reference] = []
    undecidable: list[Undecidable] = []
    tops = closure.first_party_tops
    for entry in closure.manifest.entry_points:
        words = [entry.value] if isinstance(entry.value, str) else list(entry.value)
        module = Module(f"<{entry.kind}>", Path(entry.file), entry.file, False, repr(words))
        facts = Analysis([module], tops, tops | closure.names.known_tops()).facts(module.name)
        spot = _spot(closure.manifest, entry)
        references += [replace(found, spot=spot, certainty=Certainty.RUNTIME) for found in facts.references]
        undecidable += [replace(found, spot=spot, certainty=Certainty.RUNTIME) for found in facts.undecidable]
    return references, undecidable


def _spot(manifest: Manifest, entry: EntryPoint) -> Spot:
    own = entry.file == manifest.declaration.file and entry.kind == "command"
    line = entry.line or (manifest.declaration.lines.get("program", 0) if own else 0)
    text = entry.value if isinstance(entry.value, str) else " ".join(entry.value)
    return Spot(f"<{entry.kind}>", entry.file, line, line, text, "the image's declaration")


def is_entry(reference: Reference) -> bool:
    """Whether the reference is made by a declaration outside Python."""
    return reference.spot.module.startswith("<")


def entry_hop(reference: Reference, module: str) -> Hop:
    """The first hop of a chain: the declaration's line."""
    return Hop(reference.spot.path, reference.spot.line or None, reference.spot.text, module)
