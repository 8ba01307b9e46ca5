"""The text to paste, or the edge to cut, for each kind of violation. Build process."""

import re

from boundary.closure import Closure, Place, Target, within
from boundary.manifest import Distribution, Manifest
from boundary.references import Reference


def for_import(closure: Closure, reference: Reference, target: Target) -> tuple[str, ...]:
    """How to make this reference lawful: the exact line to add, or the edge to cut."""
    if reference.spot.path.startswith("site-packages/"):
        return ("a wheel cannot be edited: do without it, or lock a version that does not ask for this",)
    cut = f"cut {reference.spot.place}:  {reference.spot.text}"
    match target.place:
        case Place.FORBIDDEN:
            return (cut,)
        case Place.FOREIGN_PACKAGE:
            at = closure.manifest.declaration.at("packages")
            return (cut, f'or add to `packages` in {at}:  "{target.owner}"')
        case Place.FOREIGN_DISTRIBUTION | Place.TRANSITIVE if target.distribution:
            return (_requirement(closure.manifest, reference, target.distribution), f"or {cut}")
        case _ if target.is_first_party or closure.is_first_party(target.name):
            return (
                "git add its file if there is one: a Nix build sees only files that git knows",
                f"or correct the name, or {cut}",
            )
        case _:
            return (
                f"correct the name, or add the distribution that provides {target.owner!r} and run ./dev lock",
                f"or {cut}",
            )


def _requirement(manifest: Manifest, reference: Reference, distribution: Distribution) -> str:
    """The line for pyproject.toml: `main` when more than this image runs the importing package, else its own group."""
    images = {
        image
        for package, images in manifest.known_first_party.items()
        if within(reference.spot.module, package)
        for image in images
    }
    if len(images) > 1:
        bounds = _bounds(distribution.version)
        line = f'"{distribution.name} ({bounds})",' if bounds else f'"{distribution.name}",'
        return f"add to [project] dependencies in {manifest.pyproject.at('main')}:  {line}"
    bounds = _bounds(distribution.version) or "*"
    table = f"[tool.poetry.group.{manifest.group}.dependencies]"
    return f'add to {table} in {manifest.pyproject.at(manifest.group)}:  {distribution.name} = "{bounds}"'


def _bounds(version: str | None) -> str | None:
    """``>=1.2,<2`` for 1.2.3, and ``>=0.3,<0.4`` for 0.3.1, where the minor number breaks."""
    numbers = re.match(r"(\d+)(?:\.(\d+))?", version or "")
    if not numbers:
        return None
    major, minor = int(numbers[1]), int(numbers[2] or 0)
    return f">={major}.{minor},<0.{minor + 1}" if major == 0 else f">={major}.{minor},<{major + 1}"
