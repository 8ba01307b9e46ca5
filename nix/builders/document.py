"""The one JSON document a builder gets from Nix, and the output paths Nix gave it. Runs inside a Nix build."""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

VERSION = 1


def read_document() -> dict[str, Any]:
    """The document at ``$documentPath``; another version than ours is a mistake in nix/ and ends the build."""
    document: dict[str, Any] = json.loads(Path(os.environ["documentPath"]).read_text())  # noqa: SIM112 - Nix
    if document.get("version") != VERSION:
        fail(f"the builder reads document version {VERSION}, Nix passed {document.get('version')!r}")
    return document


def output(name: str = "out") -> Path:
    """Where Nix expects the output of that name."""
    return Path(os.environ[name])


def fail(message: str) -> NoReturn:
    """End the build with one line."""
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(1)
