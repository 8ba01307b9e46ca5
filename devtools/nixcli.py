"""Calls to nix under this project's settings: sandbox on, no fallback, no substituter. Host process only."""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from devtools.errors import DevError
from devtools.paths import ROOT
from devtools.process import run

CONFIG = "\n".join(
    (
        "experimental-features = nix-command flakes",
        "sandbox = true",
        "sandbox-fallback = false",
        "sandbox-paths =",  # not even a shell of the host
        "substituters =",
        "max-jobs = auto",
        "flake-registry =",  # nothing here is looked up by name
        "warn-dirty = false",
    )
)


def environment() -> dict[str, str]:
    """The environment of every nix call: ours last, so that it wins over what the machine has configured."""
    inherited = os.environ.get("NIX_CONFIG", "")
    return {"NIX_CONFIG": f"{inherited}\n{CONFIG}"}


def evaluate(attribute: str) -> Any:
    """The JSON value of a flake attribute of this checkout."""
    text = run(
        ["nix", "eval", "--json", f"{ROOT}#{attribute}"], what=f"evaluating {attribute}", env=environment(), cwd=ROOT
    )
    return json.loads(text)


def evaluate_file(path: Path, attribute: str) -> Any:
    """The JSON value of an attribute of one Nix file, outside the flake."""
    text = run(
        ["nix", "eval", "--json", "--impure", "-f", path, attribute], what=f"evaluating {path.name}", env=environment()
    )
    return json.loads(text)


def valid_paths(paths: list[str]) -> set[str]:
    """Those of ``paths`` which the local store holds."""
    if not paths:
        return set()
    text = run(
        ["nix-store", "--check-validity", "--print-invalid", *paths], what="asking the Nix store", env=environment()
    )
    return set(paths) - set(text.split())


def add_fixed(path: Path, *, recursive: bool) -> str:
    """Add a file (flat) or a tree (recursive) to the store by SHA-256 and return its store path."""
    mode = ["--recursive"] if recursive else []
    argv: list[str | Path] = ["nix-store", "--add-fixed", *mode, "sha256", path]
    return run(argv, what=f"adding {path.name} to the Nix store", env=environment()).strip()


def tree_hash(path: Path) -> str:
    """The SRI SHA-256 of a tree as Nix archives it."""
    return run(["nix", "hash", "path", path], what=f"hashing {path.name}", env=environment()).strip()


def keep(store_paths: list[str], link: Path) -> None:
    """Protect store paths from garbage collection for as long as the links named ``link``, ``link-2``… exist."""
    link.parent.mkdir(parents=True, exist_ok=True)
    argv: list[str | Path] = ["nix-store", "--realise", *store_paths, "--add-root", link, "--indirect"]
    run(argv, what="protecting the sources from garbage collection", env=environment())


def build(names: list[str]) -> dict[str, Path]:
    """Build packages of this checkout; their store paths by name.

    Nix's progress and the builders' own reports go to the terminal as they come.
    """
    argv = ["nix", "build", "--no-link", "--print-build-logs", *(f"{ROOT}#{name}" for name in names)]
    done = subprocess.run(argv, cwd=ROOT, env={**os.environ, **environment()}, check=False)
    if done.returncode != 0:
        raise DevError(f"{', '.join(names)} could not be built; the reason stands above")
    # Asked by name: `nix build --json` answers in an order of its own.
    wanted = " ".join(json.dumps(name) for name in names)
    function = f"p: builtins.listToAttrs (map (name: {{ inherit name; value = p.${{name}}.outPath; }}) [ {wanted} ])"
    argv = ["nix", "eval", "--json", f"{ROOT}#packages.{system()}", "--apply", function]
    paths = json.loads(run(argv, what="asking for store paths", env=environment(), cwd=ROOT))
    return {name: Path(path) for name, path in paths.items()}


def system() -> str:
    """The Nix name of this machine."""
    return f"{platform.machine()}-{platform.system().lower()}"
