"""`./dev build` and `./dev shell`. Host process only."""

import os
import shutil

from devtools import fetch, nixcli
from devtools.archives import build_images
from devtools.console import table
from devtools.errors import DevError
from devtools.paths import ROOT


def build(names: list[str]) -> None:
    """Build the named images, or all, and print name, tag, size and archive of each."""
    fetch.require_sources()
    known = nixcli.evaluate("lib.stack.topology.services")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise DevError(f"no image is named {', '.join(unknown)}; there are {', '.join(known)}")
    images = build_images(names or known)
    rows = [[image.name, image.tag, f"{image.size / 1e6:.1f} MB", str(image.path)] for image in images.values()]
    print(table(["IMAGE", "TAG", "SIZE", "ARCHIVE"], rows))


def shell() -> None:
    """Replace this process by `nix develop`."""
    fetch.require_sources()
    nix = shutil.which("nix") or "nix"
    os.execve(nix, ["nix", "develop", str(ROOT)], {**os.environ, **nixcli.environment()})
