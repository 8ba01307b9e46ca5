"""`./dev fetch`: the one networked step, which puts every locked source into the Nix store. Host process only."""

from typing import Any

from devtools import debian, nixcli, wheels
from devtools.console import step
from devtools.errors import DevError
from devtools.paths import GC_ROOTS


def system() -> str:
    """The Nix name of this machine; raises DevError where nothing can be built."""
    name = nixcli.system()
    if name not in debian.ARCHITECTURES:
        raise DevError(f"this machine is {name}; images are built on {' or '.join(debian.ARCHITECTURES)}")
    return name


def missing_sources() -> tuple[dict[str, Any], list[str], list[wheels.Wheel]]:
    """All sources, the bases and the wheels of them that the store lacks. No network."""
    sources = nixcli.evaluate(f"lib.sources.{system()}")
    bases = {name: entry["path"] for name, entry in sources["bases"].items()}
    present = nixcli.valid_paths([*bases.values(), *(wheel["path"] for wheel in sources["wheels"])])
    return (
        sources,
        [name for name, path in bases.items() if path not in present],
        [wheel for wheel in sources["wheels"] if wheel["path"] not in present],
    )


def fetch() -> None:
    """Add what is missing; say so when nothing is."""
    sources, bases, lacking = missing_sources()
    total = len(sources["bases"]) + len(sources["wheels"])
    if not bases and not lacking:
        step(f"all {total} sources are in the Nix store: nothing to fetch")
        return
    debian.fetch(bases, system())
    wheels.fetch(lacking)
    _keep()
    step(f"{len(bases) + len(lacking)} of {total} sources added to the Nix store; builds are offline from here")


def _keep() -> None:
    """Roots, so that a garbage collection does not make the next build need the network."""
    sources = nixcli.evaluate(f"lib.sources.{system()}")
    paths = [entry["path"] for entry in (*sources["bases"].values(), *sources["wheels"])]
    nixcli.keep(paths, GC_ROOTS / "sources")


def require_sources() -> None:
    """Raise DevError with the command to run when a source is missing."""
    _sources, bases, lacking = missing_sources()
    names = [*bases, *(wheel["file"] for wheel in lacking)]
    if names:
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        raise DevError(f"{shown} not in the Nix store: run ./dev fetch")
