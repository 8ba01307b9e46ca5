"""What each image declares, found without nix/: from images/, pyproject.toml and poetry.lock. For tests."""

import functools
import re
import tomllib
from typing import Any

from devtools.paths import ROOT
from packaging.markers import Marker, default_environment
from packaging.utils import canonicalize_name
from tests.nix.evaluate import evaluate

NAMES = sorted(re.findall(r"^  (\S+) = import", (ROOT / "images" / "default.nix").read_text(), re.MULTILINE))

_DECLARATIONS = """
let
  at = { bind = ""; port = _: ""; address = _: _: ""; volume = _: ""; };
in
builtins.mapAttrs (_: image: builtins.removeAttrs (image { inherit at; }) [ "env" "arguments" ]) (import ./images)
"""


@functools.cache
def declarations() -> dict[str, dict[str, Any]]:
    """The declarations of images/ as data."""
    found: dict[str, dict[str, Any]] = evaluate(_DECLARATIONS)
    return found


def packages(image: str) -> list[str]:
    """The first-party packages of an image, dotted."""
    found: list[str] = declarations()[image].get("packages", [])
    return found


def groups(image: str) -> set[str]:
    """The Poetry groups of an image: its own, and `main` where there is Python."""
    declaration = declarations()[image]
    own = {declaration["group"]} if "group" in declaration else set()
    return own | ({"main"} if declaration["base"] == "python" else set())


def distributions(image: str) -> dict[str, str]:
    """Name and version of every distribution in an image's groups on this platform, by poetry.lock."""
    lock = tomllib.loads((ROOT / "poetry.lock").read_text())
    return {
        canonicalize_name(package["name"]): package["version"]
        for package in lock["package"]
        if any(_applies(package, group) for group in groups(image) & set(package["groups"]))
    }


def _applies(package: dict[str, Any], group: str) -> bool:
    markers = package.get("markers", "")
    marker = markers if isinstance(markers, str) else markers.get(group, "")
    environment = {**default_environment(), "python_version": "3.13", "python_full_version": "3.13.5"}
    return not marker or Marker(marker).evaluate({key: str(value) for key, value in environment.items()})
