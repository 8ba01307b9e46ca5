"""Findings that only the import run can make: effects, failures, wheels that ask for first-party code. Build process."""

from collections.abc import Iterator

from boundary.closure import Closure, Place
from boundary.codes import Code
from boundary.findings import Finding
from boundary.references import Witness
from boundary.run_witness import Observations, SeenEffect, SeenFailure
from boundary.sources import Module

_REFUSED = "is refused while the boundary check imports a module"
_OUTSIDE = frozenset(
    {Place.FORBIDDEN, Place.FOREIGN_PACKAGE, Place.FOREIGN_DISTRIBUTION, Place.TRANSITIVE, Place.UNKNOWN}
)


def run_findings(closure: Closure, observations: Observations) -> Iterator[Finding]:
    """What importing the modules did that it may not."""
    by_path = {str(module.path): module for module in closure.modules.values()}
    if observations.broken:
        yield _broken(closure, observations.broken)
    for effect in observations.effects:
        if module := by_path.get(effect.path):
            yield from _effect(closure, module, effect)
    seen: set[tuple[str | None, int | None, str]] = set()
    for failure in observations.failures:
        key = (failure.path, failure.line, failure.message)
        if key not in seen and not _explained(closure, failure):
            seen.add(key)
            yield _failure(closure, by_path.get(failure.path or "") or closure.modules[failure.module], failure)


def _broken(closure: Closure, problem: str) -> Finding:
    manifest = closure.manifest
    return Finding(
        image=manifest.image,
        code=Code.IMPORT_FAILURE,
        path=manifest.declaration.file,
        line=None,
        subject="import run",
        message=f"the modules of {manifest.image} could not be imported at all: {problem}",
        witness=Witness.RUN,
        remedy=("start the image's command by hand with its own Python to see the whole message",),
    )


def _effect(closure: Closure, module: Module, effect: SeenEffect) -> Iterator[Finding]:
    replayed = effect.what.startswith("reaches ")
    packages = closure.manifest.workflow_modules if replayed else closure.manifest.clean_imports
    if closure.package_of(module.name, packages) is None:
        return
    yield Finding(
        image=closure.manifest.image,
        code=Code.NONDETERMINISM if replayed else Code.IMPORT_SIDE_EFFECT,
        path=module.display,
        line=effect.line,
        subject=f"{effect.what}: {effect.detail}",
        message=f"importing {module.name} {effect.what} ({effect.detail})",
        text=module.source_line(effect.line),
        form=effect.detail,
        certainty="runtime",
        witness=Witness.RUN,
        remedy=("move it into a function that the process's main calls, and pass the result down",),
    )


def _explained(closure: Closure, failure: SeenFailure) -> bool:
    """Whether the failure only follows from something that is reported anyway."""
    if failure.name and closure.resolve(failure.name).place in _OUTSIDE:
        return True
    return _REFUSED in failure.message or failure.kind == "SyntaxError"


def _failure(closure: Closure, module: Module, failure: SeenFailure) -> Finding:
    return Finding(
        image=closure.manifest.image,
        code=Code.IMPORT_FAILURE,
        path=module.display,
        line=failure.line if failure.path else None,
        subject=failure.module,
        message=f"{failure.module} cannot be imported in {closure.manifest.image}: {failure.kind}: {failure.message}",
        text=module.source_line(failure.line or 0) if failure.path else "",
        witness=Witness.RUN,
        remedy=("make the module importable with only the image's files",),
    )
