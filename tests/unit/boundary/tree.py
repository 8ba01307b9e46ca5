"""A small project to check: one worker image, a package it may never have, wheels it has and wheels it has not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from boundary.cache import Cache
from boundary.check import check_images
from boundary.findings import Finding
from boundary.manifest import load_manifest
from boundary.results import ImageResult

BASE = {
    "lib/__init__.py": "",
    "lib/core/__init__.py": "",
    "lib/core/engine.py": "VALUE = 1\n\n\ndef run():\n    return VALUE\n",
    "lib/core/data.txt": "core",
    "lib/boot/__init__.py": "",
    "lib/boot/engine.py": "VALUE = 2\n\n\ndef run():\n    return VALUE\n",
    "lib/boot/data.txt": "boot",
    "worker/__init__.py": "",
    "worker/__main__.py": "import worker.main\n",
    "worker/main.py": "",
}
"""``lib.core`` is declared, ``lib.boot`` is forbidden; ``worker`` is what the image starts."""

WHEELS = {
    "alpha-1.2.3.dist-info/RECORD": "alpha/__init__.py,,\nalpha/sub.py,,\n",
    "alpha/__init__.py": "import beta\n",
    "alpha/sub.py": "",
    "beta-0.4.1.dist-info/RECORD": "beta/__init__.py,,\n",
    "beta/__init__.py": "",
    "gamma-3.0.dist-info/RECORD": "gamma/__init__.py,,\n",
    "gamma/__init__.py": "",
}
"""``alpha`` is declared, ``beta`` only its dependency, ``gamma`` belongs to another image but lies on the same disk."""


class Tree:
    """Writes the project below a directory and checks it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write(BASE)
        self.write(WHEELS, "site")
        self.document: dict[str, Any] = {
            "version": 1,
            "image": "worker",
            "declaration": {"file": "images/worker.nix", "lines": {"packages": 6, "program": 8}},
            "pyproject": {"file": "pyproject.toml", "lines": {"main": 3, "worker": 9}},
            "sourceRoot": str(directory / "src"),
            "firstParty": ["lib.core", "worker"],
            "knownFirstParty": {
                "lib.core": ["worker", "server"],
                "worker": ["worker"],
                "lib.boot": ["server"],
                "server": ["server"],
            },
            "forbidden": ["lib.boot"],
            "distributions": [
                {"name": "alpha", "version": "1.2.3", "groups": ["worker"], "direct": True},
                {"name": "beta", "version": "0.4.1", "groups": ["worker"], "direct": False},
            ],
            "knownDistributions": {"gamma": {"version": "3.0", "groups": ["server"]}},
            "sitePackages": str(directory / "site"),
            "entryPoints": [{"kind": "command", "value": ["python", "-m", "worker"]}],
        }
        (directory / "site").mkdir(exist_ok=True)

    def write(self, files: Mapping[str, str], root: str = "src") -> None:
        """Add or replace files below ``src`` (or ``site``)."""
        for name, text in files.items():
            path = self.directory / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def manifest(self, **changes: object) -> Path:
        """The manifest as a file, with some keys replaced."""
        path = self.directory / "manifest.json"
        path.write_text(json.dumps({**self.document, **changes}), encoding="utf-8")
        return path

    def check(self, files: Mapping[str, str] | None = None, **changes: object) -> ImageResult:
        """The result of the whole check, import run included."""
        self.write(files or {})
        return check_images([load_manifest(str(self.manifest(**changes)))], Cache(None))[0]

    def findings(self, files: Mapping[str, str] | None = None, **changes: object) -> list[Finding]:
        """What the check found, without the warnings about what these small projects leave unused."""
        return [found for found in self.check(files, **changes).findings if found.code != "unused-declaration"]
