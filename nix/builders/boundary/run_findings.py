"""Findings that only the import run can make: effects of importing, and modules that fail. Build process."""

from collections.abc import Iterator

from boundary.closure import Closure, Place
from boundary.codes import Code
from boundary.findings import Finding
from boundary.references import Certainty, Witness
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
        module = by_path.get(effect.path)
        if module and not effect.replayed and closure.package_of(module.name, closure.manifest.clean_imports):
            yield _effect(closure, module, effect)
    refused = [seen for seen in observations.imports if closure.resolve(seen.name).place in _OUTSIDE]
    names = {seen.name for seen in refused if not seen.third_party}
    lines = {(seen.path, seen.line) for seen in refused}
    same: dict[tuple[str, str], list[SeenFailure]] = {}
    for failure in observations.failures:
        if failure.name not in names and (failure.path, failure.line) not in lines and not _explained(closure, failure):
            same.setdefault((failure.kind, failure.message), []).append(failure)
    for failures in same.values():
        yield _failure(closure, by_path, failures)


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


def _effect(closure: Closure, module: Module, effect: SeenEffect) -> Finding:
    return Finding(
        image=closure.manifest.image,
        code=Code.IMPORT_SIDE_EFFECT,
        path=module.display,
        line=effect.line,
        subject=f"{effect.what}: {effect.detail}",
        message=f"importing {module.name} {effect.what} ({effect.detail})",
        text=module.source_line(effect.line),
        form=effect.detail,
        certainty=Certainty.RUNTIME,
        witness=Witness.RUN,
        remedy=("move it into a function that the process's main calls, and pass the result down",),
    )


def _explained(closure: Closure, failure: SeenFailure) -> bool:
    """Whether the failure only follows from something that is reported by other means."""
    return _REFUSED in failure.message or isinstance(closure.modules[failure.module].tree, SyntaxError)


def _failure(closure: Closure, by_path: dict[str, Module], failures: list[SeenFailure]) -> Finding:
    """One finding for all modules that fail in the same way; the first of them stands for it."""
    first = failures[0]
    module = by_path.get(first.path or "") or closure.modules[first.module]
    others = f", and {len(failures) - 1} more modules fail like it" if len(failures) > 1 else ""
    said = f"{first.kind}: {first.message}".rstrip(": ")
    return Finding(
        image=closure.manifest.image,
        code=Code.IMPORT_FAILURE,
        path=module.display,
        line=first.line if first.path else None,
        subject=first.module,
        message=f"{first.module} cannot be imported in {closure.manifest.image} ({said}){others}",
        text=module.source_line(first.line or 0) if first.path else "",
        witness=Witness.RUN,
        remedy=(_remedy(closure, first),),
    )


def _remedy(closure: Closure, failure: SeenFailure) -> str:
    if failure.name and not closure.is_first_party(failure.name):
        return f"a wheel needs {failure.name}: declare the distribution that provides it and run ./dev lock"
    return "make the module importable with only the image's files"
