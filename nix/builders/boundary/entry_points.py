"""What commands, health checks and console scripts of an image start. Build process."""

import re
from collections.abc import Iterator

from boundary.closure import Closure
from boundary.findings import Hop
from boundary.manifest import EntryPoint
from boundary.references import Certainty, Reference

_PYTHON = re.compile(r"(^|/)python[\d.]*$")
_REFERENCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_][\w.]*")


def entry_references(closure: Closure) -> Iterator[Reference]:
    """One reference for each module that a declaration outside Python starts."""
    for entry in closure.manifest.entry_points:
        for target in _targets(entry):
            yield Reference(
                importer=f"<{entry.kind}>",
                path=entry.file,
                line=entry.line or 0,
                end_line=entry.line or 0,
                target=target,
                attribute="__main__" if f"{target}.__main__" in closure.modules else None,
                form=entry.kind,
                certainty=Certainty.RUNTIME,
                text=_text(entry),
                context="image declaration",
            )


def entry_hop(reference: Reference, module: str) -> Hop:
    """The first hop of a chain: the declaration's line."""
    return Hop(reference.path, reference.line or None, reference.text, module)


def _text(entry: EntryPoint) -> str:
    return entry.value if isinstance(entry.value, str) else " ".join(entry.value)


def _targets(entry: EntryPoint) -> Iterator[str]:
    words = (entry.value,) if isinstance(entry.value, str) else entry.value
    for before, word in zip(("", *words), words, strict=False):
        if before == "-m":
            yield word
        elif _REFERENCE.fullmatch(word):
            yield word.partition(":")[0]
